import { HEADER, segmentOf } from '../messages/record.js'
import type { Database } from './database.js'

interface Change {
  /** Octets of records that contents refer to. */
  live: number
  /** The same, but for those that no content refers to any more. */
  total: number
}

/** Within a commit: there are more octets in a segment, of which so many are of use. */
export function writeSegment(database: Database, number: number, live: number, total: number): void {
  database.run(
    `INSERT INTO segment(number, live, total) VALUES (?, ?, ?)
     ON CONFLICT(number) DO UPDATE SET live = live + excluded.live, total = total + excluded.total`,
    number,
    live,
    total,
  )
}

/** Within a commit: the octets of contents with a lower number than `from` are on the disk. */
export function writeUnsynced(database: Database, from: number): void {
  database.run("UPDATE meta SET value = ? WHERE key = 'unsynced'", from)
}

/** What changes with a job, or with all jobs of a commit, of the octets that contents refer to. */
export class LogChanges {
  readonly #segments: Map<number, Change>
  /** The octets of contents with a lower number are on the disk; null where no content was added. */
  #unsynced: number | null

  constructor() {
    this.#segments = new Map()
    this.#unsynced = null
  }

  /** Whether there are new contents, whose octets may not be on the disk. */
  get added(): boolean {
    return this.#unsynced !== null
  }

  /**
   * A content refers to a record from now on. Where the record is new, `unsynced` says of which number on the octets of
   * contents may not be on the disk.
   */
  add(place: number, size: number, unsynced: number | null): void {
    this.#add(segmentOf(place), HEADER + size, HEADER + size)
    this.#unsynced = unsynced ?? this.#unsynced
  }

  /** A content refers to a record no more. */
  remove(place: number, size: number): void {
    this.#add(segmentOf(place), -HEADER - size, 0)
  }

  /** What came later. */
  addAll(others: LogChanges): void {
    for (const [number, { live, total }] of others.#segments) this.#add(number, live, total)
    this.#unsynced = others.#unsynced ?? this.#unsynced
  }

  /** Within a commit, once. */
  write(database: Database): void {
    for (const [number, { live, total }] of this.#segments) writeSegment(database, number, live, total)
    if (this.#unsynced !== null) writeUnsynced(database, this.#unsynced)
  }

  #add(number: number, live: number, total: number): void {
    const change = this.#segments.get(number)
    if (change === undefined) {
      this.#segments.set(number, { live, total })
    } else {
      change.live += live
      change.total += total
    }
  }
}
