import { MailError } from '../../core/index.js'
import type { MailboxId, Uids } from '../../interfaces/index.js'
import { Columns } from '../columns.js'
import type { MailboxState } from '../mailbox-state.js'
import { turn } from '../turn.js'
import type { Watchers } from '../watchers.js'
import type { Tx } from './commit-queue.js'
import type { Database } from './database.js'
import { num, text } from './database.js'
import { toMailError } from './errors.js'
import { MailboxLock } from './mailbox-lock.js'

/** Rows read at once into the columns: some three milliseconds. */
const SLICE = 4_000

/** A mailbox of the database, once in memory however many sessions have it open. */
export class SqlMailbox {
  readonly id: MailboxId
  readonly row: number
  readonly state: MailboxState
  readonly lock: MailboxLock
  readonly watchers: Watchers
  /** Set once its rows are given up; every use then says `notFound`. */
  removed: boolean
  /** By task: what is expunged, with tombstones that are still to be written. */
  readonly draining: Map<number, { readonly modSeq: number; readonly uids: Uids }>
  #loading: Promise<void> | null
  #writtenKeywords: readonly string[]

  constructor(row: number, state: MailboxState, watchers: Watchers) {
    this.id = String(row)
    this.row = row
    this.state = state
    this.lock = new MailboxLock()
    this.watchers = watchers
    this.removed = false
    this.draining = new Map()
    this.#loading = null
    this.#writtenKeywords = state.table.keywords
  }

  /** MailError `notFound` when it has been removed. */
  check(): void {
    if (this.removed) throw new MailError('notFound', 'the mailbox was removed')
  }

  /** Begins a change in a commit: the header goes with it, or goes back. Returns the change's mod-sequence. */
  touch(tx: Tx): number {
    const known = tx.modSeqs.get(this)
    if (known !== undefined) return known
    const before = { ...this.state.header }
    const modSeq = before.highestModSeq + 1
    tx.modSeqs.set(this, modSeq)
    tx.onUndo(() => this.state.takeBack(before))
    return modSeq
  }

  /** Begins a change of the header alone, which has no mod-sequence of its own. */
  mark(tx: Tx): void {
    if (tx.modSeqs.has(this)) return
    const before = { ...this.state.header }
    tx.modSeqs.set(this, before.highestModSeq)
    tx.onUndo(() => this.state.takeBack(before))
  }

  /** To be called before a change to messages that are there: it cannot be taken back, but read again. */
  spoil(tx: Tx): void {
    tx.onUndo(() => this.state.setColumns(null))
  }

  /** Brings the columns into memory, in slices. */
  load(database: Database, folder: string | null): Promise<void> {
    if (this.state.loaded !== null) return Promise.resolve()
    this.#loading ??= this.#load(database, folder).finally(() => {
      this.#loading = null
    })
    return this.#loading
  }

  async #load(database: Database, folder: string | null): Promise<void> {
    const columns = new Columns()
    try {
      // Rows from `uidNext` on are of a copy that is not committed as a whole.
      while (this.#loadSlice(database, columns) === SLICE) await turn()
    } catch (error) {
      throw toMailError(error, folder)
    }
    this.state.setColumns(columns)
  }

  #loadSlice(database: Database, columns: Columns): number {
    const row = database.row(
      `SELECT json_group_array(uid) AS uids, json_group_array(modSeq) AS modSeqs, json_group_array(created) AS created,
        json_group_array(size) AS sizes, json_group_array(flags) AS flags, json_group_array(more) AS more
       FROM (SELECT * FROM msg WHERE mailbox = ? AND uid > ? AND uid < ? ORDER BY uid LIMIT ${SLICE})`,
      this.row,
      columns.lastUid,
      this.state.header.uidNext,
    )
    if (row === undefined) return 0
    const uids = JSON.parse(text(row.uids)) as number[]
    const modSeqs = JSON.parse(text(row.modSeqs)) as number[]
    const created = JSON.parse(text(row.created)) as number[]
    const sizes = JSON.parse(text(row.sizes)) as number[]
    const masks = JSON.parse(text(row.flags)) as number[]
    const more = JSON.parse(text(row.more)) as string[]
    for (let i = 0; i < uids.length; i++) {
      const flags = this.state.table.decode(masks[i] as number, more[i] as string)
      columns.push(uids[i] as number, flags, modSeqs[i] as number, created[i] as number, sizes[i] as number)
    }
    return uids.length
  }

  /** Part of every commit that touched the mailbox, once for all its changes. */
  writeHeader(database: Database): void {
    const { header, table } = this.state
    database.run(
      `UPDATE mailbox SET uidNext = ?, highestModSeq = ?, messages = ?, unseen = ?, size = ?, recentUid = ?,
        recent = ?, floor = ? WHERE id = ?`,
      header.uidNext,
      header.highestModSeq,
      header.messages,
      header.unseen,
      header.size,
      header.recentUid,
      header.recent,
      header.floor,
      this.row,
    )
    if (table.keywords === this.#writtenKeywords) return
    database.run('UPDATE mailbox SET keywords = ? WHERE id = ?', JSON.stringify(table.keywords), this.row)
  }

  /** After the commit. `keywords` are those the commit wrote. */
  committed(keywords: readonly string[]): void {
    this.#writtenKeywords = keywords
    this.watchers.tell(this.id)
  }

  /** Expunged UIDs after `since` from the tombstones. MailError on a failing disk. */
  async expungedSince(database: Database, since: number): Promise<number[]> {
    const uids: number[] = []
    let after = { modSeq: since, low: Number.MAX_SAFE_INTEGER }
    for (;;) {
      const rows = database.all(
        `SELECT modSeq, low, high FROM expunged WHERE mailbox = ? AND (modSeq, low) > (?, ?)
         ORDER BY modSeq, low LIMIT 1000`,
        this.row,
        after.modSeq,
        after.low,
      )
      for (const row of rows) for (let uid = num(row.low); uid <= num(row.high); uid++) uids.push(uid)
      const last = rows[999]
      if (last === undefined) break
      after = { modSeq: num(last.modSeq), low: num(last.low) }
      await turn()
    }
    for (const { modSeq, uids: pending } of this.draining.values()) {
      if (modSeq > since) for (const uid of pending) uids.push(uid)
    }
    return uids
  }
}
