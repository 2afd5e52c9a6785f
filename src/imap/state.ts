import type { ImapState } from './server-events.js'

const ANY: readonly ImapState[] = ['notAuthenticated', 'authenticated', 'selected']
const BEFORE_LOGIN: readonly ImapState[] = ['notAuthenticated']
const AFTER_LOGIN: readonly ImapState[] = ['authenticated', 'selected']
const SELECTED: readonly ImapState[] = ['selected']

/**
 * Which command is legal in which state (RFC 3501 section 3 and `command` in section 9): the whole machine. In
 * `logout` nothing is. LOGIN and AUTHENTICATE lead to `authenticated`; SELECT and EXAMINE to `selected`, or back to
 * `authenticated` when they fail; CLOSE and UNSELECT to `authenticated`; LOGOUT to `logout` from everywhere.
 */
export const commandStates: ReadonlyMap<string, readonly ImapState[]> = new Map([
  ['CAPABILITY', ANY],
  ['NOOP', ANY],
  ['LOGOUT', ANY],
  ['ID', ANY],
  ['STARTTLS', BEFORE_LOGIN],
  ['AUTHENTICATE', BEFORE_LOGIN],
  ['LOGIN', BEFORE_LOGIN],
  ['ENABLE', AFTER_LOGIN],
  ['NAMESPACE', AFTER_LOGIN],
  ['SELECT', AFTER_LOGIN],
  ['EXAMINE', AFTER_LOGIN],
  ['CREATE', AFTER_LOGIN],
  ['DELETE', AFTER_LOGIN],
  ['RENAME', AFTER_LOGIN],
  ['SUBSCRIBE', AFTER_LOGIN],
  ['UNSUBSCRIBE', AFTER_LOGIN],
  ['LIST', AFTER_LOGIN],
  ['LSUB', AFTER_LOGIN],
  ['STATUS', AFTER_LOGIN],
  ['APPEND', AFTER_LOGIN],
  ['IDLE', AFTER_LOGIN],
  ['CHECK', SELECTED],
  ['CLOSE', SELECTED],
  ['UNSELECT', SELECTED],
  ['EXPUNGE', SELECTED],
  ['SEARCH', SELECTED],
  ['FETCH', SELECTED],
  ['STORE', SELECTED],
  ['COPY', SELECTED],
  ['MOVE', SELECTED],
  ['UID SEARCH', SELECTED],
  ['UID FETCH', SELECTED],
  ['UID STORE', SELECTED],
  ['UID COPY', SELECTED],
  ['UID MOVE', SELECTED],
  ['UID EXPUNGE', SELECTED],
])
