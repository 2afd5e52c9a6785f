import { MailError } from '../core/index.js'
import type { Changes, Flags, MailboxStatus, Snapshot, Uids } from '../interfaces/index.js'
import type { FlagTable } from './flags.js'
import { SEEN } from './flags.js'

const LAST_UID = 2 ** 32 - 1
/** UIDs that the log of recent changes names before its oldest entries are dropped. */
const LOG_SIZE = 16_384

/** What is known of a mailbox without its messages. */
export interface MailboxHeader {
  uidValidity: number
  uidNext: number
  highestModSeq: number
  messages: number
  unseen: number
  size: number
  /** Messages from this UID on have been shown as `\Recent` to no session. */
  recentUid: number
  recent: number
  /** Expunges up to this mod-sequence are forgotten. */
  floor: number
}

/** What is kept in memory of every message, in parallel arrays by ascending UID. */
export interface Columns {
  uids: number[]
  flags: Flags[]
  modSeqs: number[]
  /** The mod-sequence each message came with; ascends, since UIDs and mod-sequences are given out together. */
  created: number[]
  sizes: number[]
}

/** A change of flags that is decided. */
export interface FlagChange {
  readonly uid: number
  readonly flags: Flags
}

/** What a setFlags will do: `modified` have a higher mod-sequence than asked for, `missing` are not there. */
export interface FlagPlan {
  readonly changes: readonly FlagChange[]
  readonly modified: Uids
  readonly missing: Uids
}

/** A message that comes into a mailbox. */
export interface Arrival {
  readonly flags: Flags
  readonly size: number
}

interface LogEntry {
  readonly modSeq: number
  readonly uids: Uids
}

/** The header a new mailbox begins with. Mod-sequence 1 is that of the empty mailbox. */
export function newHeader(uidValidity: number): MailboxHeader {
  return {
    uidValidity,
    uidNext: 1,
    highestModSeq: 1,
    messages: 0,
    unseen: 0,
    size: 0,
    recentUid: 1,
    recent: 0,
    floor: 0,
  }
}

