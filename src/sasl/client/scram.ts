import { createHash, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { decodeUtf8, EMPTY } from '../../core/bytes.js'
import { saslName } from '../gs2.js'
import { hmac, randomNonce, xor } from '../scram-crypto.js'
import type { ClientMechanism } from './mechanism.js'

/** RFC 7677 section 4 wants at least 4,096; a server that asks for more than a million wants to keep us busy. */
const ITERATIONS = { min: 4096, max: 1_000_000 }
const GS2_HEADER = 'n,,'
const SERVER_FIRST = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,6})(?:,.*)?$/
const SERVER_FINAL = /^v=([A-Za-z0-9+/]+={0,2})(?:,.*)?$/

/**
 * SCRAM-SHA-256, RFC 5802 and RFC 7677: the password is not sent, and the server proves that it knows it too.
 *
 *     client-first-message = gs2-header username "," nonce
 *     client-final-message = channel-binding "," nonce "," proof
 */
export class ScramSha256Client implements ClientMechanism {
  readonly name = 'SCRAM-SHA-256'
  readonly plaintext = false
  readonly #password: string
  readonly #nonce: string
  readonly #firstBare: string
  readonly #header: string
  #serverSignature: Buffer | null
  #satisfied: boolean

  /** `password` prepared as RFC 4013 says; `nonce` is for tests. */
  constructor(user: string, password: string, authorizationId: string, nonce = randomNonce()) {
    this.#password = password
    this.#nonce = nonce
    this.#firstBare = `n=${saslName(user)},r=${nonce}`
    this.#header = authorizationId === '' ? GS2_HEADER : `n,a=${saslName(authorizationId)},`
    this.#serverSignature = null
    this.#satisfied = false
  }

  get satisfied(): boolean {
    return this.#satisfied
  }

  start(): Uint8Array {
    return Buffer.from(this.#header + this.#firstBare, 'utf8')
  }

  respond(challenge: Uint8Array): Uint8Array | null {
    const text = decodeUtf8(challenge)
    if (text === null) return null
    return this.#serverSignature === null ? this.#prove(text) : this.#verify(text, this.#serverSignature)
  }

  #prove(serverFirst: string): Uint8Array | null {
    const [, nonce = '', salt = '', count = ''] = SERVER_FIRST.exec(serverFirst) ?? []
    const iterations = Number(count)
    if (nonce.length <= this.#nonce.length || !nonce.startsWith(this.#nonce)) return null
    if (iterations < ITERATIONS.min || iterations > ITERATIONS.max) return null
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const storedKey = createHash('sha256').update(clientKey).digest()
    const withoutProof = `c=${Buffer.from(this.#header, 'utf8').toString('base64')},r=${nonce}`
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`
    const signature = hmac(storedKey, authMessage)
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), authMessage)
    const proof = xor(clientKey, signature).toString('base64')
    return Buffer.from(`${withoutProof},p=${proof}`, 'utf8')
  }

  #verify(serverFinal: string, expected: Buffer): Uint8Array | null {
    const signature = Buffer.from(SERVER_FINAL.exec(serverFinal)?.[1] ?? '', 'base64')
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return null
    this.#satisfied = true
    return EMPTY
  }
}
