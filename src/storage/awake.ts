/** Milliseconds for which the event loop is kept awake at most; where waits usually take longer, it is not at all. */
const MOST = 1
/** How much of what a wait took goes into what they usually take. */
const SHARE = 1 / 8

/**
 * Waits for other threads with the event loop awake. A loop that has gone to sleep is woken late, by as much as a good
 * disk takes for a sync, and later yet on a virtual machine. So for a millisecond it turns instead, and does what else
 * there is to do; not where such waits usually take longer than that.
 */
export class Awake {
  readonly #most: number
  /** Milliseconds. */
  #usual: number
  #waits: number
  #until: number
  #turning: boolean

  /** `most` in milliseconds. */
  constructor(most = MOST) {
    this.#most = most
    this.#usual = 0
    this.#waits = 0
    this.#until = 0
    this.#turning = false
  }

  /** What the work gives, or why it fails. */
  async wait<T>(work: Promise<T>): Promise<T> {
    const began = performance.now()
    this.#waits++
    if (this.#usual < this.#most) this.#turnUntil(began + this.#most)
    try {
      return await work
    } finally {
      this.#waits--
      this.#usual += (performance.now() - began - this.#usual) * SHARE
    }
  }

  #turnUntil(until: number): void {
    this.#until = until
    if (this.#turning) return
    this.#turning = true
    const turn = (): void => {
      this.#turning = this.#waits > 0 && performance.now() < this.#until
      if (this.#turning) setImmediate(turn)
    }
    setImmediate(turn)
  }
}
