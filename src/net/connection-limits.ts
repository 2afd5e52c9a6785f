import { isLoopback } from './address.js'
import { prefixesOf } from './prefixes.js'

export interface ConnectionLimitOptions {
  /** Connections at the same time from one address (one /64), from its /26 (/48), from its /21 (/32). */
  readonly byPrefix?: readonly [number, number, number]
  /** New connections a minute from each of the same; without limit by default. */
  readonly perMinute?: readonly [number, number, number]
  /** Connections at the same time from everywhere. */
  readonly total?: number
}

const MINUTE = 60_000
/** Networks whose new connections are counted at most; beyond it the minute begins anew for all. */
const MOST_COUNTED = 100_000

/** Counts connections by address and network, so that no stranger takes them all. Loopback counts towards the total only. */
export class ConnectionLimits {
  readonly #byPrefix: readonly [number, number, number]
  readonly #perMinute: readonly [number, number, number] | null
  readonly #total: number
  readonly #counts: Map<string, number>
  readonly #recent: Map<string, number>
  #minute: number
  #open: number

  constructor(options: ConnectionLimitOptions = {}) {
    this.#byPrefix = options.byPrefix ?? [30, 90, 270]
    this.#perMinute = options.perMinute ?? null
    this.#total = options.total ?? 10_000
    this.#counts = new Map()
    this.#recent = new Map()
    this.#minute = 0
    this.#open = 0
  }

  /**
   * Counts a connection from `address` in, and returns how to count it out again; null where it is one too many. `now` is
   * in milliseconds.
   */
  admit(address: string, now: number = Date.now()): (() => void) | null {
    if (this.#open >= this.#total) return null
    const prefixes = isLoopback(address) || address === '' ? [] : prefixesOf(address)
    if (!this.#inRate(prefixes, now)) return null
    for (const [index, prefix] of prefixes.entries()) {
      if ((this.#counts.get(prefix) ?? 0) >= (this.#byPrefix[index] as number)) return null
    }
    this.#open++
    for (const prefix of prefixes) this.#counts.set(prefix, (this.#counts.get(prefix) ?? 0) + 1)
    let counted = true
    return () => {
      if (!counted) return
      counted = false
      this.#open--
      for (const prefix of prefixes) {
        const left = (this.#counts.get(prefix) ?? 1) - 1
        if (left === 0) this.#counts.delete(prefix)
        else this.#counts.set(prefix, left)
      }
    }
  }

  /** Counts a new connection, which those that are refused count as too; false where it is one too many of its minute. */
  #inRate(prefixes: readonly string[], now: number): boolean {
    const most = this.#perMinute
    if (most === null) return true
    const minute = Math.floor(now / MINUTE)
    if (minute !== this.#minute || this.#recent.size > MOST_COUNTED) {
      this.#minute = minute
      this.#recent.clear()
    }
    let inRate = true
    for (const [index, prefix] of prefixes.entries()) {
      const count = (this.#recent.get(prefix) ?? 0) + 1
      this.#recent.set(prefix, count)
      if (count > (most[index] as number)) inRate = false
    }
    return inRate
  }
}
