/** RFC 1939 section 3. In `update` nothing is taken any more. */
export type Pop3ServerState = 'authorization' | 'transaction' | 'update'

type Sequence = Readonly<Record<Pop3ServerState, string | null>>

const closing = 'The session is over'
const always: Sequence = { authorization: null, transaction: null, update: closing }
const beforeLogin: Sequence = {
  authorization: null,
  transaction: 'You have logged in already',
  update: closing,
}
const afterLogin: Sequence = { authorization: 'Log in first', transaction: null, update: closing }

/** The whole machine: which command may come in which state (null), or the text of its -ERR. */
export const sequence = {
  CAPA: always,
  QUIT: always,
  STLS: beforeLogin,
  USER: beforeLogin,
  PASS: beforeLogin,
  AUTH: beforeLogin,
  STAT: afterLogin,
  LIST: afterLogin,
  UIDL: afterLogin,
  RETR: afterLogin,
  TOP: afterLogin,
  DELE: afterLogin,
  NOOP: afterLogin,
  RSET: afterLogin,
} as const satisfies Readonly<Record<string, Sequence>>

export type Pop3CommandName = keyof typeof sequence
