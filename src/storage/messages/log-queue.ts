import { MailError } from '../../core/index.js'
import { turn } from '../turn.js'
import type { MessageFile } from './files.js'
import { LogSync } from './log-sync.js'
import { placeOf } from './record.js'
import type { Segments } from './segments.js'

/** Octets that are written at once. */
const BATCH = 4 * 1024 * 1024
/** Turns of the event loop for which a batch waits while each brings more. */
const TURNS = 16

interface Waiting {
  readonly cid: number
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
 * The end of the log, where records are appended. What is appended in one turn, and while a write goes on, is written by
 * one call, and synced by one more after it (`sync`) on another thread. Whoever appended goes on as soon as it is
 * written, and tells nobody before it is synced. Records come to the disk in their order: where one is not there, none
 * of those after it was synced.
 *
 * A write that fails fails those who were in it; after a failed sync nothing is known of what is on the disk, and
 * nothing more is taken.
 */
export class LogQueue {
  readonly sync: LogSync
  readonly #segments: Segments
  readonly #segmentSize: number
  #waiting: Waiting[]
  #current: Current | null
  /** While there is something to do. */
  #work: Promise<void> | null
  #closed: boolean
  /** Why a sync has failed. */
  #lost: Error | null

  /** `fatal` is told of a failed sync, and says what everyone is told. */
  constructor(segments: Segments, segmentSize: number, fatal: (error: unknown) => Error) {
    this.sync = new LogSync((error) => {
      this.#lost = fatal(error)
      return this.#lost
    })
    this.#segments = segments
    this.#segmentSize = segmentSize
    this.#waiting = []
    this.#current = null
    this.#work = null
    this.#closed = false
    this.#lost = null
  }

  /**
   * Appends a content's record; resolves with its place when it is written, though perhaps not yet synced. Its segment
   * is then held once more: until the caller lets it go.
   */
  append(cid: number, record: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.reject(new MailError('closed', 'the store is closed'))
    if (this.#lost !== null) return Promise.reject(this.#lost)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ cid, record, resolve, reject })
      this.#work ??= this.#run()
    })
  }

  /** The segment that is written, or 0. */
  get current(): number {
    return this.#current?.number ?? 0
  }

  /** Takes nothing more; resolves when everything that was appended is settled, and synced. */
  async close(): Promise<void> {
    this.#closed = true
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
      if (this.#lost !== null) throw this.#lost
      const current = await this.#withRoom()
      batch = this.#take(current)
      await this.#append(current, batch)
    } catch (error) {
      if (batch.length > 0) await this.#giveBack()
      for (const { reject } of batch) reject(error)
      // Without a segment nobody gets any further, nor after a failed sync.
      if (batch.length === 0 || this.#lost !== null)
        for (const { reject } of this.#waiting.splice(0)) reject(error)
    }
  }

  async #append(current: Current, batch: readonly Waiting[]): Promise<void> {
    const { number, file, end } = current
    await file.write(
      batch.map(({ record }) => record),
      end,
    )
    this.sync.wrote(
      file,
      batch.reduce((lowest, { cid }) => Math.min(lowest, cid), Number.POSITIVE_INFINITY),
    )
    // Nobody refers to a file that may not be there after a power loss.
    if (end === 0) await this.sync.done
    for (const { record, resolve } of batch) {
      this.#segments.hold(number)
      resolve(placeOf(number, current.end))
      current.end += record.length
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
    this.#current = { ...(await this.#segments.create()), end: 0 }
    return this.#current
  }

  /** After a write that failed: takes away what it has left, so that the disk has room; the log goes on elsewhere. */
  async #giveBack(): Promise<void> {
    await this.#current?.file.truncate(this.#current.end).catch(() => undefined)
    await this.#leave()
  }

  /** When all of the segment is synced, so that nothing in the next one is before it is. */
  async #leave(): Promise<void> {
    const current = this.#current
    if (current === null) return
    this.#current = null
    await this.sync.done?.catch(() => undefined)
    this.#segments.doubt(current.number)
    this.#segments.release(current.number)
    await current.file.close().catch(() => undefined)
  }
}
