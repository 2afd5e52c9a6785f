import { MailError } from '../core/index.js'
import type { Changes, Flags, MailboxStatus, Snapshot, Uids } from '../interfaces/index.js'
import type { Columns } from './columns.js'
import type { FlagTable } from './flags.js'
import { SEEN } from './flags.js'
import { turn } from './turn.js'

const LAST_UID = 2 ** 32 - 1
/** UIDs that the log of recent changes names before its oldest entries are dropped. */
const LOG_SIZE = 16_384
/** Changes put together in one turn of the event loop. */
const SLICE = 8_192

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

/** A change of flags; `modSeq` is 0 until it is made. */
export interface FlagChange {
  readonly uid: number
  modSeq: number
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

/**
 * One mailbox in memory, shared by all sessions that have it open. Without columns (they are read when someone needs
 * them) it still takes appends.
 */
export class MailboxState {
  readonly header: MailboxHeader
  readonly table: FlagTable
  #columns: Columns | null
  #snapshot: Snapshot | null
  #log: LogEntry[]
  #logged: number
  #logFloor: number
  #told: { readonly since: number; readonly changes: Promise<Changes> } | null
  /** Neighbours mostly have the same flags, and looking them up is the dearest part of counting. */
  #lastFlags: Flags | null
  #lastUnseen: boolean

  constructor(header: MailboxHeader, table: FlagTable, columns: Columns | null) {
    this.header = header
    this.table = table
    this.#columns = columns
    this.#snapshot = null
    this.#log = []
    this.#logged = 0
    this.#logFloor = header.highestModSeq
    this.#told = null
    this.#lastFlags = null
    this.#lastUnseen = false
  }

  /** Messages in memory, or null while the columns are not. */
  get loaded(): number | null {
    return this.#columns?.length ?? null
  }

  /** Puts the columns in, or out of memory (null). */
  setColumns(columns: Columns | null): void {
    this.#columns = columns
    this.#forget()
    if (columns !== null) this.table.prune(columns.flagSets())
  }

