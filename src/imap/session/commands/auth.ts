import { isMailError } from '../../../core/errors.js'
import { expectAuthResult } from '../../../interfaces/answer.js'
import type { AuthFailure, AuthResult, PlainCredentials } from '../../../interfaces/index.js'
import type { Outcome } from '../outcome.js'
import { no, ok, refusal } from '../outcome.js'
import type { UserSession } from '../user-session.js'

/** Failed logins after which the session ends. */
const MAX_FAILURES = 3

const failures: Readonly<Record<AuthFailure, Outcome>> = {
  invalid: no('Authentication failed', 'AUTHENTICATIONFAILED'),
  unavailable: no('Temporary authentication failure', 'UNAVAILABLE'),
  throttled: no('Too many failed logins, try again later', 'UNAVAILABLE'),
  disabled: no('This account may not log in here', 'CONTACTADMIN'),
}

/** LOGIN, and AUTHENTICATE once its exchange is over (RFC 3501 sections 6.2.2 and 6.2.3, RFC 5530 section 3). */
export async function logIn(
  session: UserSession,
  mechanism: string,
  credentials: PlainCredentials,
): Promise<Outcome> {
  const result = await check(session, mechanism, credentials)
  if (result.ok) {
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
  session.log('info', 'auth.failed', { user: credentials.user, mechanism, failure: result.failure })
  if (result.failure !== 'unavailable' && ++session.failedLogins >= MAX_FAILURES) {
    session.bye('Too many failed logins')
  }
  return failures[result.failure]
}

async function check(
  session: UserSession,
  mechanism: string,
  credentials: PlainCredentials,
): Promise<AuthResult> {
  const { authenticator, context, signal } = session
  const unavailable: AuthResult = { ok: false, failure: 'unavailable' }
  try {
    const { remoteAddress } = context
    const secure = context.secure()
    if (authenticator.plain === undefined) return unavailable
    const asked = authenticator.plain(credentials, {
      protocol: 'imap',
      mechanism,
      remoteAddress,
      secure,
      signal,
    })
    return expectAuthResult(await asked)
  } catch (error) {
    session.log('error', 'auth.error', { error: (error as Error).message })
    return unavailable
  }
}
