/**
 * What a holder may do to a mailbox while others hold it too.
 *
 * - `append`: add messages. - `change`: also flags and expunges; for small steps, which a commit puts in order.
 * - `stable`: nobody else changes the messages that are there; new ones may come. - `exclusive`: nobody else at all.
 */
export type LockMode = 'append' | 'change' | 'stable' | 'exclusive'

const compatible: Readonly<Record<LockMode, readonly LockMode[]>> = {
  append: ['append', 'change', 'stable'],
  change: ['append', 'change'],
  stable: ['append', 'stable'],
  exclusive: [],
}

interface Waiter {
  readonly mode: LockMode
  readonly grant: () => void
}

/** The write lock of one mailbox. First come, first served, so that nobody waits for ever. */
export class MailboxLock {
  readonly #held: Map<LockMode, number>
  readonly #waiting: Waiter[]

  constructor() {
    this.#held = new Map()
    this.#waiting = []
  }

  /** Null where the lock is held at once, else a promise that resolves when it is; `release` gives it back. */
  acquire(mode: LockMode): Promise<void> | null {
    if (this.#waiting.length > 0 || !this.#fits(mode)) {
      return new Promise((resolve) => this.#waiting.push({ mode, grant: resolve }))
    }
    this.#take(mode, 1)
    return null
  }

  release(mode: LockMode): void {
    this.#take(mode, -1)
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.mode); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#take(next.mode, 1)
      next.grant()
    }
  }

  #fits(mode: LockMode): boolean {
    for (const held of this.#held.keys()) if (!compatible[mode].includes(held)) return false
    return true
  }

  #take(mode: LockMode, by: number): void {
    const count = (this.#held.get(mode) ?? 0) + by
    if (count === 0) this.#held.delete(mode)
    else this.#held.set(mode, count)
  }
}
