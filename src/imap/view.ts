import type { Changes, Flags, Snapshot } from '../interfaces/index.js'
import type { SequenceSet } from './sequence-set.js'
import { resolveSequenceSet } from './sequence-set.js'
import { lowerBound, UidRanges } from './uid-ranges.js'

/** Something the client is to be told, in the order in which it must be told. */
export type ViewUpdate =
  /** The number counts what the updates before it have left. */
  | { readonly type: 'expunge'; readonly seq: number; readonly uid: number }
  /** New messages: how many there are now, and how many of them are recent in this session. */
  | { readonly type: 'exists'; readonly count: number; readonly recent: number }
  /** Flags changed elsewhere; `\Recent` is not among them. */
  | { readonly type: 'flags'; readonly seq: number; readonly uid: number; readonly flags: Flags }

const NO_FLAGS: Flags = []

/**
 * One session's picture of its mailbox: which sequence number is which message (RFC 3501 section 2.3.1.2).
 *
 * The picture stands still until `release`: new messages get no number and expunged ones keep theirs, so that every
 * number in a command means what the client thinks. The UIDs and flags of the snapshot are shared and never changed;
 * what differs is kept beside them. Numbers and UIDs are found in O(log n); a batch of k expunges costs O(n + k).
 */
export class MailboxView {
  /** Shared with the snapshot until an expunge of one of them is told. */
  #uids: readonly number[]
  #flags: readonly Flags[]
  /** Messages told after the snapshot; every UID is above those of `#uids`. */
  #tailUids: number[]
  #tailFlags: Flags[]
  /** Flags that are not those of the two lists any more. */
  readonly #changedFlags: Map<number, Flags>
  /** Messages whose flags the client does not know yet. */
  readonly #untoldFlags: Set<number>
  /** Expunged and not told. */
  readonly #expunged: Set<number>
  /** Arrived and not told, in ascending order. */
  readonly #arrived: Map<number, Flags>
  readonly #recent: UidRanges
  #largestUid: number

  constructor(snapshot: Snapshot) {
    this.#uids = snapshot.uids
    this.#flags = snapshot.flags
    this.#tailUids = []
    this.#tailFlags = []
    this.#changedFlags = new Map()
    this.#untoldFlags = new Set()
    this.#expunged = new Set()
    this.#arrived = new Map()
    this.#recent = new UidRanges()
    this.#largestUid = snapshot.uids.at(-1) ?? 0
  }

  /** How many messages the client knows of, expunged ones that it was not told of included. */
  get count(): number {
    return this.#uids.length + this.#tailUids.length
  }

  /** How many of them are recent in this session. */
  get recentCount(): number {
    return this.#recent.count(this.#uids) + this.#recent.count(this.#tailUids)
  }

  /** The UID of that sequence number, or null where there is none. */
  uidAt(seq: number): number | null {
    const uid = seq <= this.#uids.length ? this.#uids[seq - 1] : this.#tailUids[seq - 1 - this.#uids.length]
    return uid ?? null
  }

  /** The sequence number of that UID, or null where the client knows no such message. */
  seqOf(uid: number): number | null {
    const index = this.#indexOf(uid)
    return index === -1 ? null : index + 1
  }

  /** True for a message that is gone and whose number still stands. */
  isExpunged(uid: number): boolean {
    return this.#expunged.has(uid)
  }

  /** The message's flags as last heard, without `\Recent`; empty for a UID that is not in the view. */
  flagsOf(uid: number): Flags {
    const changed = this.#changedFlags.get(uid)
    if (changed !== undefined) return changed
    const index = this.#indexOf(uid)
    return index === -1 ? NO_FLAGS : this.#flagsAt(index)
  }

  isRecent(uid: number): boolean {
    return this.#recent.has(uid)
  }

  /**
   * Marks as recent every message from `from` on that has come since the last call: `from` is what
   * `Mailbox.claimRecent` returned after the snapshot or after `note`.
   */
  markRecent(from: number): void {
    this.#recent.add(from, this.#largestUid)
  }

  /** The number of the first message without `\Seen`, or null. */
  firstUnseen(): number | null {
    for (let index = 0; index < this.count; index++) {
      const uid = this.uidAt(index + 1) as number
      const flags = this.#changedFlags.get(uid) ?? this.#flagsAt(index)
      if (!flags.includes('\\Seen')) return index + 1
    }
    return null
  }

  /** True when each sequence number in the set is one the client may use; `*` of an empty mailbox is not. */
  covers(set: SequenceSet): boolean {
    const ranges = resolveSequenceSet(set, this.count)
    return ranges.every(([first, last]) => first >= 1 && last <= this.count)
  }

  /**
   * The UIDs that the set means, ascending, each once; also of messages that are expunged and not yet told (ask
   * `isExpunged`). Numbers and UIDs that are not there are passed over.
   */
  resolve(set: SequenceSet, byUid: boolean): number[] {
    const total = this.count
    if (total === 0) return []
    const found: number[] = []
    for (const [first, last] of resolveSequenceSet(set, byUid ? (this.uidAt(total) as number) : total)) {
      const from = byUid ? this.#lowerBound(first) : first - 1
      const to = byUid ? this.#lowerBound(last + 1) : Math.min(last, total)
      for (let index = from; index < to; index++) found.push(this.uidAt(index + 1) as number)
    }
    return found
  }

