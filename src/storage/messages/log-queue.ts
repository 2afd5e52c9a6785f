import { MailError } from '../../core/index.js'
import type { MessageFile } from './files.js'
import { LogSync } from './log-sync.js'
import { placeOf } from './record.js'
import type { Segments } from './segments.js'

/** Octets of records that wait to be written, at most but for the last of them. */
const BATCH = 256 * 1024

/** A record to be appended. */
interface NewRecord {
  readonly cid: number
  /** Header and octets. */
  readonly record: Uint8Array
  /** Called when they are needed no more. */
  readonly done: () => void
}

/** A record that has its place, though it may not have been written yet. */
export interface Appended {
  readonly place: number
  /** Why it could not be written; null where it was, or may be. */
  lost: unknown
}

/** What is to be written. */
interface Pending {
  readonly appended: Appended
  readonly record: NewRecord
}

/** A record for which there was no segment. */
interface Waiting {
  readonly record: NewRecord
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
}

/** The segment that is written. */
interface Current {
  readonly number: number
  readonly file: MessageFile
  /** Where the next octets are written. */
  written: number
  /** Where the next record goes: after those that wait to be written. */
  end: number
}

/**
 * The end of the log, where records are appended. A record has its place at once, and is written when somebody needs it
 * (`flush`), together with all others that came meanwhile; then one sync brings them to the disk (`syncNow`), on another
 * thread. Nobody is told of a message before that. Records come to the disk in their order: where one is not there, none
 * of those after it was synced.
 *
 * A write that fails loses every record that was in it, and the log goes on in another segment; after a failed sync
 * nothing is known of what is on the disk, and nothing more is taken.
 */
export class LogQueue {
  readonly sync: LogSync
  readonly #segments: Segments
  readonly #segmentSize: number
  #current: Current | null
  #pending: Pending[]
  #pendingOctets: number
  /** The lowest number of a content whose record is pending. */
  #pendingFrom: number
  #waiting: Waiting[]
  /** While there is no segment, and one is made. */
  #work: Promise<void> | null
  /** The segments that were left after a failed write, until the last of them is let go. */
  #givenUp: Promise<void>
  /** The lowest number that the segment may have that is made. */
  #nextNumber: number | null
  #closed: boolean
  /** Why a sync has failed. */
  #failure: Error | null

  /** `fatal` is told of a failed sync, and says what everyone is told. */
  constructor(segments: Segments, segmentSize: number, fatal: (error: unknown) => Error) {
    this.sync = new LogSync((error) => {
      this.#failure = fatal(error)
      return this.#failure
    })
    this.#segments = segments
    this.#segmentSize = segmentSize
    this.#current = null
    this.#pending = []
    this.#pendingOctets = 0
    this.#pendingFrom = Number.POSITIVE_INFINITY
    this.#waiting = []
    this.#work = null
    this.#givenUp = Promise.resolve()
    this.#nextNumber = null
    this.#closed = false
    this.#failure = null
  }

  /**
   * Appends a content's record, and gives its place. Its segment is then held once more: until the caller lets it go.
   * `done` is called when the record is needed no more.
   */
  append(cid: number, octets: Uint8Array, done: () => void): Appended | Promise<Appended> {
    if (this.#closed) return Promise.reject(new MailError('closed', 'the store is closed'))
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const record: NewRecord = { cid, record: octets, done }
    const current = this.#work === null ? this.#current : null
    if (current !== null && current.end < this.#segmentSize) return this.#put(current, record)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject })
      this.#work ??= this.#renew()
    })
  }

