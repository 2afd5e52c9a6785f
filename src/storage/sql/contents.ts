import type { Logger } from '../../interfaces/index.js'
import type { Appended } from '../messages/log-queue.js'
import type { MessageLog } from '../messages/message-log.js'
import { segmentOf } from '../messages/record.js'
import { turn } from '../turn.js'
import { SqlBody } from './body.js'
import type { CommitQueue, Tx } from './commit-queue.js'
import { Compaction } from './compaction.js'
import type { Database } from './database.js'
import { num } from './database.js'
import { writeUnsynced } from './log-changes.js'
import { removeUnfinished } from './recovery.js'
import { readStanding } from './redo.js'

/** Contents that are collected by one commit. */
const COLLECT = 256

/**
 * The facts of messages and where their octets are, shared by all copies. They are collected when the last copy is
 * gone; a segment is removed when no content is in it, and nobody holds it.
 */
export class Contents {
  readonly log: MessageLog
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #logger: Logger
  readonly #compaction: Compaction
  /** Segments of bodies that nobody can reach any more, and that were not discarded. */
  readonly #dropped: FinalizationRegistry<number>
  #nextCid: number
  /** Whether contents have been inserted. */
  #inserted: boolean
  #collecting: boolean
  /** Whether there may be contents to collect that the collection under way has passed already. */
  #orphaned: boolean
  /** Removals that go on. */
  readonly #removals: Set<Promise<void>>
  #stopped: boolean
  #closed: boolean

  constructor(database: Database, queue: CommitQueue, log: MessageLog, logger: Logger) {
    this.#database = database
    this.#queue = queue
    this.#logger = logger
    this.log = log
    this.#compaction = new Compaction(database, queue, this.log, logger)
    this.#dropped = new FinalizationRegistry((segment) => this.#drop(segment))
    this.#nextCid = num(database.row('SELECT coalesce(max(cid), 0) AS cid FROM content')?.cid) + 1
    this.#inserted = false
    this.#collecting = false
    this.#orphaned = false
    this.#removals = new Set()
    this.#stopped = false
    this.#closed = false
  }

