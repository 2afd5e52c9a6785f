import type { Clock, Limits } from '../core/index.js'
import { resolveLimits } from '../core/index.js'
import { prefixesOf } from '../net/index.js'

/** How many failed logins are borne, and how slow they make the next one. */
export const throttleLimits = {
  /** Failures a minute from one address (IPv6: one /64). */
  perAddress: { default: 10, min: 1, max: 1_000_000 },
  /** Failures a minute from an IPv4 /26 or IPv6 /48. */
  perNetwork: { default: 30, min: 1, max: 1_000_000 },
  /** Failures a minute from an IPv4 /21 or IPv6 /32. */
  perBlock: { default: 90, min: 1, max: 1_000_000 },
  /** Failures, of a user or from an address, that cost no delay. */
  freeFailures: { default: 2, min: 0, max: 1000 },
  /** Milliseconds that the first delay takes; each further failure doubles it. */
  firstDelayMs: { default: 250, min: 0, max: 60_000 },
  longestDelayMs: { default: 5000, min: 0, max: 60_000 },
  /** Milliseconds after the last failure until it is forgotten, for the delay. */
  forgetAfterMs: { default: 900_000, min: 1000, max: 86_400_000 },
  /** Users, and addresses, remembered; the ones that failed longest ago are forgotten first. */
  entries: { default: 20_000, min: 100, max: 10_000_000 },
} as const

export type ThrottleLimits = Limits<typeof throttleLimits>

const WINDOW_MS = 60_000

interface Failures {
  count: number
  last: number
}

/** Counts failed logins by network and by user, in bounded memory. */
export class LoginThrottle {
  readonly #limits: ThrottleLimits
  readonly #clock: Clock
  readonly #recent: Map<string, Failures>
  #window: number
  #counts: Map<string, number>

  constructor(clock: Clock, limits: Partial<ThrottleLimits> = {}) {
    this.#limits = resolveLimits(throttleLimits, limits)
    this.#clock = clock
    this.#recent = new Map()
    this.#window = 0
    this.#counts = new Map()
  }

  /** Too many failures came from there in this minute: nothing is checked. */
  isBlocked(remoteAddress: string): boolean {
    this.#turn()
    const { perAddress, perNetwork, perBlock } = this.#limits
    const [address, network, block] = prefixesOf(remoteAddress)
    return (
      this.#reached(address, perAddress) ||
      this.#reached(network, perNetwork) ||
      this.#reached(block, perBlock)
    )
  }

  /** Milliseconds the next check for that user from there has to wait. `user` is null where it cannot exist. */
  delay(remoteAddress: string, user: string | null): number {
    const failures = Math.max(
      this.#failures(addressKey(remoteAddress)),
      user === null ? 0 : this.#failures(userKey(user)),
    )
    const paid = failures - this.#limits.freeFailures
    if (paid <= 0) return 0
    return Math.min(this.#limits.longestDelayMs, this.#limits.firstDelayMs * 2 ** Math.min(30, paid - 1))
  }

  failed(remoteAddress: string, user: string | null): void {
    this.#turn()
    for (const prefix of prefixesOf(remoteAddress)) {
      const count = (this.#counts.get(prefix) ?? 0) + 1
      this.#counts.delete(prefix)
      this.#counts.set(prefix, count)
      forgetOldest(this.#counts, 3 * this.#limits.entries)
    }
    this.#remember(addressKey(remoteAddress))
    if (user !== null) this.#remember(userKey(user))
  }

  /** The user is who they say: their failures are forgotten, those of the address are not. */
  succeeded(user: string): void {
    this.#recent.delete(userKey(user))
  }

  #turn(): void {
    const window = Math.floor(this.#clock.now() / WINDOW_MS)
    if (window === this.#window) return
    this.#window = window
    this.#counts = new Map()
  }

  #reached(prefix: string, limit: number): boolean {
    return (this.#counts.get(prefix) ?? 0) >= limit
  }

  #failures(key: string): number {
    const entry = this.#recent.get(key)
    if (entry === undefined) return 0
    if (this.#clock.now() - entry.last <= this.#limits.forgetAfterMs) return entry.count
    this.#recent.delete(key)
    return 0
  }

  #remember(key: string): void {
    const count = this.#failures(key) + 1
    this.#recent.delete(key)
    this.#recent.set(key, { count, last: this.#clock.now() })
    forgetOldest(this.#recent, 2 * this.#limits.entries)
  }
}

function addressKey(remoteAddress: string): string {
  return `a ${prefixesOf(remoteAddress)[0]}`
}

function userKey(user: string): string {
  return `u ${user}`
}

function forgetOldest<T>(table: Map<string, T>, most: number): void {
  if (table.size <= most) return
  const oldest = table.keys().next()
  if (!oldest.done) table.delete(oldest.value)
}
