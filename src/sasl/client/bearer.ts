import { saslName } from '../gs2.js'
import type { ClientMechanism } from './mechanism.js'

/**
 * OAUTHBEARER, RFC 7628 section 3.1.
 *
 *     client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
 *     kvpair      = key "=" value kvsep        ; kvsep = %x01
 */
export class OAuthBearerClient implements ClientMechanism {
  readonly name = 'OAUTHBEARER'
  readonly plaintext = true
  readonly satisfied = true
  readonly #message: string
  #answered: boolean

  constructor(user: string, accessToken: string) {
    this.#answered = false
    this.#message = `n,a=${saslName(user)},\x01auth=Bearer ${accessToken}\x01\x01`
  }

  start(): Uint8Array {
    return Buffer.from(this.#message, 'utf8')
  }

  /** RFC 7628 section 3.2.3: a challenge tells of a failure, and is answered with one kvsep to hear the outcome; once. */
  respond(): Uint8Array | null {
    if (this.#answered) return null
    this.#answered = true
    return Buffer.from('\x01', 'latin1')
  }
}

/** XOAUTH2, which large providers had before RFC 7628: `user=name ^A auth=Bearer token ^A ^A`. */
export class XOAuth2Client implements ClientMechanism {
  readonly name = 'XOAUTH2'
  readonly plaintext = true
  readonly satisfied = true
  readonly #message: string
  #answered: boolean

  constructor(user: string, accessToken: string) {
    this.#answered = false
    this.#message = `user=${user}\x01auth=Bearer ${accessToken}\x01\x01`
  }

  start(): Uint8Array {
    return Buffer.from(this.#message, 'utf8')
  }

  /** A challenge tells of a failure, and is answered with nothing to hear the outcome; once. */
  respond(): Uint8Array | null {
    if (this.#answered) return null
    this.#answered = true
    return Buffer.alloc(0)
  }
}
