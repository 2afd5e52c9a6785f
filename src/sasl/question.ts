import { UsageError } from '../core/errors.js'
import { expectAuthResult, fieldsOf } from '../interfaces/answer.js'
import type {
  AuthContext,
  Authenticator,
  AuthRefusal,
  AuthResult,
  BearerCredentials,
  PlainCredentials,
  ScramAttempt,
  ScramCredentials,
} from '../interfaces/index.js'
import { randomNonce } from './scram-crypto.js'

/** What an exchange asks of the host; `askAuthenticator` has the answer. */
export type AuthQuestion =
  | { readonly type: 'plain'; readonly credentials: PlainCredentials }
  | { readonly type: 'bearer'; readonly credentials: BearerCredentials }
  /** The answer is a `ScramChallenge`, or why there is none. */
  | { readonly type: 'scram'; readonly credentials: ScramCredentials }
  /** The client's proof is right, or not. */
  | {
      readonly type: 'proof'
      readonly credentials: ScramCredentials
      readonly attempt: ScramAttempt
      readonly proved: boolean
    }

/** A SCRAM attempt with the server's part of the nonce, since an engine makes nothing at random. */
export interface ScramChallenge {
  readonly attempt: ScramAttempt
  readonly nonce: string
}

export type AuthAnswer = AuthResult | ScramChallenge

/** An engine's ask: an exchange has something to ask of an Authenticator, which `askAuthenticator` does. */
export interface AuthenticateEvent {
  readonly type: 'authenticate'
  readonly mechanism: string
  readonly question: AuthQuestion
}

/** An engine's ask: what an exchange came to; `user` is as the client wrote it. */
export interface LoginEvent {
  readonly type: 'login'
  readonly mechanism: string
  readonly user: string
  readonly result: AuthResult
}

const UNAVAILABLE: AuthResult = { ok: false, failure: 'unavailable' }
const INVALID: AuthResult = { ok: false, failure: 'invalid' }

/**
 * Puts the question of an exchange to the host's Authenticator, for a session. Nobody may act for another, unless the
 * authenticator says that it is the other who has logged in. Rejects as the authenticator does, with UsageError `ANSWER`
 * where it resolves to what is no result, and with UsageError `SCRAM` for keys that cannot be used.
 */
export async function askAuthenticator(
  authenticator: Authenticator | null,
  question: AuthQuestion,
  context: AuthContext,
): Promise<AuthAnswer> {
  switch (question.type) {
    case 'plain': {
      const { credentials } = question
      if (authenticator?.plain === undefined) return UNAVAILABLE
      return forHimself(credentials, expectAuthResult(await authenticator.plain(credentials, context)))
    }
    case 'bearer':
      if (authenticator?.bearer === undefined) return UNAVAILABLE
      return expectAuthResult(await authenticator.bearer(question.credentials, context))
    case 'scram': {
      if (authenticator?.scram === undefined) return UNAVAILABLE
      const attempt = await authenticator.scram(question.credentials, context)
      return isAttempt(attempt) ? challengeOf(attempt) : expectRefusal(attempt)
    }
    case 'proof': {
      const { credentials, attempt, proved } = question
      const result = forHimself(credentials, expectAuthResult(await attempt.finish(proved)))
      // Whatever a host makes of it, without a proof nobody comes in.
      return result.ok && !proved ? INVALID : result
    }
    default:
      return question satisfies never
  }
}

/** RFC 4616 section 2, RFC 5802 section 5.1: whoever is named to be acted for must be the one who has logged in. */
function forHimself({ user, authorizationId }: ScramCredentials, result: AuthResult): AuthResult {
  const himself = authorizationId === '' || authorizationId === user
  return !result.ok || himself || authorizationId === result.user ? result : INVALID
}

function isAttempt(given: ScramAttempt | AuthRefusal): given is ScramAttempt {
  return 'keys' in fieldsOf(given)
}

/** A yes before the proof is none. */
function expectRefusal(given: AuthRefusal): AuthRefusal {
  const result: AuthResult = expectAuthResult(given)
  if (result.ok) throw new UsageError('ANSWER', 'the authenticator let someone in before the proof of SCRAM')
  return result
}

function challengeOf(attempt: ScramAttempt): ScramChallenge {
  const { salt, iterations, storedKey, serverKey } = attempt.keys
  if (salt.length === 0 || !Number.isSafeInteger(iterations) || iterations < 1) {
    throw new UsageError('SCRAM', 'the keys of a user need a salt and a whole number of iterations')
  }
  if (storedKey.length !== 32 || serverKey.length !== 32) {
    throw new UsageError('SCRAM', 'the keys of SCRAM-SHA-256 have 32 octets each: derive them with SHA-256')
  }
  const nonce = attempt.nonce ?? randomNonce()
  if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(nonce)) {
    throw new UsageError('SCRAM', 'a nonce is printable ASCII without a comma: leave it out for a random one')
  }
  return { attempt, nonce }
}
