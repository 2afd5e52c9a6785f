import {
  type Account,
  type MailboxId,
  MailError,
  type MailStore,
  type Op,
  type Result,
  type SpecialUse,
  type Staged,
  type StoreFeatures,
} from 'mailwright'
import { OwnAccount } from './account.js'
import { applyOp, type DraftOf } from './apply.js'
import { Box, type Contents } from './box.js'
import { Home } from './home.js'
import { MESSAGE_OCTETS } from './limits.js'
import { stageMessage } from './message.js'

const FIRST_MAILBOXES: readonly (readonly [string, SpecialUse | null])[] = [
  ['INBOX', null],
  ['Drafts', '\\Drafts'],
  ['Junk', '\\Junk'],
  ['Sent', '\\Sent'],
  ['Trash', '\\Trash'],
]

/**
 * A mail store in memory, as small as one can be that does everything a MailStore must. A host has its own tables
 * where this has Maps, and a transaction of its database in `apply`.
 */
export class OwnStore implements MailStore {
  readonly features: StoreFeatures
  readonly #homes: Map<string, Home>
  readonly #boxes: Map<MailboxId, Box>
  #uidValidity: number
  #closed: boolean

  constructor() {
    this.features = { changes: true, maxMessageSize: MESSAGE_OCTETS, delimiter: '/' }
    this.#homes = new Map()
    this.#boxes = new Map()
    this.#uidValidity = Math.floor(Date.now() / 1000)
    this.#closed = false
  }

  async open(user: string): Promise<Account> {
    this.check()
    return new OwnAccount(user, this.#homes.get(user) ?? this.#newHome(user), this)
  }

  async stage(sizeHint = 0): Promise<Staged> {
    this.check()
    return stageMessage(sizeHint)
  }

  /** All on drafts first, then all at once: what throws has changed nothing, and nobody sees half of it. */
  async apply(ops: readonly Op[]): Promise<readonly Result[]> {
    this.check()
    const drafts = new Map<Box, Contents>()
    const draftOf: DraftOf = (id) => {
      const box = this.#boxes.get(id)
      if (box === undefined) throw new MailError('notFound', 'no such mailbox')
      const draft = drafts.get(box) ?? box.draft()
      drafts.set(box, draft)
      return [box, draft]
    }
    const results = ops.map((op) => applyOp(op, draftOf))
    for (const [box, draft] of drafts) box.commit(draft)
    return results
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  /** MailError `closed` after `close`. */
  check(): void {
    if (this.#closed) throw new MailError('closed', 'the store is closed')
  }

  /** Puts an empty mailbox at a name. Its UIDVALIDITY is higher than that of any before it. */
  addBox(home: Home, name: string, specialUse: SpecialUse | null): void {
    const uidValidity = ++this.#uidValidity
    const box = new Box(`box-${uidValidity}`, uidValidity, home.watchers)
    this.#boxes.set(box.id, box)
    home.entries.set(name, { box, specialUse })
  }

  removeBox(box: Box): void {
    box.removed = true
    this.#boxes.delete(box.id)
  }

  #newHome(user: string): Home {
    const home = new Home()
    this.#homes.set(user, home)
    for (const [name, specialUse] of FIRST_MAILBOXES) {
      this.addBox(home, name, specialUse)
      home.subscribed.add(name)
    }
    return home
  }
}