  /** A copy to try changes on. */
  fork(): MailboxState {
    return new MailboxState({ ...this.header }, this.table, this.#columns?.fork() ?? null)
  }

  get status(): MailboxStatus {
    const { messages, recent, unseen, uidNext, uidValidity, highestModSeq, size } = this.header
    return { messages, recent, unseen, uidNext, uidValidity, highestModSeq, size }
  }

  has(uid: number): boolean {
    return this.#loaded().find(uid) !== null
  }

  /** The size of a message, 0 where it is not there. */
  sizeOf(uid: number): number {
    const place = this.#loaded().find(uid)
    return place === null ? 0 : (place.chunk.sizes[place.at] as number)
  }

  /** Those of the UIDs that are there. Ascending input, ascending output. */
  present(wanted: Uids): number[] {
    const found: number[] = []
    this.#loaded().walk(wanted, (chunk, at) => found.push(chunk.uids[at] as number))
    return found
  }

  /** What a copy of messages that are there takes along, in the words of another mailbox. */
  arrivals(uids: Uids, target: FlagTable): Arrival[] {
    const known = new Map<Flags, Flags>()
    const arrivals: Arrival[] = []
    this.#loaded().walk(uids, (chunk, at) => {
      const flags = chunk.flags[at] as Flags
      let translated = known.get(flags)
      if (translated === undefined) {
        translated = target === this.table ? flags : target.resolve(flags)
        known.set(flags, translated)
      }
      arrivals.push({ flags: translated, size: chunk.sizes[at] as number })
    })
    return arrivals
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
    const combined = new Map<Flags, Flags>()
    const changes: FlagChange[] = []
    const modified: number[] = []
    const missing: number[] = []
    this.#loaded().walk(
      wanted,
      (chunk, at) => {
        const uid = chunk.uids[at] as number
        if ((chunk.modSeqs[at] as number) > unchangedSince) {
          modified.push(uid)
          return
        }
        const before = chunk.flags[at] as Flags
        let after = combined.get(before)
        if (after === undefined) {
          after = this.table.combine(before, mode, operand)
          combined.set(before, after)
        }
        if (after !== before) changes.push({ uid, modSeq: 0, flags: after })
      },
      (uid) => missing.push(uid),
    )
    return { changes, modified, missing }
  }

  /** Throws MailError `limit` where no UID is left for so many messages. */
  checkRoom(count: number): void {
    if (this.header.uidNext + count - 1 > LAST_UID)
      throw new MailError('limit', 'the mailbox has no UID left')
  }

  /** Adds messages at UIDs from `uidNext` on, and advances it. */
  append(arrivals: readonly Arrival[], modSeq: number): void {
    const { header } = this
    const uids: number[] = []
    for (const { flags, size } of arrivals) {
      const uid = header.uidNext++
      this.#columns?.push(uid, flags, modSeq, modSeq, size)
      uids.push(uid)
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
    this.#columns?.truncate(header.messages)
    this.#forget()
  }

  /** Removes messages that are all there. */
  expunge(gone: Uids, modSeq: number): void {
    const { header } = this
    const columns = this.#loaded()
    columns.walk(gone, (chunk, at) => {
      header.messages--
      header.size -= chunk.sizes[at] as number
      if ((chunk.uids[at] as number) >= header.recentUid) header.recent--
      if (this.#unseen(chunk.flags[at] as Flags)) header.unseen--
    })
    columns.remove(gone)
    this.#changed(modSeq, gone)
  }

  /** Puts flags on messages that are all there; `changes` ascend by UID. */
  setFlags(changes: readonly FlagChange[], modSeq: number): void {
    const columns = this.#loaded()
    const uids = changes.map(({ uid }) => uid)
    let next = 0
    columns.walk(uids, (chunk, at, index) => {
      const change = changes[next++] as FlagChange
      const { flags } = change
      change.modSeq = modSeq
      this.header.unseen += Number(this.#unseen(flags)) - Number(this.#unseen(chunk.flags[at] as Flags))
      columns.mark(index, at, flags, modSeq)
    })
    if (this.table.crowded(columns.length)) this.table.prune(columns.flagSets())
    this.#changed(modSeq, uids)
  }

  /** The mailbox now. The same object until something changes; its arrays are made when they are first read. */
  snapshot(): Snapshot {
    if (this.#snapshot !== null) return this.#snapshot
    const frozen = this.#loaded().freeze()
    const { uidValidity, uidNext, highestModSeq } = this.header
    this.#snapshot = {
      uidValidity,
      uidNext,
      highestModSeq,
      get uids() {
        return frozen.uids
      },
      get flags() {
        return frozen.flags
      },
      get modSeqs() {
        return frozen.modSeqs
      },
      keywords: this.table.keywords,
    }
    return this.#snapshot
  }

  /**
   * What happened after `since`, from the log of recent changes; null where the log does not reach so far back. Whoever
   * asks from the same point gets the same answer, so that a hundred sessions cost no more than one.
   */
  recentChanges(since: number): Promise<Changes> | null {
    if (since < this.#logFloor) return null
    if (this.#told?.since === since) return this.#told.changes
    let first = this.#log.length
    while (first > 0 && (this.#log[first - 1] as LogEntry).modSeq > since) first--
    const touched = ascendingSet(this.#log.slice(first).flatMap((entry) => entry.uids))
    const changes = classify(this.#loaded(), touched, since, this.header.highestModSeq)
    this.#told = { since, changes }
    return changes
  }

  /** What happened after `since`, from the columns, and from the expunged UIDs, which `lookUp` finds. */
  async olderChanges(since: number, lookUp: () => Promise<Uids>): Promise<Changes> {
    // The columns first: what is expunged while the tombstones are read is then told the next time.
    const columns = this.#loaded().fork()
    const { highestModSeq } = this.header
    const expunged = await lookUp()
    return classify(
      columns,
      ascendingSet([...columns.changedSince(since), ...expunged]),
      since,
      highestModSeq,
    )
  }

  #unseen(flags: Flags): boolean {
    if (flags !== this.#lastFlags) {
      this.#lastFlags = flags
      this.#lastUnseen = (this.table.codeOf(flags).mask & SEEN) === 0
    }
    return this.#lastUnseen
  }

  #changed(modSeq: number, uids: Uids): void {
    this.#snapshot = null
    this.#told = null
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

  #forget(): void {
    this.#snapshot = null
    this.#told = null
    this.#log = []
    this.#logged = 0
    this.#logFloor = this.header.highestModSeq
  }

  #loaded(): Columns {
    if (this.#columns === null) throw new Error('the columns of the mailbox are not in memory')
    return this.#columns
  }
}

/** Sorts the UIDs that changed into what is new, what has other flags and what is gone; large numbers in slices. */
async function classify(
  columns: Columns,
  touched: Uids,
  since: number,
  highestModSeq: number,
): Promise<Changes> {
  const added: Changes['added'][number][] = []
  const flags: Changes['flags'][number][] = []
  const vanished: number[] = []
  // A large number takes several turns, and the columns go on changing meanwhile.
  const frozen = touched.length > SLICE ? columns.fork() : columns
  for (let start = 0; start < touched.length; start += SLICE) {
    if (start > 0) await turn()
    frozen.walk(
      touched.length > SLICE ? touched.slice(start, start + SLICE) : touched,
      (chunk, at) => {
        const modSeq = chunk.modSeqs[at] as number
        if (modSeq <= since) return
        const change = { uid: chunk.uids[at] as number, flags: chunk.flags[at] as Flags, modSeq }
        if ((chunk.created[at] as number) > since) added.push(change)
        else flags.push(change)
      },
      (uid) => vanished.push(uid),
    )
  }
  return { added, flags, vanished, upTo: Math.max(since, highestModSeq) }
}

/** The UIDs in ascending order, each once. */
function ascendingSet(uids: Uids): Uids {
  if (uids.every((uid, i) => i === 0 || (uids[i - 1] as number) < uid)) return uids
  const sorted = Float64Array.from(uids).sort()
  return Array.from(sorted.filter((uid, i) => i === 0 || sorted[i - 1] !== uid))
}
