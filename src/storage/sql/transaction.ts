import type { LogQueue } from '../messages/log-queue.js'
import type { Database } from './database.js'
import { writeSegment } from './log-changes.js'
import { packRedo, readStanding, redoRecord, unpackRedo, writeStanding } from './redo.js'

/** Octets of a redo record, at most; what is more than that is committed in SQLite. */
const MOST_RECORD = 64 * 1024

/**
 * SQLite's transaction. Where there is a log for redo records it stays open over many commits, each of which is good with
 * its record; whoever reads sees them all, as the same connection does. Else each commit is one of SQLite's.
 *
 * After an error SQLite may have given up the transaction: then it is made again from the records.
 */
export class Transaction {
  readonly #database: Database
  readonly #log: LogQueue
  /** Whether redo records are written. */
  readonly #redo: boolean
  readonly #store: number
  /** The number of the last commit. */
  #commit: number
  /** The redo records of the commits that SQLite has not committed. */
  #kept: string[]
  #octets: number
  /** Their octets, by the segments they are in. */
  readonly #segments: Map<number, number>
  /** The database's count of failures when the transaction was known to be whole. */
  #failures: number
  /** Whether there may be a record in the log that was never of use: there is no other before SQLite has committed. */
  #doubtful: boolean

  /** `log` has the octets of messages and, with `redo`, redo records. */
  constructor(database: Database, log: LogQueue, redo: boolean) {
    const { store, commit } = readStanding(database)
    this.#database = database
    this.#log = log
    this.#redo = redo
    this.#store = store
    this.#commit = commit
    this.#kept = []
    this.#octets = 0
    this.#segments = new Map()
    this.#failures = database.failures
    this.#doubtful = false
  }

  /** Octets of redo records whose commits SQLite has not committed. */
  get octets(): number {
    return this.#octets
  }

  /** Begins a commit. */
  begin(): void {
    this.#makeWhole()
    if (this.#kept.length === 0) this.#database.control('BEGIN IMMEDIATE')
    this.#database.forget()
  }

  /** Ends a commit; whether it is good when the log is synced. Else SQLite has committed it. */
  end(long: boolean): boolean {
    const { runs } = this.#database
    if (runs.length === 0 && this.#kept.length > 0) return true
    if (runs.length === 0) {
      this.#database.control('COMMIT')
      return false
    }
    if (this.#redo && !long && !this.#doubtful && this.#writeRedo()) return true
    this.#commitAll(this.#commit + 1)
    return false
  }

  /** Takes back what was done since `begin`. Throws where that cannot be done now: whoever comes next tries again. */
  takeBack(): void {
    this.#database.repair = null
    this.#database.rollback()
    try {
      if (this.#kept.length > 0) this.#database.control('BEGIN IMMEDIATE')
      for (const text of this.#kept) for (const run of unpackRedo(text).runs) this.#database.rerun(run)
      this.#failures = this.#database.failures
    } catch (error) {
      this.#database.rollback()
      this.#database.repair = () => this.takeBack()
      throw error
    }
  }

  /** Has SQLite commit what it has not; between two commits. Where that fails, all is as it was. */
  flush(): void {
    if (this.#kept.length === 0) return
    this.#makeWhole()
    try {
      this.#commitAll(this.#commit)
    } catch (error) {
      this.takeBack()
      throw error
    }
  }

  #makeWhole(): void {
    const { repair, failures } = this.#database
    if (this.#kept.length > 0 && (repair !== null || failures !== this.#failures)) this.takeBack()
  }

  /** False where there is no room for it. */
  #writeRedo(): boolean {
    const commit = this.#commit + 1
    const text = packRedo({ store: this.#store, commit, runs: this.#database.runs })
    if (text.length > MOST_RECORD) return false
    const record = redoRecord(text)
    const segment = this.#log.current
    try {
      if (!this.#log.flush(record)) return false
    } catch (error) {
      // All of it may have been written: its number is not given again.
      this.#commit = commit
      this.#doubtful = true
      throw error
    }
    this.#commit = commit
    this.#kept.push(text)
    this.#octets += record.length
    this.#segments.set(segment, (this.#segments.get(segment) ?? 0) + record.length)
    return true
  }

  #commitAll(commit: number): void {
    this.#log.flush()
    if (this.#redo) writeStanding(this.#database, { commit, place: this.#log.end })
    for (const [segment, octets] of this.#segments) writeSegment(this.#database, segment, 0, octets)
    this.#database.control('COMMIT')
    this.#commit = commit
    this.#kept = []
    this.#octets = 0
    this.#segments.clear()
    this.#doubtful = false
  }
}
