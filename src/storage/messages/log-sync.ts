import type { MessageFile } from './files.js'

/** Of which content octets may not be on the disk, where all of them are. */
const NOBODY = Number.POSITIVE_INFINITY

/** A sync that goes on. */
interface Running {
  /** The lowest number of a content whose octets it will have synced. */
  readonly from: number
}

/**
 * The syncs of the log, each begun when somebody needs it (`now`), also while others go on. It takes all that was
 * written when it began.
 */
export class LogSync {
  readonly #fatal: (error: unknown) => Error
  /** What was written to since the last sync began, and the lowest number of a content that is in there. */
  #written: MessageFile | null
  #writtenFrom: number
  readonly #running: Set<Running>
  /** Ends with the last of them. */
  #ended: Promise<void> | null

  /** `fatal` is told of a sync that failed, which is the last, and says what everyone is told. */
  constructor(fatal: (error: unknown) => Error) {
    this.#fatal = fatal
    this.#written = null
    this.#writtenFrom = NOBODY
    this.#running = new Set()
    this.#ended = null
  }

  /** The octets of contents with a lower number are on the disk. */
  get from(): number {
    let lowest = this.#writtenFrom
    for (const { from } of this.#running) lowest = Math.min(lowest, from)
    return lowest
  }

  /** After a write to `file` of contents with numbers from `cid` on, if of any. */
  wrote(file: MessageFile, cid = NOBODY): void {
    this.#written = file
    this.#writtenFrom = Math.min(this.#writtenFrom, cid)
  }

  /** Resolves when all that has been written is on the disk; null where it is. */
  now(): Promise<void> | null {
    const file = this.#written
    if (file === null) return this.#ended
    const running = { from: this.#writtenFrom }
    this.#written = null
    this.#writtenFrom = NOBODY
    this.#running.add(running)
    this.#ended = this.#sync(file, running, this.#ended)
    // Whoever waits hears of a failure; perhaps nobody does.
    this.#ended.catch(() => undefined)
    return this.#ended
  }

  /** A failure of the one before may be told to that one alone. */
  async #sync(file: MessageFile, running: Running, before: Promise<void> | null): Promise<void> {
    try {
      await Promise.all([file.sync(), before])
    } catch (error) {
      throw this.#fatal(error)
    }
    this.#running.delete(running)
    if (this.#running.size === 0 && this.#written === null) this.#ended = null
  }
}
