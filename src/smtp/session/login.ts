import { expectAuthResult } from '../../interfaces/answer.js'
import type {
  Authenticator,
  AuthFailure,
  AuthResult,
  PlainCredentials,
  Reply,
  SessionContext,
} from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'

/** A disabled user hears the same as a wrong password, so that nobody learns which users there are. */
export const authFailures: Readonly<Record<AuthFailure, Reply>> = {
  invalid: reply(535, '5.7.8', 'Authentication credentials invalid'),
  disabled: reply(535, '5.7.8', 'Authentication credentials invalid'),
  unavailable: reply(454, '4.7.0', 'Temporary authentication failure'),
  throttled: reply(421, '4.7.0', 'Too many failed logins, try again later'),
}

/**
 * Checks credentials; nobody may act for another (RFC 4616 section 2). Rejects as the authenticator does, and with UsageError
 * `ANSWER` where it resolves to what is no result.
 */
export async function checkLogin(
  authenticator: Authenticator | null,
  mechanism: string,
  credentials: PlainCredentials,
  { id, remoteAddress, signal }: SessionContext,
  secure: boolean,
): Promise<AuthResult> {
  if (authenticator?.plain === undefined) return { ok: false, failure: 'unavailable' }
  const result = expectAuthResult(
    await authenticator.plain(credentials, {
      protocol: 'smtp',
      mechanism,
      remoteAddress,
      session: id,
      secure,
      signal,
    }),
  )
  const { user, authorizationId } = credentials
  const himself = authorizationId === '' || authorizationId === user
  return !result.ok || himself || authorizationId === result.user ? result : { ok: false, failure: 'invalid' }
}
