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
import type { Arrival, MailboxState } from '../mailbox-state.js'
import { turn } from '../turn.js'
import type { Watchers } from '../watchers.js'
import type { Content } from './content.js'

const BLOCK = 500
const PIECE = 256 * 1024

/** A message as the memory store keeps it. */
export interface StoredMessage {
  readonly content: Content
  readonly internalDate: number
}

/** A mailbox that exists once in the store. */
export class MemoryBox {
  readonly id: MailboxId
  readonly state: MailboxState
  readonly watchers: Watchers
  readonly messages: Map<number, StoredMessage>
  readonly #tombstoneLimit: number
  #tombstones: { readonly modSeq: number; readonly uid: number }[]
  removed: boolean

  constructor(id: MailboxId, state: MailboxState, watchers: Watchers, tombstoneLimit: number) {
    this.id = id
    this.state = state
    this.watchers = watchers
    this.messages = new Map()
    this.#tombstoneLimit = tombstoneLimit
    this.#tombstones = []
    this.removed = false
  }

  add(messages: readonly StoredMessage[], arrivals: readonly Arrival[], modSeq: number): number[] {
    const first = this.state.header.uidNext
    const uids = messages.map((message, index) => {
      this.messages.set(first + index, message)
      return first + index
    })
    this.state.append(arrivals, modSeq)
    return uids
  }

  expunge(uids: Uids, modSeq: number): void {
    for (const uid of uids) {
      this.messages.delete(uid)
      this.#tombstones.push({ modSeq, uid })
    }
    this.state.expunge(uids, modSeq)
    const excess = this.#tombstones.length - this.#tombstoneLimit
    if (excess <= 0) return
    this.state.header.floor = this.#tombstones[excess - 1]?.modSeq ?? 0
    this.#tombstones = this.#tombstones.slice(excess)
  }

  async changes(since: number): Promise<Changes | 'expired'> {
    if (since < this.state.header.floor) return 'expired'
    const expunged = this.#tombstones.filter(({ modSeq }) => modSeq > since).map(({ uid }) => uid)
    return this.state.recentChanges(since) ?? this.state.olderChanges(since, async () => expunged)
  }
}

/** One session's handle on a MemoryBox. */
export class MemoryMailbox implements Mailbox {
  readonly id: MailboxId
  readonly name: string
  readonly uidValidity: number
  readonly readOnly: boolean
  readonly #box: MemoryBox
  readonly #check: () => void
  readonly #letGo: () => void
  #closed: boolean

  constructor(box: MemoryBox, name: string, readOnly: boolean, check: () => void, letGo: () => void) {
    this.id = box.id
    this.name = name
    this.uidValidity = box.state.header.uidValidity
    this.readOnly = readOnly
    this.#box = box
    this.#check = check
    this.#letGo = letGo
    this.#closed = false
  }

  async snapshot(): Promise<Snapshot> {
    return this.#open().state.snapshot()
  }

  async *messages(uids: Uids, want: MessageWant): AsyncGenerator<readonly MessageInfo[]> {
    for (let start = 0; start < uids.length; start += BLOCK) {
      if (start > 0) await turn()
      const box = this.#open()
      const infos: MessageInfo[] = []
      for (const uid of uids.slice(start, start + BLOCK)) {
        const message = box.messages.get(uid)
        if (message === undefined) continue
        const { data, facts } = message.content
        infos.push({
          uid,
          size: data.length,
          internalDate: message.internalDate,
          facts: want.facts === true ? facts : null,
          body: want.bodyUpTo !== undefined && data.length <= want.bodyUpTo ? data : null,
        })
      }
      if (infos.length > 0) yield infos
    }
  }

  async *read(uid: number, from = 0, to = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    const message = this.#open().messages.get(uid)
    if (message === undefined) throw new MailError('expunged', 'the message is gone')
    const { data } = message.content
    const end = Math.min(to, data.length)
    for (let at = from; at < end; at += PIECE) {
      yield data.subarray(at, Math.min(at + PIECE, end))
      await turn()
    }
  }

  async changes(since: number): Promise<Changes | 'expired'> {
    return this.#open().changes(since)
  }

  async claimRecent(): Promise<number> {
    const { header } = this.#open().state
    const { recentUid } = header
    if (!this.readOnly) {
      header.recentUid = header.uidNext
      header.recent = 0
    }
    return recentUid
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#letGo()
  }

  #open(): MemoryBox {
    this.#check()
    if (this.#closed) throw new MailError('closed', 'the mailbox is closed')
    if (this.#box.removed) throw new MailError('notFound', 'the mailbox was removed')
    return this.#box
  }
}
