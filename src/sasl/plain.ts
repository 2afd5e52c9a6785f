import { decodeUtf8, EMPTY } from '../core/bytes.js'
import type { SaslStep, ServerMechanism } from './mechanism.js'
import { ask, challenge, failure, outcome } from './mechanism.js'
import type { AuthAnswer } from './question.js'

/**
 * PLAIN, RFC 4616 section 2.
 *
 *     message = [authzid] UTF8NUL authcid UTF8NUL passwd
 */
export class PlainServer implements ServerMechanism {
  start(initial: Uint8Array | null): SaslStep {
    return initial === null ? challenge(EMPTY) : this.respond(initial)
  }

  respond(response: Uint8Array): SaslStep {
    const parts = decodeUtf8(response)?.split('\0')
    if (parts?.length !== 3) return failure('malformed')
    const [authorizationId, user, password] = parts as [string, string, string]
    if (user === '' || password === '') return failure('malformed')
    return ask({ type: 'plain', credentials: { user, password, authorizationId } })
  }

  answer(answer: AuthAnswer): SaslStep {
    return outcome(answer)
  }
}
