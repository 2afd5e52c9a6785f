import { MailError } from '../../core/index.js'
import type {
  Changes,
  Mailbox,
  MailboxId,
  MessageInfo,
  MessageWant,
  Snapshot,
  Uids,
} from '../../interfaces/index.js'
import type { StoredRecord } from '../messages/read-records.js'
import { readRecord, readRecords } from '../messages/read-records.js'
import { segmentOf } from '../messages/record.js'
import { turn } from '../turn.js'
import type { CommitQueue } from './commit-queue.js'
import type { Contents } from './contents.js'
import type { Database } from './database.js'
import { num, text } from './database.js'
import type { SqlRow } from './driver.js'
import { toMailError } from './errors.js'
import { readFacts } from './facts-text.js'
import type { SqlMailbox } from './sql-mailbox-state.js'

/** Messages of a block: it begins with few and goes on with as many as take about this long. */
const BLOCK = { first: 64, most: 500, ms: 4, octets: 1024 * 1024 }

/** What a session's handle needs of the store. */
export interface MailboxDeps {
  readonly database: Database
  readonly queue: CommitQueue
  readonly contents: Contents
  readonly folder: string | null
  /** MailError `closed` once the store is shut. */
  check(): void
}

/** One session's handle on a mailbox. */
export class SqlMailboxHandle implements Mailbox {
  readonly id: MailboxId
  readonly name: string
  readonly uidValidity: number
  readonly readOnly: boolean
  readonly #box: SqlMailbox
  readonly #deps: MailboxDeps
  readonly #letGo: () => void
  #closed: boolean

  constructor(box: SqlMailbox, name: string, readOnly: boolean, deps: MailboxDeps, letGo: () => void) {
    this.id = box.id
    this.name = name
    this.uidValidity = box.state.header.uidValidity
    this.readOnly = readOnly
    this.#box = box
    this.#deps = deps
    this.#letGo = letGo
    this.#closed = false
  }

  async snapshot(): Promise<Snapshot> {
    await this.#load()
    const snapshot = this.#box.state.snapshot()
    await this.#deps.queue.durable()
    return snapshot
  }

  async *messages(uids: Uids, want: MessageWant): AsyncGenerator<readonly MessageInfo[]> {
    let block = BLOCK.first
    for (let start = 0; start < uids.length; ) {
      if (start > 0) await turn()
      await this.#load()
      const began = performance.now()
      const slice = this.#slice(uids, start, block, want)
      start += slice.length
      const infos = this.#guard(() => this.#infos(this.#box.state.present(slice), want))
      const ms = performance.now() - began
      if (ms > 2 * BLOCK.ms) block = Math.max(16, block >> 1)
      else if (ms < BLOCK.ms) block = Math.min(BLOCK.most, block << 1)
      if (infos.length > 0) yield await this.#withBodies(infos)
    }
  }

