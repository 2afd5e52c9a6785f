import { isLoopback, prefixesOf } from './address.js'

export interface ConnectionLimitOptions {
  /** Connections at the same time from one address (one /64), from its /24 (/48), from its /16 (/32). */
  readonly byPrefix?: readonly [number, number, number]
  /** Connections at the same time from everywhere. */
  readonly total?: number
}

/** Counts connections by address and network, so that no stranger takes them all. Loopback counts towards the total only. */
export class ConnectionLimits {
  readonly #byPrefix: readonly [number, number, number]
  readonly #total: number
  readonly #counts: Map<string, number>
  #open: number

  constructor(options: ConnectionLimitOptions = {}) {
    this.#byPrefix = options.byPrefix ?? [30, 90, 270]
    this.#total = options.total ?? 10_000
    this.#counts = new Map()
    this.#open = 0
  }

  /** Counts a connection from `address` in, and returns how to count it out again; null where it is one too many. */
  admit(address: string): (() => void) | null {
    if (this.#open >= this.#total) return null
    const prefixes = isLoopback(address) || address === '' ? [] : prefixesOf(address)
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
}
