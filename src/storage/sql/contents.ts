import { MailError } from '../../core/index.js'
import type { Logger } from '../../interfaces/index.js'
import { turn } from '../turn.js'
import type { SqlBody } from './body.js'
import type { CommitQueue, Tx } from './commit-queue.js'
import type { Database } from './database.js'
import { num } from './database.js'
import { MessageBuffers } from './message-buffers.js'

/** Octets of a message up to which it is one row, kept beside its facts. */
export const INLINE = 64 * 1024
/** Octets of a piece of a larger message. */
export const PIECE = 256 * 1024
/** Pieces a content may have; its number times this is the first piece's. */
const PIECES = 65_536
const COLLECT = 256
const COLLECT_MS = 4

/** The octets and facts of messages, shared by all copies, and collected when the last copy is gone. */
export class Contents {
  readonly buffers: MessageBuffers
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #logger: Logger
  /** Contents in use by someone although no mailbox may show them: how often. */
  readonly #held: Map<number, number>
  readonly #dropped: FinalizationRegistry<number>
  #nextCid: number
  #collecting: boolean
  /** Whether there may be contents to collect that the collection under way has passed already. */
  #orphaned: boolean
  #stopped: boolean

  constructor(database: Database, queue: CommitQueue, logger: Logger) {
    this.buffers = new MessageBuffers()
    this.#database = database
    this.#queue = queue
    this.#logger = logger
    this.#held = new Map()
    this.#dropped = new FinalizationRegistry((cid) => this.release(cid))
    this.#nextCid = num(database.row('SELECT coalesce(max(cid), 0) AS cid FROM cref')?.cid) + 1
    this.#collecting = false
    this.#orphaned = false
    this.#stopped = false
  }

  newCid(): number {
    return this.#nextCid++
  }

  /** Keeps a content from being collected until `release`. */
  hold(cid: number): void {
    this.#held.set(cid, (this.#held.get(cid) ?? 0) + 1)
  }

  release(cid: number): void {
    const left = (this.#held.get(cid) ?? 1) - 1
    if (left > 0) {
      this.#held.set(cid, left)
      return
    }
    this.#held.delete(cid)
    if (this.#isOrphan(cid)) this.collectSoon()
  }

  /** True also where that cannot be read: the collection will tell of it. */
  #isOrphan(cid: number): boolean {
    if (this.#stopped) return false
    try {
      return this.#database.row('SELECT n FROM cref WHERE cid = ? AND n = 0', cid) !== undefined
    } catch {
      return true
    }
  }

  /** Holds a stored content for as long as its Body is reachable. */
  holdFor(body: SqlBody, cid: number): void {
    this.#dropped.register(body, cid, body)
  }

  discard(body: SqlBody, cid: number): void {
    this.#dropped.unregister(body)
    this.release(cid)
  }

  /** Within a commit: makes sure the message is stored, counts the new copies, and returns its number. */
  store(tx: Tx, body: SqlBody, copies: number): number {
    const { cid, octets } = body
    if (cid !== null) {
      if (this.#database.run('UPDATE cref SET n = n + ? WHERE cid = ?', copies, cid) === 1) return cid
    }
    if (octets === null) throw new MailError('notFound', 'the message was discarded')
    const fresh = this.newCid()
    this.#database.run('INSERT INTO cref(cid, n) VALUES (?, ?)', fresh, copies)
    this.writeContent(fresh, body.size, 0, body.facts)
    this.#database.run('INSERT INTO body(cid, data) VALUES (?, ?)', fresh, octets)
    tx.onUndo(() => {
      body.cid = cid
    })
    body.cid = fresh
    return fresh
  }

  writeContent(cid: number, size: number, head: number, facts: string): void {
    const sql = 'INSERT INTO content(cid, size, head, facts) VALUES (?, ?, ?, ?)'
    this.#database.run(sql, cid, size, head, facts)
  }

  writePiece(cid: number, piece: number, data: Uint8Array): void {
    this.#database.run('INSERT INTO chunk(id, data) VALUES (?, ?)', cid * PIECES + piece, data)
  }

  /** Octets `from` to `to` of a message, piece by piece, each in a turn of its own. The caller holds the content. */
  async *read(cid: number, from: number, to: number): AsyncGenerator<Uint8Array> {
    const content = this.#database.row(
      `SELECT content.size AS size, head, data FROM content LEFT JOIN body ON body.cid = content.cid
       WHERE content.cid = ?`,
      cid,
    )
    if (content === undefined) throw new MailError('corrupt', 'a message has lost its content')
    const end = Math.min(to, num(content.size))
    const whole = content.data as Uint8Array | null
    if (whole !== null) {
      if (from < end) yield whole.subarray(from, end)
      return
    }
    const head = num(content.head)
    for (let at = from; at < end; ) {
      const piece = at < head ? 0 : Math.floor((at - head) / PIECE) + 1
      const start = piece === 0 ? 0 : head + (piece - 1) * PIECE
      const row = this.#database.row('SELECT data FROM chunk WHERE id = ?', cid * PIECES + piece)
      const data = row?.data as Uint8Array | undefined
      if (data === undefined || data.length <= at - start) {
        throw new MailError('corrupt', 'a message has lost a piece of its octets')
      }
      const part = data.subarray(at - start, Math.min(data.length, end - start))
      at += part.length
      yield part
      if (at < end) await turn()
    }
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

  stop(): void {
    this.#stopped = true
  }

  async #collect(): Promise<void> {
    try {
      while (this.#orphaned && !this.#stopped) {
        this.#orphaned = false
        for (let after: number | null = 0; after !== null && !this.#stopped; ) {
          await turn()
          const from: number = after
          after = await this.#queue.submit(() => this.#collectSome(from), { long: true })
        }
      }
    } finally {
      this.#collecting = false
    }
  }

  /** The number to go on from, or null at the end. */
  #collectSome(after: number): number | null {
    const started = performance.now()
    const database = this.#database
    const orphans = database.all(
      'SELECT cid FROM cref WHERE n = 0 AND cid > ? ORDER BY cid LIMIT ?',
      after,
      COLLECT,
    )
    for (const row of orphans) {
      const cid = num(row.cid)
      if (this.#held.has(cid)) continue
      for (;;) {
        if (performance.now() - started > COLLECT_MS) return cid - 1
        const sql = 'SELECT max(id) AS id FROM chunk WHERE id >= ? AND id < ?'
        const id = database.row(sql, cid * PIECES, (cid + 1) * PIECES)?.id ?? null
        if (id === null) break
        database.run('DELETE FROM chunk WHERE id = ?', id)
      }
      database.run('DELETE FROM body WHERE cid = ?', cid)
      database.run('DELETE FROM content WHERE cid = ?', cid)
      database.run('DELETE FROM cref WHERE cid = ?', cid)
    }
    return orphans.length < COLLECT ? null : num(orphans[COLLECT - 1]?.cid)
  }
}
