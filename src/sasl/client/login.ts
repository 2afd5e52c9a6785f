import type { ClientMechanism } from './mechanism.js'

/**
 * LOGIN, draft-murchison-sasl-login-00: the server asks twice, first for the user name and then for the password, in
 * words that differ from server to server and do not matter.
 */
export class LoginClient implements ClientMechanism {
  readonly name = 'LOGIN'
  readonly plaintext = true
  readonly #answers: string[]

  constructor(user: string, password: string) {
    this.#answers = [user, password]
  }

  get satisfied(): boolean {
    return this.#answers.length === 0
  }

  start(): null {
    return null
  }

  respond(): Uint8Array | null {
    const answer = this.#answers.shift()
    return answer === undefined ? null : Buffer.from(answer, 'utf8')
  }
}
