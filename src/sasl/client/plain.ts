import type { ClientMechanism } from './mechanism.js'

/**
 * PLAIN, RFC 4616 section 2.
 *
 *     message = [authzid] UTF8NUL authcid UTF8NUL passwd
 */
export class PlainClient implements ClientMechanism {
  readonly name = 'PLAIN'
  readonly plaintext = true
  readonly satisfied = true
  readonly #message: string

  constructor(user: string, password: string, authorizationId: string) {
    this.#message = `${authorizationId}\0${user}\0${password}`
  }

  start(): Uint8Array {
    return Buffer.from(this.#message, 'utf8')
  }

  /** There is no second message. */
  respond(): null {
    return null
  }
}