  /** The octets of contents with a lower number are on the disk. */
  get syncedBelow(): number {
    return Math.min(this.sync.from, this.#pendingFrom)
  }

  /**
   * Writes what waits to be written, and `redo` behind it. False, and nothing is done, where there is no room for
   * `redo`. Throws where they cannot be written.
   */
  flush(redo?: Uint8Array): boolean {
    const current = this.#current
    if (current === null) return redo === undefined
    if (redo !== undefined && current.end + redo.length > this.#segmentSize) return false
    const pending = this.#pending
    if (pending.length === 0 && redo === undefined) return true
    const from = this.#pendingFrom
    this.#pending = []
    this.#pendingOctets = 0
    this.#pendingFrom = Number.POSITIVE_INFINITY
    const pieces = pending.map(({ record }) => record.record)
    if (redo !== undefined) pieces.push(redo)
    try {
      current.file.writeNow(pieces, current.written)
    } catch (error) {
      for (const { appended } of pending) appended.lost = error
      this.#giveUp(current)
      throw error
    } finally {
      for (const { record } of pending) record.done()
    }
    current.end += redo?.length ?? 0
    current.written = current.end
    this.sync.wrote(current.file, from)
    return true
  }

  /** Before a segment is read: whoever needs a record that could not be written, is told of it elsewhere. */
  writeFor(segment: number): void {
    if (segment === this.current) this.#tryFlush()
  }

  /** Writes what waits, and resolves when all that has been written is on the disk; null where it is. */
  syncNow(): Promise<void> | null {
    this.flush()
    return this.sync.now()
  }

  /** Where the next record goes, or before that. */
  get end(): number {
    const current = this.#current
    return current === null
      ? placeOf(this.#nextNumber ?? this.#segments.next, 0)
      : placeOf(current.number, Math.min(current.end, this.#segmentSize - 1))
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
    await this.#givenUp
  }

  #put(current: Current, record: NewRecord): Appended {
    const { cid, record: octets } = record
    const appended: Appended = { place: placeOf(current.number, current.end), lost: null }
    current.end += octets.length
    this.#segments.hold(current.number)
    this.#pending.push({ appended, record })
    this.#pendingOctets += octets.length
    this.#pendingFrom = Math.min(this.#pendingFrom, cid)
    if (this.#pendingOctets >= BATCH) this.#tryFlush()
    return appended
  }

  /** Where it fails, whoever has a record that is lost is told when he needs it. */
  #tryFlush(): void {
    try {
      this.flush()
    } catch {
      // As said.
    }
  }

  /** Gives those their places who wait, in one new segment after another. */
  async #renew(): Promise<void> {
    while (this.#waiting.length > 0) {
      try {
        if (this.#failure !== null) throw this.#failure
        await this.#begin(await this.#create())
      } catch (error) {
        // Without a segment nobody gets any further, nor after a failed sync.
        for (const { record, reject } of this.#waiting.splice(0)) {
          record.done()
          reject(error)
        }
      }
    }
    this.#work = null
  }

  /** The first record of a segment; then the others. */
  async #begin(current: Current): Promise<void> {
    const { record, resolve, reject } = this.#waiting.shift() as Waiting
    const appended = this.#put(current, record)
    try {
      // Nobody refers to a file that may not be there after a power loss.
      await this.syncNow()
      resolve(appended)
    } catch (error) {
      this.#segments.release(current.number)
      reject(error)
      throw error
    }
    this.#fill(current)
  }

  /** Gives those their places who wait, as far as there is room. */
  #fill(current: Current): void {
    while (this.#current === current && current.end < this.#segmentSize) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      next.resolve(this.#put(current, next.record))
    }
  }

  /** A new segment after the one that is left. */
  async #create(): Promise<Current> {
    await this.#leave()
    this.#nextNumber ??= this.#segments.next
    const current = { ...(await this.#segments.create()), written: 0, end: 0 }
    this.#current = current
    this.#nextNumber = null
    return current
  }

  /** When all of the segment is synced, so that nothing in the next one is before it is. */
  async #leave(): Promise<void> {
    this.#tryFlush()
    const current = this.#current
    if (current === null) return
    this.#current = null
    await this.sync.now()?.catch(() => undefined)
    await this.#letGo(current)
  }

  /**
   * After a write that failed: takes away what it has left, so that the disk has room; the log goes on elsewhere. What
   * was written before is synced: the next sync is of another file.
   */
  #giveUp(current: Current): void {
    this.#current = null
    const earlier = this.#givenUp
    const synced = this.sync.now()?.catch(() => undefined)
    this.#givenUp = current.file
      .truncate(current.written)
      .catch(() => undefined)
      .then(() => synced)
      .then(() => this.#letGo(current))
      .then(() => earlier)
  }

  async #letGo({ number, file }: Current): Promise<void> {
    this.#segments.doubt(number)
    this.#segments.release(number)
    await file.close().catch(() => undefined)
  }
}
