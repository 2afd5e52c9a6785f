import { MailError } from '../../core/index.js'
import type {
  Account,
  Logger,
  MailboxId,
  MailStore,
  Op,
  Placed,
  Result,
  SpecialUse,
  Staged,
  StoreFeatures,
} from '../../interfaces/index.js'
import { silentLogger } from '../../interfaces/index.js'
import { Columns } from '../columns.js'
import type { DirectoryEntry } from '../directory.js'
import { Directory, initialMailboxes } from '../directory.js'
import { ExclusiveHolders } from '../exclusive.js'
import { FlagTable } from '../flags.js'
import type { StoreLimits } from '../limits.js'
import { storeLimits } from '../limits.js'
import { DELIMITER } from '../mailbox-name.js'
import { MailboxState, newHeader } from '../mailbox-state.js'
import { turn } from '../turn.js'
import { Watchers } from '../watchers.js'
import { MemoryBody, MemoryStaged } from './content.js'
import type { MemoryHome } from './memory-account.js'
import { MemoryAccount } from './memory-account.js'
import type { StoredMessage } from './memory-mailbox.js'
import { MemoryBox } from './memory-mailbox.js'

export interface MemoryStoreOptions {
  readonly limits?: Partial<StoreLimits>
  readonly logger?: Logger
}

/** Keeps everything in memory, for tests and demonstrations; nothing outlives the process. */
export class MemoryStore implements MailStore {
  readonly features: StoreFeatures
  readonly #limits: StoreLimits
  readonly #logger: Logger
  readonly #homes: Map<string, MemoryHome>
  readonly #boxes: Map<MailboxId, MemoryBox>
  readonly #holders: ExclusiveHolders
  #uidValidity: number
  #nextId: number
  #closed: boolean

