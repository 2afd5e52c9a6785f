import {
  type Changes,
  type Flags,
  type MailboxId,
  type MailboxStatus,
  MailError,
  type MessageFacts,
  type Snapshot,
} from 'mailwright'
import { FLAG_SETS, KEYWORD_OCTETS, KEYWORDS, TOMBSTONES } from './limits.js'

const SYSTEM_FLAGS = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft']

/** A message in a mailbox; never changed, only replaced. */
export interface Message {
  readonly data: Buffer
  readonly facts: MessageFacts
  readonly internalDate: number
  readonly flags: Flags
  /** Mod-sequence of its last change, and of its coming. */
  readonly modSeq: number
  readonly created: number
}

/** What a mailbox holds at one moment. An apply works on a copy, so that a failure leaves nothing behind. */
export interface Contents {
  /** By UID, ascending: UIDs only grow, and a Map keeps the order of insertion. */
  readonly messages: Map<number, Message>
  readonly tombstones: { readonly uid: number; readonly modSeq: number }[]
  /** Tombstones up to this mod-sequence are forgotten. */
  floor: number
  /** From lower case to the spelling that came first. */
  readonly keywords: Map<string, string>
  /** Of the last change; 1 while there was none. */
  modSeq: number
  uidNext: number
}

export type Watchers = ReadonlySet<(mailbox: MailboxId) => void>

/** Tells whoever watches; one that throws harms nobody. */
export function tell(watchers: Watchers, mailbox: MailboxId): void {
  for (const watcher of watchers) {
    try {
      watcher(mailbox)
    } catch (error) {
      console.error(error)
    }
  }
}

/** A mailbox that exists once in the store. */
export class Box {
  readonly id: MailboxId
  readonly uidValidity: number
  readonly #watchers: Watchers
  readonly #flagSets: Map<string, Flags>
  #contents: Contents
  #snapshot: Snapshot | null
  /** Messages from this UID on have been shown as recent to nobody. */
  recentUid: number
  locked: boolean
  removed: boolean

  constructor(id: MailboxId, uidValidity: number, watchers: Watchers) {
    this.id = id
    this.uidValidity = uidValidity
    this.#watchers = watchers
    this.#flagSets = new Map()
    this.#contents = {
      messages: new Map(),
      tombstones: [],
      floor: 0,
      keywords: new Map(),
      modSeq: 1,
      uidNext: 1,
    }
    this.#snapshot = null
    this.recentUid = 1
    this.locked = false
    this.removed = false
  }

  get contents(): Readonly<Contents> {
    return this.#contents
  }

  /** The mod-sequence of the changes of the next commit. */
  get nextModSeq(): number {
    return this.#contents.modSeq + 1
  }

  draft(): Contents {
    const { messages, tombstones, keywords } = this.#contents
    return {
      ...this.#contents,
      messages: new Map(messages),
      tombstones: [...tombstones],
      keywords: new Map(keywords),
    }
  }

  /** Puts a draft that changed something in the place of what was there. */
  commit(draft: Contents): void {
    if (draft.modSeq === this.#contents.modSeq) return
    const forgotten = draft.tombstones.splice(0, Math.max(0, draft.tombstones.length - TOMBSTONES))
    draft.floor = forgotten.at(-1)?.modSeq ?? draft.floor
    this.#contents = draft
    this.#snapshot = null
    tell(this.#watchers, this.id)
  }

  /** The one array for these flags, in this mailbox's spelling; what is no flag of a message is left out. */
  spell(flags: Flags, keywords: Map<string, string>): Flags {
    const wanted = new Set(flags.map((flag) => flag.toLowerCase()))
    for (const flag of flags) {
      if (flag.startsWith('\\') || keywords.has(flag.toLowerCase())) continue
      if (keywords.size === KEYWORDS || flag.length > KEYWORD_OCTETS) {
        throw new MailError('limit', `a mailbox has ${KEYWORDS} keywords of ${KEYWORD_OCTETS} octets at most`)
      }
      keywords.set(flag.toLowerCase(), flag)
    }
    const spelled = [...SYSTEM_FLAGS, ...keywords.values()].filter((flag) => wanted.has(flag.toLowerCase()))
    const key = spelled.join(' ')
    const known = this.#flagSets.get(key) ?? spelled
    // A second array for a set does no harm but that it is another one.
    if (this.#flagSets.size === FLAG_SETS) this.#flagSets.clear()
    this.#flagSets.set(key, known)
    return known
  }

  /** The same object until something changes. */
  snapshot(): Snapshot {
    const { messages, keywords, uidNext, modSeq } = this.#contents
    this.#snapshot ??= {
      uidValidity: this.uidValidity,
      uidNext,
      highestModSeq: modSeq,
      uids: [...messages.keys()],
      flags: [...messages.values()].map(({ flags }) => flags),
      modSeqs: [...messages.values()].map((message) => message.modSeq),
      keywords: [...keywords.values()],
    }
    return this.#snapshot
  }

  status(): MailboxStatus {
    const { messages, uidNext, modSeq } = this.#contents
    const all = [...messages.values()]
    return {
      messages: all.length,
      recent: [...messages.keys()].filter((uid) => uid >= this.recentUid).length,
      unseen: all.filter(({ flags }) => !flags.includes('\\Seen')).length,
      uidNext,
      uidValidity: this.uidValidity,
      highestModSeq: modSeq,
      size: all.reduce((sum, { data }) => sum + data.length, 0),
    }
  }

  changes(since: number): Changes | 'expired' {
    const { messages, tombstones, floor, modSeq } = this.#contents
    if (since < floor) return 'expired'
    const changed = [...messages].filter(([, message]) => message.modSeq > since)
    const told = ([uid, message]: [number, Message]) => ({
      uid,
      flags: message.flags,
      modSeq: message.modSeq,
    })
    const vanished = tombstones.filter((tombstone) => tombstone.modSeq > since).map(({ uid }) => uid)
    return {
      added: changed.filter(([, { created }]) => created > since).map(told),
      flags: changed.filter(([, { created }]) => created <= since).map(told),
      vanished: vanished.sort((a, b) => a - b),
      upTo: Math.max(since, modSeq),
    }
  }
}
