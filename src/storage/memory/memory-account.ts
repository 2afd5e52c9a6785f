import { MailError } from '../../core/index.js'
import type {
  Account,
  Mailbox,
  MailboxId,
  MailboxInfo,
  MailboxStatus,
  SpecialUse,
} from '../../interfaces/index.js'
import type { Directory, DirectoryEntry } from '../directory.js'
import type { Watchers } from '../watchers.js'
import type { MemoryBox } from './memory-mailbox.js'
import { MemoryMailbox } from './memory-mailbox.js'

/** What an account asks of its store. */
export interface MemoryHome {
  readonly directory: Directory
  readonly watchers: Watchers
  box(id: MailboxId): MemoryBox
  addBox(name: string, specialUse: SpecialUse | null): DirectoryEntry
  addLevel(name: string): void
  removeBox(id: MailboxId): void
  moveAll(from: MailboxId, to: MailboxId): Promise<void>
  hold(id: MailboxId, mode: 'read' | 'write' | 'exclusive'): () => void
  /** MailError `closed` once the store is shut. */
  check(): void
}

/** One session's view of a user's mailboxes in the memory store. */
export class MemoryAccount implements Account {
  readonly user: string
  readonly #home: MemoryHome
  readonly #stops: Set<() => void>
  #closed: boolean

  constructor(user: string, home: MemoryHome) {
    this.user = user
    this.#home = home
    this.#stops = new Set()
    this.#closed = false
  }

  async list(): Promise<readonly MailboxInfo[]> {
    return this.#directory().list()
  }

  async find(name: string): Promise<MailboxInfo | null> {
    const directory = this.#directory()
    const entry = directory.find(name)
    return entry === undefined ? null : directory.info(entry)
  }

  async status(name: string): Promise<MailboxStatus> {
    return this.#home.box(this.#directory().require(name).id).state.status
  }

  async create(name: string, specialUse?: SpecialUse): Promise<MailboxInfo> {
    const directory = this.#directory()
    const names = directory.planCreate(name)
    const entries = names.map((each, index) =>
      this.#home.addBox(each, index === names.length - 1 ? (specialUse ?? null) : null),
    )
    return directory.info(entries[entries.length - 1] as DirectoryEntry)
  }

  async remove(name: string): Promise<void> {
    const directory = this.#directory()
    const { entry, staysAsLevel, prune } = directory.planRemove(name)
    directory.delete(entry.name)
    this.#home.removeBox(entry.id)
    if (staysAsLevel) this.#home.addLevel(entry.name)
    for (const level of prune) directory.delete(level.name)
    this.#home.watchers.tell(entry.id)
  }

  async rename(from: string, to: string): Promise<void> {
    const directory = this.#directory()
    const source = directory.find(from)
    if (source?.name === 'INBOX') {
      const target = await this.create(to)
      await this.#home.moveAll(source.id, target.id)
      return
    }
    const { levels, moves, prune } = directory.planRename(from, to)
    for (const level of levels) this.#home.addBox(level, null)
    for (const { entry } of moves) directory.delete(entry.name)
    for (const { entry, name } of moves) directory.put({ ...entry, name })
    for (const level of prune) directory.delete(level.name)
  }

  async subscribe(name: string, subscribed: boolean): Promise<void> {
    const directory = this.#directory()
    directory.setSubscribed(directory.planSubscribe(name, subscribed), subscribed)
  }

  async select(name: string, mode: 'read' | 'write' | 'exclusive'): Promise<Mailbox> {
    const entry = this.#directory().require(name)
    const letGo = this.#home.hold(entry.id, mode)
    const check = (): void => this.#home.check()
    return new MemoryMailbox(this.#home.box(entry.id), entry.name, mode === 'read', check, letGo)
  }

  watch(listener: (mailbox: MailboxId) => void): () => void {
    this.#directory()
    const stop = this.#home.watchers.add(listener)
    this.#stops.add(stop)
    return () => {
      stop()
      this.#stops.delete(stop)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const stop of this.#stops) stop()
    this.#stops.clear()
  }

  #directory(): Directory {
    this.#home.check()
    if (this.#closed) throw new MailError('closed', 'the account is closed')
    return this.#home.directory
  }
}
