import { decodeUtf8, fromLatin1 } from '../core/bytes.js'
import type { SaslStep, ServerMechanism } from './mechanism.js'
import { ask, challenge, failure, outcome } from './mechanism.js'
import type { AuthAnswer } from './question.js'

const USER_NAME = fromLatin1('Username:')
const PASSWORD = fromLatin1('Password:')

/**
 * LOGIN, draft-murchison-sasl-login-00: obsolete, and the only mechanism some mail programs know. A client may send
 * the user name as initial response, as several do.
 */
export class LoginServer implements ServerMechanism {
  #user: string | null

  constructor() {
    this.#user = null
  }

  start(initial: Uint8Array | null): SaslStep {
    return initial === null ? challenge(USER_NAME) : this.respond(initial)
  }

  respond(response: Uint8Array): SaslStep {
    const text = decodeUtf8(response)
    if (text === null || text === '' || text.includes('\0')) return failure('malformed')
    if (this.#user === null) {
      this.#user = text
      return challenge(PASSWORD)
    }
    return ask({
      type: 'plain',
      credentials: { user: this.#user, password: text, authorizationId: '' },
    })
  }

  answer(answer: AuthAnswer): SaslStep {
    return outcome(answer)
  }
}