  /** Before anyone has a mailbox: removes what a crash has left, and begins to collect. */
  async start(): Promise<void> {
    const rows = this.#database.all('SELECT number FROM segment')
    const known = new Set(rows.map((row) => num(row.number)))
    const missing = await this.log.segments.start(known, segmentOf(readStanding(this.#database).place))
    if (missing.length > 0) {
      this.#logger.log('error', 'storage.messagesMissing', {
        segments: missing.length,
        advice: 'restore mail.db and messages together',
      })
    } else {
      const messages = await removeUnfinished(this.#database, this.#queue, this.log.segments)
      if (messages > 0) this.#logger.log('warn', 'storage.unfinishedRemoved', { messages })
    }
    this.collectSoon()
    this.#compaction.soon()
  }

  newCid(): number {
    return this.#nextCid++
  }

  /** The Body of a record whose segment is held for it. */
  bodyOf(cid: number, size: number, facts: string, appended: Appended): SqlBody {
    const body = new SqlBody(this, cid, size, facts, appended)
    this.#dropped.register(body, segmentOf(body.place), body)
    return body
  }

  letGo(body: SqlBody): void {
    this.#dropped.unregister(body)
    this.#drop(segmentOf(body.place))
  }

  /** Perhaps nothing in the segment was appended, or nothing is left of it. */
  #drop(segment: number): void {
    this.log.segments.doubt(segment)
    this.log.segments.release(segment)
  }

  /** Within a commit: makes sure the message is stored, counts the new copies, and returns its number. */
  store(tx: Tx, body: SqlBody, copies: number): number {
    const database = this.#database
    const { cid, size, place, lost } = body
    if (lost !== null) throw lost
    if (body.stored && database.row('SELECT cid FROM content WHERE cid = ?', cid) !== undefined) {
      database.run(
        'INSERT INTO cref(cid, n) VALUES (?, 1 + ?) ON CONFLICT(cid) DO UPDATE SET n = n + excluded.n - 1',
        cid,
        copies,
      )
      database.run('DELETE FROM cref WHERE n = 1')
      return cid
    }
    database.run(
      'INSERT INTO content(cid, size, place, facts) VALUES (?, ?, ?, ?)',
      cid,
      size,
      place,
      body.facts,
    )
    if (copies !== 1) database.run('INSERT INTO cref(cid, n) VALUES (?, ?)', cid, copies)
    tx.log.add(place, size, Math.min(this.log.queue.syncedBelow, this.#nextCid))
    body.stored = true
    this.#inserted = true
    return cid
  }

  /** Collects contents that nobody has any more, a few at a time, between other people's commits. */
  collectSoon(): void {
    this.#orphaned = true
    if (this.#collecting || this.#stopped) return
    this.#collecting = true
    this.#collect().catch((error: unknown) => {
      // They stay orphans, and the next collection finds them.
      if (!this.#stopped) this.#logger.log('warn', 'storage.collectFailed', { error: String(error) })
    })
  }

  /** Leaves what is not collected to the next start; before the queue is closed. */
  async close(): Promise<void> {
    this.#stopped = true
    await this.#compaction.close()
    await this.log.close()
    await this.#allSynced()
    await Promise.all(this.#removals)
    this.#closed = true
  }

  /** So that the next start has nothing to look at. */
  async #allSynced(): Promise<void> {
    if (!this.#inserted) return
    // Where it fails, the next start looks at the last few contents, and finds them sound.
    await this.#queue.submit(() => writeUnsynced(this.#database, this.#nextCid)).catch(() => undefined)
  }

  async #collect(): Promise<void> {
    try {
      while (this.#orphaned && !this.#stopped) {
        this.#orphaned = false
        let collected = COLLECT
        while (collected === COLLECT && !this.#stopped) {
          await turn()
          collected = await this.#queue.submit((tx) => this.#collectSome(tx), { long: true })
        }
      }
    } finally {
      this.#collecting = false
      this.#compaction.soon()
    }
  }

  /** Within a commit: how many were collected. */
  #collectSome(tx: Tx): number {
    const database = this.#database
    const orphans = database.all(
      `SELECT content.cid AS cid, size, place FROM cref JOIN content ON content.cid = cref.cid
       WHERE n = 0 LIMIT ${COLLECT}`,
    )
    if (orphans.length === 0) return 0
    for (const row of orphans) tx.log.remove(num(row.place), num(row.size))
    const cids = JSON.stringify(orphans.map((row) => num(row.cid)))
    database.run('DELETE FROM content WHERE cid IN (SELECT value FROM json_each(?))', cids)
    database.run('DELETE FROM cref WHERE cid IN (SELECT value FROM json_each(?))', cids)
    return orphans.length
  }

  /** The segment that nobody holds, where no content is in it. */
  removeUnused(segment: number): void {
    if (this.#closed) return
    const removal = this.#remove(segment)
      .catch((error: unknown) => {
        // It is found at the next start.
        this.#logger.log('warn', 'storage.removeFailed', { segment, error: String(error) })
      })
      .finally(() => this.#removals.delete(removal))
    this.#removals.add(removal)
  }

  /**
   * Once it is on the disk that no content refers to the segment, and that no redo record in it is needed. Nobody can
   * then come to hold it again.
   */
  async #remove(segment: number): Promise<void> {
    // What is settled may be its redo records, which the database then knows of.
    if (!this.#knows(segment)) await this.#queue.settle()
    if (this.#knows(segment)) this.#compaction.soon()
    else await this.log.segments.remove(segment)
  }

  #knows(segment: number): boolean {
    return this.#database.row('SELECT number FROM segment WHERE number = ?', segment) !== undefined
  }
}