  /** Queues what happened in the mailbox. Hearing the same twice changes nothing. */
  note(changes: Changes): void {
    for (const { uid, flags } of changes.added) {
      if (uid > this.#largestUid) {
        this.#largestUid = uid
        this.#arrived.set(uid, flags)
      } else this.#noteFlags(uid, flags)
    }
    for (const { uid, flags } of changes.flags) this.#noteFlags(uid, flags)
    for (const uid of changes.vanished) this.#noteVanished(uid)
  }

  /** Queues what a newer snapshot shows, for a store that no longer knows the changes in between. */
  noteSnapshot(snapshot: Snapshot): void {
    const present = new Set(snapshot.uids)
    for (let seq = 1; seq <= this.count; seq++) {
      const uid = this.uidAt(seq) as number
      if (!present.has(uid)) this.#noteVanished(uid)
    }
    for (const uid of [...this.#arrived.keys()]) if (!present.has(uid)) this.#arrived.delete(uid)
    const added = snapshot.uids.map((uid, index) => ({
      uid,
      flags: snapshot.flags[index] ?? NO_FLAGS,
      modSeq: snapshot.modSeqs[index] ?? 0,
    }))
    this.note({ added, flags: [], vanished: [], upTo: snapshot.highestModSeq })
  }

  /** The client knows the message's flags to be these: it set them itself, or a FETCH response has just told it. */
  told(uid: number, flags: Flags): void {
    this.#untoldFlags.delete(uid)
    const index = this.#indexOf(uid)
    if (index === -1) return
    if (sameFlags(this.#flagsAt(index), flags)) this.#changedFlags.delete(uid)
    else this.#changedFlags.set(uid, flags)
  }

  /**
   * What the client is to be told now; from then on the view is what it says. With `expunges` false the expunged
   * messages keep their numbers (RFC 3501 section 7.4.1: during FETCH, STORE and SEARCH, and between commands).
   */
  release(options: { readonly expunges: boolean }): ViewUpdate[] {
    const updates: ViewUpdate[] = []
    if (options.expunges && this.#expunged.size > 0) this.#releaseExpunged(updates)
    if (this.#arrived.size > 0) {
      for (const [uid, flags] of this.#arrived) {
        this.#tailUids.push(uid)
        this.#tailFlags.push(flags)
      }
      this.#arrived.clear()
      updates.push({ type: 'exists', count: this.count, recent: this.recentCount })
    }
    if (this.#untoldFlags.size > 0) this.#releaseFlags(updates)
    return updates
  }

  #releaseExpunged(updates: ViewUpdate[]): void {
    const gone = [...this.#expunged].sort((a, b) => a - b)
    gone.forEach((uid, before) => {
      updates.push({ type: 'expunge', seq: this.#indexOf(uid) + 1 - before, uid })
      this.#changedFlags.delete(uid)
      this.#untoldFlags.delete(uid)
    })
    const expunged = this.#expunged
    const stays = (uid: number): boolean => !expunged.has(uid)
    const lastOfSnapshot = this.#uids.at(-1)
    if (lastOfSnapshot !== undefined && (gone[0] as number) <= lastOfSnapshot) {
      const uids = this.#uids
      this.#flags = this.#flags.filter((_, index) => stays(uids[index] as number))
      this.#uids = uids.filter(stays)
    }
    const tail = this.#tailUids
    this.#tailFlags = this.#tailFlags.filter((_, index) => stays(tail[index] as number))
    this.#tailUids = tail.filter(stays)
    expunged.clear()
  }

  #releaseFlags(updates: ViewUpdate[]): void {
    for (const uid of [...this.#untoldFlags].sort((a, b) => a - b)) {
      if (this.#expunged.has(uid)) continue
      const flags = this.flagsOf(uid)
      updates.push({ type: 'flags', seq: this.#indexOf(uid) + 1, uid, flags })
    }
    this.#untoldFlags.clear()
  }

  #noteFlags(uid: number, flags: Flags): void {
    if (this.#arrived.has(uid)) {
      this.#arrived.set(uid, flags)
      return
    }
    if (this.#expunged.has(uid) || this.#indexOf(uid) === -1) return
    if (sameFlags(this.flagsOf(uid), flags)) return
    this.#changedFlags.set(uid, flags)
    this.#untoldFlags.add(uid)
  }

  #noteVanished(uid: number): void {
    if (this.#arrived.delete(uid)) return
    if (this.#indexOf(uid) !== -1) this.#expunged.add(uid)
  }

  #flagsAt(index: number): Flags {
    const base = this.#uids.length
    return (index < base ? this.#flags[index] : this.#tailFlags[index - base]) ?? NO_FLAGS
  }

  #indexOf(uid: number): number {
    const index = this.#lowerBound(uid)
    return this.uidAt(index + 1) === uid ? index : -1
  }

  /** How many of the messages have a lower UID. */
  #lowerBound(uid: number): number {
    const last = this.#uids.at(-1)
    if (last !== undefined && uid <= last) return lowerBound(this.#uids, uid)
    return this.#uids.length + lowerBound(this.#tailUids, uid)
  }
}

/** Flags are a set, compared without case. */
function sameFlags(a: Flags, b: Flags): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  const lower = new Set(a.map((flag) => flag.toLowerCase()))
  return b.every((flag) => lower.has(flag.toLowerCase()))
}