/** The first index in an ascending array whose value is at least `value`. */
export function lowerBound(ascending: readonly number[], value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * One mailbox in memory, shared by all sessions that have it open. The arrays of a snapshot are the columns themselves
 * until the next change, which copies them once however many sessions hold that snapshot.
 */
export class MailboxState {
  readonly header: MailboxHeader
  readonly table: FlagTable
  #columns: Columns | null
  #snapshot: Snapshot | null
  #uidsShared: boolean
  #marksShared: boolean
  #log: LogEntry[]
  #logged: number
  #logFloor: number

  constructor(header: MailboxHeader, table: FlagTable, columns: Columns | null) {
    this.header = header
    this.table = table
    this.#columns = columns
    this.#snapshot = null
    this.#uidsShared = false
    this.#marksShared = false
    this.#log = []
    this.#logged = 0
    this.#logFloor = header.highestModSeq
  }

  /** Null while the messages are not in memory. To be read only. */
  get columns(): Readonly<Columns> | null {
    return this.#columns
  }

  /** Puts the columns in (`load`), or out of memory (null). */
  setColumns(columns: Columns | null): void {
    this.#columns = columns
    this.#snapshot = null
    this.#uidsShared = false
    this.#marksShared = false
    this.#log = []
    this.#logged = 0
    this.#logFloor = this.header.highestModSeq
    if (columns !== null) this.table.prune(columns.flags)
  }

  /** A copy to try changes on; takes no part in sharing. */
  fork(): MailboxState {
    const columns = this.#columns
    const copy =
      columns === null
        ? null
        : {
            uids: columns.uids.slice(),
            flags: columns.flags.slice(),
            modSeqs: columns.modSeqs.slice(),
            created: columns.created.slice(),
            sizes: columns.sizes.slice(),
          }
    return new MailboxState({ ...this.header }, this.table, copy)
  }

  get status(): MailboxStatus {
    const { messages, recent, unseen, uidNext, uidValidity, highestModSeq, size } = this.header
    return { messages, recent, unseen, uidNext, uidValidity, highestModSeq, size }
  }

  /** The index of a UID in the columns, or -1. */
  indexOf(uid: number): number {
    const { uids } = this.#loaded()
    const index = lowerBound(uids, uid)
    return uids[index] === uid ? index : -1
  }

  /** Those of the UIDs that are there. Ascending input, ascending output. */
  present(wanted: Uids): number[] {
    const { uids } = this.#loaded()
    const found: number[] = []
    let index = lowerBound(uids, wanted[0] ?? 0)
    for (const uid of wanted) {
      if (uids[index] !== uid) index = lowerBound(uids, uid)
      if (uids[index] === uid) {
        found.push(uid)
        index++
      }
    }
    return found
  }

  /** The flags at an index of the columns. */
  flagsAt(index: number): Flags {
    return this.#loaded().flags[index] as Flags
  }

  /** The size at an index of the columns. */
  sizeAt(index: number): number {
    return this.#loaded().sizes[index] as number
  }

  /**
   * What a change of flags does, before it is done. `operand` is of this mailbox's table. Messages whose flags stay
   * as they are are not among the changes.
   */
  planFlags(
    wanted: Uids,
    mode: 'add' | 'remove' | 'replace',
    operand: Flags,
    unchangedSince = Number.POSITIVE_INFINITY,
  ): FlagPlan {
    const { uids, flags, modSeqs } = this.#loaded()
    const combined = new Map<Flags, Flags>()
    const plan: { changes: FlagChange[]; modified: number[]; missing: number[] } = {
      changes: [],
      modified: [],
      missing: [],
    }
    let index = lowerBound(uids, wanted[0] ?? 0)
    for (const uid of wanted) {
      if (uids[index] !== uid) index = lowerBound(uids, uid)
      if (uids[index] !== uid) {
        plan.missing.push(uid)
        continue
      }
      if ((modSeqs[index] as number) > unchangedSince) {
        plan.modified.push(uid)
      } else {
        const before = flags[index] as Flags
        let after = combined.get(before)
        if (after === undefined) {
          after = this.table.combine(before, mode, operand)
          combined.set(before, after)
        }
        if (after !== before) plan.changes.push({ uid, flags: after })
      }
      index++
    }
    return plan
  }

  /** Throws MailError `limit` where no UID is left for so many messages. */
  checkRoom(count: number): void {
    if (this.header.uidNext + count - 1 > LAST_UID)
      throw new MailError('limit', 'the mailbox has no UID left')
  }

  /** Adds messages at UIDs from `uidNext` on, and advances it. */
  append(arrivals: readonly Arrival[], modSeq: number): void {
    const { header } = this
    const columns = this.#columns
    if (columns !== null) this.#own()
    const uids: number[] = []
    for (const { flags, size } of arrivals) {
      if (columns !== null) {
        columns.uids.push(header.uidNext)
        columns.flags.push(flags)
        columns.modSeqs.push(modSeq)
        columns.created.push(modSeq)
        columns.sizes.push(size)
      }
      uids.push(header.uidNext)
      header.uidNext++
      header.messages++
      header.recent++
      header.size += size
      if (this.#unseen(flags)) header.unseen++
    }
    this.#changed(modSeq, uids)
  }

  /** Goes back to a header kept from before messages were appended and the commit failed. */
  takeBack(header: MailboxHeader): void {
    Object.assign(this.header, header)
    const { messages } = header
    const columns = this.#columns
    if (columns === null) return
    this.#own()
    for (const column of [columns.uids, columns.flags, columns.modSeqs, columns.created, columns.sizes]) {
      column.length = messages
    }
    this.#logFloor = header.highestModSeq
    this.#log = []
    this.#logged = 0
  }

  /** Removes messages that are all there. */
  expunge(gone: Uids, modSeq: number): void {
    const columns = this.#loaded()
    this.#own()
    const { header } = this
    const { uids, flags, modSeqs, created, sizes } = columns
    let write = lowerBound(uids, gone[0] ?? 0)
    let next = 0
    for (let read = write; read < uids.length; read++) {
      const uid = uids[read] as number
      if (uid === gone[next]) {
        next++
        header.messages--
        header.size -= sizes[read] as number
        if (uid >= header.recentUid) header.recent--
        if (this.#unseen(flags[read] as Flags)) header.unseen--
        continue
      }
      uids[write] = uid
      flags[write] = flags[read] as Flags
      modSeqs[write] = modSeqs[read] as number
      created[write] = created[read] as number
      sizes[write] = sizes[read] as number
      write++
    }
    for (const column of [uids, flags, modSeqs, created, sizes]) column.length = write
    this.#changed(modSeq, gone)
  }

  /** Puts flags on messages that are all there; `changes` ascend by UID. */
  setFlags(changes: readonly FlagChange[], modSeq: number): void {
    const columns = this.#loaded()
    this.#ownMarks()
    const uids: number[] = []
    let index = lowerBound(columns.uids, changes[0]?.uid ?? 0)
    for (const { uid, flags } of changes) {
      if (columns.uids[index] !== uid) index = lowerBound(columns.uids, uid)
      const before = columns.flags[index] as Flags
      this.header.unseen += Number(this.#unseen(flags)) - Number(this.#unseen(before))
      columns.flags[index] = flags
      columns.modSeqs[index] = modSeq
      uids.push(uid)
      index++
    }
    if (this.table.crowded(columns.uids.length)) this.table.prune(columns.flags)
    this.#changed(modSeq, uids)
  }

  /** The mailbox now. The same object until something changes. */
  snapshot(): Snapshot {
    if (this.#snapshot !== null) return this.#snapshot
    const { uids, flags, modSeqs } = this.#loaded()
    const { uidValidity, uidNext, highestModSeq } = this.header
    this.#uidsShared = true
    this.#marksShared = true
    this.#snapshot = {
      uidValidity,
      uidNext,
      highestModSeq,
      uids,
      flags,
      modSeqs,
      keywords: this.table.keywords,
    }
    return this.#snapshot
  }

  /** What happened after `since`, from the log of recent changes; null where the log does not reach so far back. */
  recentChanges(since: number): Changes | null {
    if (since < this.#logFloor) return null
    let first = this.#log.length
    while (first > 0 && (this.#log[first - 1] as LogEntry).modSeq > since) first--
    const touched = this.#log.slice(first).flatMap((entry) => entry.uids)
    return this.#classify(since, [...new Set(touched)].sort(ascending))
  }

  /** What happened after `since`, from the columns, and from the expunged UIDs, which the caller looked up. */
  changesWith(since: number, expunged: Uids): Changes {
    const { uids, modSeqs } = this.#loaded()
    const touched = new Set(expunged)
    for (let i = 0; i < uids.length; i++) if ((modSeqs[i] as number) > since) touched.add(uids[i] as number)
    return this.#classify(since, [...touched].sort(ascending))
  }

  #classify(since: number, touched: Uids): Changes {
    const columns = this.#loaded()
    const added: Changes['added'][number][] = []
    const flags: Changes['flags'][number][] = []
    const vanished: number[] = []
    for (const uid of touched) {
      const index = this.indexOf(uid)
      if (index === -1) {
        vanished.push(uid)
        continue
      }
      const change = { uid, flags: columns.flags[index] as Flags, modSeq: columns.modSeqs[index] as number }
      if ((columns.created[index] as number) > since) added.push(change)
      else flags.push(change)
    }
    return { added, flags, vanished, upTo: Math.max(since, this.header.highestModSeq) }
  }

  #unseen(flags: Flags): boolean {
    return (this.table.codeOf(flags).mask & SEEN) === 0
  }

  #changed(modSeq: number, uids: Uids): void {
    this.#snapshot = null
    this.header.highestModSeq = modSeq
    if (this.#columns === null) {
      this.#logFloor = modSeq
      return
    }
    this.#log.push({ modSeq, uids })
    this.#logged += uids.length
    if (this.#logged > 2 * LOG_SIZE) this.#trimLog()
  }

  /** The newest entry always stays, so that no session has to look up what has only just been told to it. */
  #trimLog(): void {
    let drop = 0
    while (drop < this.#log.length - 1 && this.#logged > LOG_SIZE) {
      const entry = this.#log[drop++] as LogEntry
      this.#logged -= entry.uids.length
      this.#logFloor = entry.modSeq
    }
    // Entries of one commit share a mod-sequence and go together.
    while (drop < this.#log.length && (this.#log[drop] as LogEntry).modSeq <= this.#logFloor) {
      this.#logged -= (this.#log[drop++] as LogEntry).uids.length
    }
    this.#log.splice(0, drop)
  }

  #own(): void {
    const columns = this.#loaded()
    if (this.#uidsShared) columns.uids = columns.uids.slice()
    this.#uidsShared = false
    this.#ownMarks()
  }

  #ownMarks(): void {
    const columns = this.#loaded()
    this.#snapshot = null
    if (!this.#marksShared) return
    columns.flags = columns.flags.slice()
    columns.modSeqs = columns.modSeqs.slice()
    this.#marksShared = false
  }

  #loaded(): Columns {
    if (this.#columns === null) throw new Error('the columns of the mailbox are not in memory')
    return this.#columns
  }
}

function ascending(a: number, b: number): number {
  return a - b
}
