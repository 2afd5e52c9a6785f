import { MailError } from '../../core/index.js'
import { turn } from '../turn.js'
import type { MessageFile } from './files.js'
import { placeOf } from './record.js'
import type { Segments } from './segments.js'

/** Octets that are written and synced at once. */
const BATCH = 4 * 1024 * 1024
/** Turns of the event loop for which a batch waits while each brings more. */
const TURNS = 16

interface Waiting {
  /** Header and octets. */
  readonly record: Uint8Array
  readonly resolve: (place: number) => void
  readonly reject: (error: unknown) => void
}

/** The segment that is written. */
interface Current {
  readonly number: number
  readonly file: MessageFile
  /** Where the next record goes. */
  end: number
}

/**
 * The end of the log, where records are appended. What is appended in one turn, and while a sync goes on, is written by
 * one call and synced by one more, both on another thread. A write that fails fails those who were in it; after a
 * failed sync nothing is known of what is on the disk, and nothing more is taken.
 */
export class LogQueue {
  readonly #segments: Segments
  readonly #segmentSize: number
  readonly #fatal: (error: unknown) => Error
  #waiting: Waiting[]
  #current: Current | null
  /** While there is something to do. */
  #work: Promise<void> | null
  /** Why nothing more is taken. */
  #failure: Error | null
  /** Whether a sync has failed. */
  #lost: boolean

  /** `fatal` is told of a failed sync, and says what everyone is told. */
  constructor(segments: Segments, segmentSize: number, fatal: (error: unknown) => Error) {
    this.#segments = segments
    this.#segmentSize = segmentSize
    this.#fatal = fatal
    this.#waiting = []
    this.#current = null
    this.#work = null
    this.#failure = null
    this.#lost = false
  }

  /**
   * Appends a record; resolves with its place when it is on the disk. Its segment is then held once more: until the
   * caller lets it go.
   */
  append(record: Uint8Array): Promise<number> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject })
      this.#work ??= this.#run()
    })
  }

  /** The segment that is written, or 0. */
  get current(): number {
    return this.#current?.number ?? 0
  }

  /** Takes nothing more; resolves when everything that was appended is settled. */
  async close(): Promise<void> {
    this.#failure ??= new MailError('closed', 'the store is closed')
    await this.#work
    await this.#leave()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      // While others still come, they share the write.
      let seen = 0
      for (let turns = 0; turns < TURNS && seen < this.#waiting.length; turns++) {
        seen = this.#waiting.length
        await turn()
      }
      await this.#write()
    }
    this.#work = null
  }

  async #write(): Promise<void> {
    let batch: readonly Waiting[] = []
    try {
      const current = await this.#withRoom()
      batch = this.#take(current)
      await current.file.write(
        batch.map(({ record }) => record),
        current.end,
      )
      await this.#sync(current.file)
      for (const { record, resolve } of batch) {
        this.#segments.hold(current.number)
        resolve(placeOf(current.number, current.end))
        current.end += record.length
      }
    } catch (error) {
      if (batch.length > 0) await this.#giveBack()
      for (const { reject } of batch) reject(error)
      // Without a segment nobody gets any further, nor after a failed sync.
      if (batch.length === 0 || this.#lost) for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
  }

  async #sync(file: MessageFile): Promise<void> {
    try {
      await file.sync()
    } catch (error) {
      this.#lost = true
      this.#failure = this.#fatal(error)
      throw this.#failure
    }
  }

  /** As many as go in one batch, and begin within the segment. */
  #take({ end }: Current): readonly Waiting[] {
    const most = Math.min(BATCH, this.#segmentSize - end)
    let octets = 0
    let count = 0
    for (; count < this.#waiting.length && octets < most; count++) {
      octets += (this.#waiting[count] as Waiting).record.length
    }
    return this.#waiting.splice(0, count)
  }

  /** The segment that is written, or a new one after it. */
  async #withRoom(): Promise<Current> {
    if (this.#current !== null && this.#current.end < this.#segmentSize) return this.#current
    await this.#leave()
    this.#current = { ...(await this.#segments.create('log')), end: 0 }
    return this.#current
  }

  /** After a write that failed: takes away what it has left, so that the disk has room; the log goes on elsewhere. */
  async #giveBack(): Promise<void> {
    await this.#current?.file.truncate(this.#current.end).catch(() => undefined)
    await this.#leave()
  }

  async #leave(): Promise<void> {
    const current = this.#current
    if (current === null) return
    this.#current = null
    this.#segments.doubt(current.number)
    this.#segments.release(current.number)
    // All of it is on the disk.
    await current.file.close().catch(() => undefined)
  }
}
