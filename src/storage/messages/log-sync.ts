import type { MessageFile } from './files.js'

/** Of which content octets may not be on the disk, where all of them are. */
const NOBODY = Number.POSITIVE_INFINITY

/**
 * The syncs of the log, one after another. Each takes all that was written when it began: what is written while it goes
 * on is for the next, which begins when it has ended.
 */
export class LogSync {
  readonly #fatal: (error: unknown) => Error
  #running: Promise<void> | null
  #next: Promise<void> | null
  /** The lowest number of a content whose octets the running one, and the next one, will have synced. */
  #runningFrom: number
  #nextFrom: number

  /** `fatal` is told of a sync that failed, which is the last, and says what everyone is told. */
  constructor(fatal: (error: unknown) => Error) {
    this.#fatal = fatal
    this.#running = null
    this.#next = null
    this.#runningFrom = NOBODY
    this.#nextFrom = NOBODY
  }

  /** Resolves when all that has been written is on the disk; null where it is. */
  get done(): Promise<void> | null {
    return this.#next ?? this.#running
  }

  /** The octets of contents with a lower number are on the disk. */
  get from(): number {
    return Math.min(this.#runningFrom, this.#nextFrom)
  }

  /** After a write to `file` of contents with numbers from `cid` on: they are synced as soon as may be. */
  wrote(file: MessageFile, cid: number): void {
    this.#nextFrom = Math.min(this.#nextFrom, cid)
    if (this.#next !== null) return
    this.#next = this.#sync(file, this.#running)
    // Whoever waits hears of it; perhaps nobody does.
    this.#next.catch(() => undefined)
  }

  async #sync(file: MessageFile, before: Promise<void> | null): Promise<void> {
    await before
    this.#running = this.#next
    this.#next = null
    this.#runningFrom = this.#nextFrom
    this.#nextFrom = NOBODY
    try {
      await file.sync()
    } catch (error) {
      throw this.#fatal(error)
    }
    this.#running = null
    this.#runningFrom = NOBODY
  }
}
