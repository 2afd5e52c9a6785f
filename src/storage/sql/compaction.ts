import type { Logger } from '../../interfaces/index.js'
import type { Appended } from '../messages/log-queue.js'
import type { MessageLog } from '../messages/message-log.js'
import { HEADER, placeOf, readHeader, segmentOf } from '../messages/record.js'
import { pause, turn } from '../turn.js'
import type { CommitQueue } from './commit-queue.js'
import type { Database } from './database.js'
import { num } from './database.js'

/** Octets of a segment that are read, and of which what is of use is appended again, at once. */
const SLICE = 256 * 1024
/** Milliseconds between two slices, so that the disk is there for others. */
const PAUSE = 5
/** Segments that are given up by one commit. */
const MOST = 256

/** A record of the segment that is compacted, as it stands there. */
interface OldRecord {
  readonly cid: number
  readonly size: number
  readonly place: number
  /** With its header. */
  readonly octets: Uint8Array
}

/**
 * Gives back the space of what is gone. A segment of no use is given up; of one that is mostly of no use, what is still
 * of use is appended to the log again, a slice at a time, and then a commit says where it is now. The octets are on the
 * disk in both places until that commit is, so that it may end at any point.
 */
export class Compaction {
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #log: MessageLog
  readonly #logger: Logger
  /** Segments that could not be compacted; not tried again by this process. */
  readonly #broken: Set<number>
  #running: Promise<void> | null
  /** Whether to look once more. */
  #again: boolean
  readonly #stop: AbortController

  constructor(database: Database, queue: CommitQueue, log: MessageLog, logger: Logger) {
    this.#database = database
    this.#queue = queue
    this.#log = log
    this.#logger = logger
    this.#broken = new Set()
    this.#running = null
    this.#again = false
    this.#stop = new AbortController()
  }

  /** Looks for something to do, unless it is being done. */
  soon(): void {
    this.#again = true
    if (this.#stop.signal.aborted) return
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) {
          this.#logger.log('warn', 'storage.compactionFailed', { error: String(error) })
        }
      })
      .finally(() => {
        this.#running = null
        if (this.#again) this.soon()
      })
  }

  /** Leaves what is not done to the next start. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    await turn()
    this.#again = false
    while (!this.#stop.signal.aborted) {
      const { empty, sparse } = this.#find()
      if (empty.length > 0) await this.#giveUp(empty)
      else if (sparse !== null) await this.#compact(sparse)
      else return
      await pause(PAUSE, this.#stop.signal)
    }
  }

  /** Segments of no use, and one that is mostly of no use. The one that is written will be looked at later. */
  #find(): { readonly empty: readonly number[]; readonly sparse: number | null } {
    const rows = this.#database
      .all(
        `SELECT number, live FROM segment INDEXED BY sparse WHERE total >= live * 2 AND number <> ?
         ORDER BY live LIMIT ${MOST}`,
        this.#log.queue.current,
      )
      .map((row) => ({ number: num(row.number), live: num(row.live) }))
    return {
      empty: rows.filter(({ live }) => live === 0).map(({ number }) => number),
      sparse: rows.find(({ number, live }) => live > 0 && !this.#broken.has(number))?.number ?? null,
    }
  }

  async #giveUp(numbers: readonly number[]): Promise<void> {
    const sql = 'DELETE FROM segment WHERE live = 0 AND number IN (SELECT value FROM json_each(?))'
    await this.#queue.submit(() => this.#database.run(sql, JSON.stringify(numbers)), { long: true })
    for (const number of numbers) this.#log.segments.doubt(number)
  }

  async #compact(number: number): Promise<void> {
    const { segments } = this.#log
    segments.hold(number)
    try {
      for (let at = 0; !this.#stop.signal.aborted; ) {
        const records = await this.#read(number, at)
        if (records.length === 0) return this.#checkEmpty(number)
        await this.#move(records)
        at = records.reduce((end, { octets }) => end + octets.length, at)
        await pause(PAUSE, this.#stop.signal)
      }
    } finally {
      segments.release(number)
    }
  }

  /** After all of a segment has been read. */
  #checkEmpty(number: number): void {
    const live = this.#database.row('SELECT live FROM segment WHERE number = ?', number)?.live ?? 0
    if (live === 0) return
    this.#broken.add(number)
    this.#logger.log('error', 'storage.messagesLost', { segment: number, octets: num(live) })
  }

  /** The whole records from `at` on; none at the end, and none where the file cannot be read. */
  async #read(number: number, at: number): Promise<readonly OldRecord[]> {
    try {
      return await this.#readSlice(number, at)
    } catch (error) {
      this.#logger.log('error', 'storage.readFailed', { segment: number, error: String(error) })
      return []
    }
  }

  async #readSlice(number: number, at: number): Promise<readonly OldRecord[]> {
    const { segments } = this.#log
    let slice = Buffer.allocUnsafeSlow(SLICE)
    let length = await segments.read(number, slice, at)
    const first = readHeader(slice.subarray(0, length), 0)
    if (first !== null && HEADER + first.size > length) {
      slice = Buffer.allocUnsafeSlow(HEADER + first.size)
      length = await segments.read(number, slice, at)
    }
    const records: OldRecord[] = []
    for (let start = 0; start < length; ) {
      const header = readHeader(slice.subarray(0, length), start)
      const end = start + HEADER + (header?.size ?? 0)
      if (header === null || end > length) break
      records.push({ ...header, place: placeOf(number, at + start), octets: slice.subarray(start, end) })
      start = end
    }
    return records
  }

  /** Appends those that are still of use, and has the database say so. */
  async #move(records: readonly OldRecord[]): Promise<void> {
    const live = this.#live(records)
    if (live.length === 0) return
    const moves: { readonly record: OldRecord; readonly appended: Appended }[] = []
    try {
      const appended = await Promise.allSettled(
        live.map(async ({ cid, octets }) => this.#log.queue.append(cid, octets, () => undefined)),
      )
      appended.forEach((each, i) => {
        if (each.status === 'fulfilled') moves.push({ record: live[i] as OldRecord, appended: each.value })
      })
      const failed = appended.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
      await this.#log.queue.syncNow()
      const lost = moves.find(({ appended: { lost } }) => lost !== null)
      if (lost !== undefined) throw lost.appended.lost
      await this.#queue.submit(
        (tx) => {
          for (const { record, appended } of moves) {
            const { place } = appended
            // It may have been collected meanwhile.
            const sql = 'UPDATE content SET place = ? WHERE cid = ? AND place = ?'
            if (this.#database.run(sql, place, record.cid, record.place) === 0) continue
            tx.log.remove(record.place, record.size)
            tx.log.add(place, record.size, null)
          }
        },
        { long: true },
      )
    } finally {
      for (const { appended } of moves) this.#log.segments.release(segmentOf(appended.place))
    }
  }

  #live(records: readonly OldRecord[]): readonly OldRecord[] {
    const rows = this.#database.all(
      `SELECT place FROM json_each(?) AS j JOIN content ON content.cid = j.value->>0
       WHERE content.place = j.value->>1`,
      JSON.stringify(records.map(({ cid, place }) => [cid, place])),
    )
    const places = new Set(rows.map((row) => num(row.place)))
    return records.filter(({ place }) => places.has(place))
  }
}
