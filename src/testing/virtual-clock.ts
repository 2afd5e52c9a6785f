import type { Clock } from '../core/clock.js'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** A clock that stands still until it is told to go on, so that a test of a five-minute timeout takes no time. */
export class VirtualClock implements Clock {
  #now: number
  #sleepers: Sleeper[]

  /** `start` in milliseconds since 1970; the default is 2026-01-01T00:00:00Z. */
  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start
    this.#sleepers = []
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      const aborted = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason as Error)
      }
      const sleeper: Sleeper = {
        at: this.#now + ms,
        wake: () => {
          signal?.removeEventListener('abort', aborted)
          resolve()
        },
      }
      signal?.addEventListener('abort', aborted, { once: true })
      this.#sleepers.push(sleeper)
    })
  }

  /** Moves the time on by `ms` and wakes whoever's sleep is over, in order, letting each act before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      let next: Sleeper | undefined
      for (const sleeper of this.#sleepers) {
        if (sleeper.at <= end && (next === undefined || sleeper.at < next.at)) next = sleeper
      }
      if (next === undefined) break
      const woken = next
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== woken)
      this.#now = Math.max(this.#now, woken.at)
      woken.wake()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#now = end
  }
}
