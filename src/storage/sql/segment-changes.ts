import { HEADER, segmentOf } from '../messages/record.js'
import type { Database } from './database.js'

interface Change {
  /** Octets of records that contents refer to. */
  live: number
  /** The same, but for those that no content refers to any more. */
  total: number
}

/** How much of each segment is of use: what changes of that with a job, or with all jobs of a commit. */
export class SegmentChanges {
  readonly #changes: Map<number, Change>

  constructor() {
    this.#changes = new Map()
  }

  /** A content refers to a record from now on. */
  add(place: number, size: number): void {
    this.#add(segmentOf(place), HEADER + size, HEADER + size)
  }

  /** A content refers to a record no more. */
  remove(place: number, size: number): void {
    this.#add(segmentOf(place), -HEADER - size, 0)
  }

  addAll(others: SegmentChanges): void {
    for (const [number, { live, total }] of others.#changes) this.#add(number, live, total)
  }

  /** Within a commit, once. */
  write(database: Database): void {
    for (const [number, { live, total }] of this.#changes) {
      database.run(
        `INSERT INTO segment(number, live, total) VALUES (?, ?, ?)
         ON CONFLICT(number) DO UPDATE SET live = live + excluded.live, total = total + excluded.total`,
        number,
        live,
        total,
      )
    }
  }

  #add(number: number, live: number, total: number): void {
    const change = this.#changes.get(number)
    if (change === undefined) {
      this.#changes.set(number, { live, total })
    } else {
      change.live += live
      change.total += total
    }
  }
}
