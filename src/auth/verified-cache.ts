import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../core/index.js'

/**
 * Remembers for minutes that a password was right, so that a mail program that opens ten connections costs one
 * scrypt. It holds neither passwords nor hashes, only codes under a key that never leaves the process; the stored
 * hash goes into the code, so that a changed password is never remembered.
 */
export class VerifiedCache {
  readonly #clock: Clock
  readonly #lifetimeMs: number
  readonly #entries: number
  readonly #key: Buffer
  readonly #expiries: Map<string, number>

  /** A `lifetimeMs` of 0 remembers nothing. */
  constructor(clock: Clock, lifetimeMs: number, entries: number) {
    this.#clock = clock
    this.#lifetimeMs = lifetimeMs
    this.#entries = entries
    this.#key = randomBytes(32)
    this.#expiries = new Map()
  }

  has(passwordHash: string, user: string, password: string): boolean {
    if (this.#expiries.size === 0) return false
    const code = this.#code(passwordHash, user, password)
    const expiry = this.#expiries.get(code)
    if (expiry === undefined) return false
    if (expiry > this.#clock.now()) return true
    this.#expiries.delete(code)
    return false
  }

  add(passwordHash: string, user: string, password: string): void {
    if (this.#lifetimeMs === 0) return
    const code = this.#code(passwordHash, user, password)
    this.#expiries.delete(code)
    this.#expiries.set(code, this.#clock.now() + this.#lifetimeMs)
    if (this.#expiries.size <= this.#entries) return
    const oldest = this.#expiries.keys().next()
    if (!oldest.done) this.#expiries.delete(oldest.value)
  }

  #code(...parts: readonly string[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64')
  }
}