  constructor(options: MemoryStoreOptions = {}) {
    this.#limits = storeLimits(options.limits)
    this.#logger = options.logger ?? silentLogger
    this.features = { changes: true, maxMessageSize: this.#limits.messageSize, delimiter: DELIMITER }
    this.#homes = new Map()
    this.#boxes = new Map()
    this.#holders = new ExclusiveHolders()
    this.#uidValidity = Math.floor(Date.now() / 1000)
    this.#nextId = 1
    this.#closed = false
  }

  async open(user: string): Promise<Account> {
    this.#check()
    let home = this.#homes.get(user)
    if (home === undefined) {
      home = this.#newHome()
      this.#homes.set(user, home)
      for (const { name, specialUse } of initialMailboxes) {
        home.addBox(name, specialUse)
        home.directory.setSubscribed(name, true)
      }
    }
    return new MemoryAccount(user, home)
  }

  async stage(sizeHint = 0): Promise<Staged> {
    this.#check()
    const limit = this.#limits.messageSize
    if (sizeHint > limit) throw new MailError('tooLarge', `a message has at most ${limit} octets`)
    return new MemoryStaged(limit)
  }

  async apply(ops: readonly Op[]): Promise<readonly Result[]> {
    this.#check()
    for (const op of ops) this.#checkOp(op)
    const modSeqs = new Map<MemoryBox, number>()
    const modSeqOf = (box: MemoryBox): number => {
      const modSeq = modSeqs.get(box) ?? box.state.header.highestModSeq + 1
      modSeqs.set(box, modSeq)
      return modSeq
    }
    const results = ops.map((op) => this.#run(op, modSeqOf))
    // As with a database, nobody hears of it before the caller's turn is over.
    await turn()
    for (const box of modSeqs.keys()) box.watchers.tell(box.id)
    return results
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #check(): void {
    if (this.#closed) throw new MailError('closed', 'the store is closed')
  }

  #box(id: MailboxId): MemoryBox {
    const box = this.#boxes.get(id)
    if (box === undefined) throw new MailError('notFound', 'no such mailbox')
    return box
  }

  /** Everything that can fail, before anything is changed. */
  #checkOp(op: Op): void {
    switch (op.type) {
      case 'append':
        bodyOf(op.body)
        for (const { mailbox, flags } of op.to) {
          const { state } = this.#box(mailbox)
          state.checkRoom(op.to.length)
          state.table.resolve(flags)
        }
        return
      case 'copy':
      case 'move': {
        const from = this.#box(op.from).state
        const to = this.#box(op.to).state
        to.checkRoom(op.uids.length)
        from.arrivals(op.uids, to.table)
        return
      }
      case 'expunge':
        this.#box(op.mailbox)
        return
      case 'setFlags':
        this.#box(op.mailbox).state.table.resolve(op.flags)
        return
      default:
        op satisfies never
    }
  }

  #run(op: Op, modSeqOf: (box: MemoryBox) => number): Result {
    switch (op.type) {
      case 'append': {
        const { content } = bodyOf(op.body)
        const placed = op.to.map(({ mailbox, flags, internalDate }): Placed => {
          const box = this.#box(mailbox)
          const modSeq = modSeqOf(box)
          const arrival = { flags: box.state.table.resolve(flags), size: content.data.length }
          const [uid = 0] = box.add([{ content, internalDate }], [arrival], modSeq)
          return { mailbox, uidValidity: box.state.header.uidValidity, uid, modSeq }
        })
        return { type: 'append', placed }
      }
      case 'copy':
      case 'move': {
        const source = this.#box(op.from)
        const target = this.#box(op.to)
        const from = source.state.present(op.uids)
        const { uidValidity } = target.state.header
        if (from.length === 0) {
          const modSeq = target.state.header.highestModSeq
          return { type: op.type, uidValidity, from, to: [], modSeq }
        }
        const modSeq = modSeqOf(target)
        const messages = from.map((uid) => source.messages.get(uid) as StoredMessage)
        const arrivals = source.state.arrivals(from, target.state.table)
        const to = target.add(messages, arrivals, modSeq)
        if (op.type === 'move') source.expunge(from, modSeqOf(source))
        return { type: op.type, uidValidity, from, to, modSeq }
      }
      case 'expunge': {
        const box = this.#box(op.mailbox)
        const uids = box.state.present(op.uids)
        if (uids.length > 0) box.expunge(uids, modSeqOf(box))
        return { type: 'expunge', uids, modSeq: box.state.header.highestModSeq }
      }
      case 'setFlags': {
        const box = this.#box(op.mailbox)
        const flags = box.state.table.resolve(op.flags)
        const plan = box.state.planFlags(op.uids, op.mode, flags, op.unchangedSince)
        const { changes, modified, missing } = plan
        if (changes.length === 0) return { type: 'setFlags', changed: [], modified, missing }
        const modSeq = modSeqOf(box)
        box.state.setFlags(changes, modSeq)
        return { type: 'setFlags', changed: changes, modified, missing }
      }
      default:
        return op satisfies never
    }
  }

  #newHome(): MemoryHome {
    const directory = new Directory(this.#limits)
    const watchers = new Watchers(this.#logger)
    return {
      directory,
      watchers,
      box: (id) => this.#box(id),
      addBox: (name, specialUse) => this.#addBox(directory, watchers, name, specialUse),
      addLevel: (name) =>
        directory.put({ id: `level:${this.#nextId++}`, name, specialUse: null, selectable: false }),
      removeBox: (id) => {
        const box = this.#boxes.get(id)
        if (box !== undefined) box.removed = true
        this.#boxes.delete(id)
      },
      moveAll: async (from, to) => {
        const { uids } = this.#box(from).state.snapshot()
        await this.apply([{ type: 'move', from, uids, to }])
      },
      hold: (id, mode) => this.#holders.take(id, mode),
      check: () => this.#check(),
    }
  }

  #addBox(
    directory: Directory,
    watchers: Watchers,
    name: string,
    specialUse: SpecialUse | null,
  ): DirectoryEntry {
    const id = String(this.#nextId++)
    const table = new FlagTable([], this.#limits.keywords)
    const state = new MailboxState(newHeader(++this.#uidValidity), table, new Columns())
    this.#boxes.set(id, new MemoryBox(id, state, watchers, this.#limits.tombstones))
    const entry = { id, name, specialUse, selectable: true }
    directory.put(entry)
    return entry
  }
}

function bodyOf(body: unknown): MemoryBody {
  if (!(body instanceof MemoryBody)) throw new MailError('notFound', 'the message is not of this store')
  if (body.discarded) throw new MailError('notFound', 'the message was discarded')
  return body
}
