import {
  type Changes,
  type Mailbox,
  type MailboxId,
  MailError,
  type MessageInfo,
  type MessageWant,
  type Snapshot,
  type Uids,
} from 'mailwright'
import type { Box } from './box.js'
import type { OwnStore } from './store.js'

const BLOCK = 500
const PIECE = 256 * 1024

/** A mailbox that one session has open. */
export class OwnMailbox implements Mailbox {
  readonly id: MailboxId
  readonly name: string
  readonly uidValidity: number
  readonly readOnly: boolean
  readonly #box: Box
  readonly #store: OwnStore
  #locks: boolean
  #closed: boolean

  constructor(box: Box, name: string, mode: 'read' | 'write' | 'exclusive', store: OwnStore) {
    this.id = box.id
    this.name = name
    this.uidValidity = box.uidValidity
    this.readOnly = mode === 'read'
    this.#box = box
    this.#store = store
    this.#locks = mode === 'exclusive'
    this.#closed = false
    if (this.#locks) box.locked = true
  }

  async snapshot(): Promise<Snapshot> {
    return this.#open().snapshot()
  }

  async *messages(uids: Uids, want: MessageWant): AsyncGenerator<readonly MessageInfo[]> {
    for (let start = 0; start < uids.length; start += BLOCK) {
      const { messages } = this.#open().contents
      yield uids.slice(start, start + BLOCK).flatMap((uid) => {
        const message = messages.get(uid)
        if (message === undefined) return []
        const { data, internalDate } = message
        const facts = want.facts === true ? message.facts : null
        const body = data.length <= (want.bodyUpTo ?? -1) ? data : null
        return [{ uid, size: data.length, internalDate, facts, body }]
      })
    }
  }

  async *read(uid: number, from = 0, to = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    const message = this.#open().contents.messages.get(uid)
    if (message === undefined) throw new MailError('expunged', 'the message is gone')
    const end = Math.min(to, message.data.length)
    for (let at = from; at < end; at += PIECE) yield message.data.subarray(at, Math.min(at + PIECE, end))
  }

  async changes(since: number): Promise<Changes | 'expired'> {
    return this.#open().changes(since)
  }

  async claimRecent(): Promise<number> {
    const box = this.#open()
    const { recentUid } = box
    if (!this.readOnly) box.recentUid = box.contents.uidNext
    return recentUid
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#locks) this.#box.locked = false
    this.#locks = false
  }

  #open(): Box {
    this.#store.check()
    if (this.#closed) throw new MailError('closed', 'the mailbox is closed')
    if (this.#box.removed) throw new MailError('notFound', 'the mailbox was removed')
    return this.#box
  }
}
