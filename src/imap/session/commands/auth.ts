import { isMailError } from '../../../core/errors.js'
import type { AuthFailure, AuthResult } from '../../../interfaces/index.js'
import type { AuthAnswer, AuthQuestion } from '../../../sasl/index.js'
import { askAuthenticator } from '../../../sasl/index.js'
import type { CommandOf } from '../dispatch.js'
import type { Outcome } from '../outcome.js'
import { no, ok, refusal } from '../outcome.js'
import type { UserSession } from '../user-session.js'

const UNAVAILABLE: AuthResult = { ok: false, failure: 'unavailable' }
/** Failed logins after which the session ends. */
const MAX_FAILURES = 3

const failures: Readonly<Record<AuthFailure, Outcome>> = {
  invalid: no('Authentication failed', 'AUTHENTICATIONFAILED'),
  unavailable: no('Temporary authentication failure', 'UNAVAILABLE'),
  throttled: no('Too many failed logins, try again later', 'UNAVAILABLE'),
  disabled: no('This account may not log in here', 'CONTACTADMIN'),
}

/** LOGIN (RFC 3501 section 6.2.3). */
export async function logIn(session: UserSession, { user, password }: CommandOf<'LOGIN'>): Promise<Outcome> {
  const credentials = { user, password, authorizationId: '' }
  const answer = await authenticate(session, 'LOGIN', { type: 'plain', credentials })
  return enter(session, 'LOGIN', user, 'ok' in answer ? answer : UNAVAILABLE)
}

/** Puts what LOGIN or AUTHENTICATE asks to the authenticator. */
export async function authenticate(
  session: UserSession,
  mechanism: string,
  question: AuthQuestion,
): Promise<AuthAnswer> {
  const { authenticator, context, signal } = session
  const { remoteAddress } = context
  const secure = context.secure()
  try {
    return await askAuthenticator(authenticator, question, {
      protocol: 'imap',
      mechanism,
      remoteAddress,
      secure,
      signal,
    })
  } catch (error) {
    session.log('error', 'auth.error', { error: (error as Error).message })
    return UNAVAILABLE
  }
}

/** The end of LOGIN, and of AUTHENTICATE (RFC 3501 section 6.2.2, RFC 5530 section 3). */
export async function enter(
  session: UserSession,
  mechanism: string,
  user: string,
  result: AuthResult,
): Promise<Outcome> {
  if (!result.ok) {
    const { failure } = result
    session.log('info', 'auth.failed', { user, mechanism, failure })
    if (failure !== 'unavailable' && ++session.failedLogins >= MAX_FAILURES) {
      session.bye('Too many failed logins')
    }
    return failures[failure]
  }
  try {
    await session.open(result.user)
  } catch (error) {
    if (!isMailError(error)) throw error
    session.log('warn', 'imap.open', { user: result.user, error: error.message })
    return refusal(error)
  }
  session.engine.enter('authenticated')
  session.log('info', 'auth.ok', { user: result.user, mechanism })
  return ok('Logged in')
}
