import { decodeUtf8, EMPTY } from '../core/bytes.js'
import type { SaslStep, ServerMechanism } from './mechanism.js'
import { challenge, failure } from './mechanism.js'

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
    return { type: 'credentials', credentials: { user, password, authorizationId } }
  }
}