  async *read(uid: number, from = 0, to = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    await this.#load()
    const [found] = this.#box.state.has(uid)
      ? this.#guard(() => this.#infos([uid], { bodyUpTo: Number.MAX_SAFE_INTEGER }))
      : []
    if (found === undefined || found.record === null) throw new MailError('expunged', 'the message is gone')
    const { segments } = this.#deps.contents.log
    const segment = segmentOf(found.record.place)
    segments.hold(segment)
    try {
      yield* readRecord(segments, found.record, from, to)
    } catch (error) {
      throw toMailError(error, this.#deps.folder)
    } finally {
      segments.release(segment)
    }
  }

  async changes(since: number): Promise<Changes | 'expired'> {
    await this.#load()
    const changes = await this.#changes(since)
    await this.#deps.queue.durable()
    return changes
  }

  async #changes(since: number): Promise<Changes | 'expired'> {
    const { state } = this.#box
    if (since < state.header.floor) return 'expired'
    const recent = state.recentChanges(since)
    if (recent !== null) return recent
    try {
      const changes = await state.olderChanges(since, () =>
        this.#box.expungedSince(this.#deps.database, since),
      )
      // Tombstones may have been forgotten while they were read.
      return since < state.header.floor ? 'expired' : changes
    } catch (error) {
      throw toMailError(error, this.#deps.folder)
    }
  }

  async claimRecent(): Promise<number> {
    await this.#load()
    const box = this.#box
    const { header } = box.state
    if (this.readOnly || header.recentUid === header.uidNext) return header.recentUid
    return this.#deps.queue.submit((tx) => {
      box.check()
      const { recentUid } = header
      box.mark(tx)
      header.recentUid = header.uidNext
      header.recent = 0
      return recentUid
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#letGo()
  }

  /** As many UIDs as make a block; with bodies, no more than their octets allow. */
  #slice(uids: Uids, start: number, block: number, want: MessageWant): Uids {
    if (want.bodyUpTo === undefined) return uids.slice(start, start + block)
    const { state } = this.#box
    let octets = 0
    let end = start
    while (end < uids.length && end < start + block && octets < BLOCK.octets) {
      const size = state.sizeOf(uids[end++] as number)
      if (size <= want.bodyUpTo) octets += size
    }
    return uids.slice(start, end)
  }

  /** With the records of bodies that are wanted. */
  #infos(uids: Uids, want: MessageWant): readonly Found[] {
    const facts = want.facts === true
    const upTo = want.bodyUpTo
    const rows = this.#deps.database.all(
      `SELECT m.uid AS uid, m.date AS date, m.size AS size, m.cid AS cid${facts ? ', c.facts AS facts' : ''}
        ${upTo === undefined ? '' : ', c.place AS place'}
       FROM json_each(?) AS j CROSS JOIN msg AS m ON m.mailbox = ? AND m.uid = j.value
       ${facts || upTo !== undefined ? 'LEFT JOIN content AS c ON c.cid = m.cid' : ''}`,
      JSON.stringify(uids),
      this.#box.row,
    )
    return rows.map((row) => ({ info: infoOf(row), record: recordOf(row, upTo) }))
  }

  /** The same, with the bodies. */
  async #withBodies(found: readonly Found[]): Promise<readonly MessageInfo[]> {
    const records = found.flatMap(({ record }) => record ?? [])
    if (records.length === 0) return found.map(({ info }) => info)
    const { segments } = this.#deps.contents.log
    for (const { place } of records) segments.hold(segmentOf(place))
    try {
      const bodies = await readRecords(segments, records)
      return found.map(({ info, record }) =>
        record === null ? info : { ...info, body: bodies.get(record.cid) ?? null },
      )
    } catch (error) {
      throw toMailError(error, this.#deps.folder)
    } finally {
      for (const { place } of records) segments.release(segmentOf(place))
    }
  }

  #guard<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw toMailError(error, this.#deps.folder)
    }
  }

  async #load(): Promise<void> {
    this.#deps.check()
    if (this.#closed) throw new MailError('closed', 'the mailbox is closed')
    this.#box.check()
    while (this.#box.state.loaded === null) await this.#box.load(this.#deps.database, this.#deps.folder)
  }
}

/** What is known of a message, and where its octets are, if they are wanted. */
interface Found {
  readonly info: MessageInfo
  readonly record: StoredRecord | null
}

function infoOf({ uid, size, date, facts = null }: SqlRow): MessageInfo {
  return {
    uid: num(uid),
    size: num(size),
    internalDate: num(date),
    facts: facts === null ? null : readFacts(text(facts)),
    body: null,
  }
}

function recordOf({ cid, size, place }: SqlRow, upTo: number | undefined): StoredRecord | null {
  if (upTo === undefined || num(size) > upTo) return null
  if (place === null) throw new MailError('corrupt', 'a message has lost its content')
  return { cid: num(cid), size: num(size), place: num(place) }
}
