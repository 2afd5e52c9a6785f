import { MailError } from '../../core/index.js'
import type {
  Account,
  Mailbox,
  MailboxId,
  MailboxInfo,
  MailboxStatus,
  Op,
  Result,
  SpecialUse,
} from '../../interfaces/index.js'
import type { Directory, DirectoryEntry } from '../directory.js'
import type { ExclusiveHolders } from '../exclusive.js'
import type { Tx } from './commit-queue.js'
import type { Homes, SqlHome } from './homes.js'
import type { MailboxDeps } from './sql-mailbox.js'
import { SqlMailboxHandle } from './sql-mailbox.js'
import type { SqlMailbox } from './sql-mailbox-state.js'
import type { Task, Tasks } from './tasks.js'

/** What an account needs of the store. */
export interface AccountDeps extends MailboxDeps {
  readonly homes: Homes
  readonly tasks: Tasks
  readonly holders: ExclusiveHolders
  apply(ops: readonly Op[]): Promise<readonly Result[]>
}

/** One session's view of a user's mailboxes. */
export class SqlAccount implements Account {
  readonly user: string
  readonly #home: SqlHome
  readonly #deps: AccountDeps
  readonly #stops: Set<() => void>
  #closed: boolean

  /** `home` comes pinned, and is let go by `close`. */
  constructor(home: SqlHome, deps: AccountDeps) {
    this.user = home.user
    this.#home = home
    this.#deps = deps
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
    const { status } = this.#box(this.#directory().require(name)).state
    await this.#deps.queue.durable()
    return status
  }

  async create(name: string, specialUse?: SpecialUse): Promise<MailboxInfo> {
    this.#directory()
    return this.#change((tx, directory) => {
      const names = directory.planCreate(name)
      const made = names[names.length - 1] as string
      const level = directory.get(made)
      if (level !== undefined) this.#deps.homes.dropMailbox(tx, this.#home, level)
      let entry: DirectoryEntry | null = null
      for (const each of names) {
        const use = each === made ? (specialUse ?? null) : null
        entry = this.#deps.homes.addMailbox(tx, this.#home, each, use)
      }
      return directory.info(entry as DirectoryEntry)
    })
  }

  async remove(name: string): Promise<void> {
    const { entry } = this.#directory().planRemove(name)
    if (!entry.selectable) return this.#remove(entry)
    const { lock } = this.#box(entry)
    this.#deps.homes.pin(this.#home)
    await lock.acquire('exclusive')
    try {
      await this.#remove(entry)
    } finally {
      lock.release('exclusive')
      this.#deps.homes.unpin(this.#home)
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const source = this.#directory().find(from)
    if (source?.name === 'INBOX') return this.#renameInbox(source, to)
    await this.#change((tx, directory) => {
      const { levels, moves, prune } = directory.planRename(from, to)
      for (const level of levels) this.#deps.homes.addMailbox(tx, this.#home, level, null)
      for (const { entry, name } of moves) {
        this.#deps.database.run('UPDATE mailbox SET name = ? WHERE id = ?', name, Number(entry.id))
        directory.delete(entry.name)
      }
      for (const { entry, name } of moves) directory.put({ ...entry, name })
      for (const level of prune) this.#deps.homes.dropMailbox(tx, this.#home, level)
    })
  }

  async subscribe(name: string, subscribed: boolean): Promise<void> {
    this.#directory()
    await this.#change((_, directory) => {
      const normal = directory.planSubscribe(name, subscribed)
      this.#deps.database.run(
        subscribed
          ? 'INSERT INTO subscription(account, name) VALUES (?, ?) ON CONFLICT DO NOTHING'
          : 'DELETE FROM subscription WHERE account = ? AND name = ?',
        this.#home.row,
        normal,
      )
      directory.setSubscribed(normal, subscribed)
    })
  }

  async select(name: string, mode: 'read' | 'write' | 'exclusive'): Promise<Mailbox> {
    const entry = this.#directory().require(name)
    const box = this.#box(entry)
    const letGo = this.#deps.holders.take(box.id, mode)
    const { homes } = this.#deps
    homes.pin(this.#home)
    const handle = new SqlMailboxHandle(box, entry.name, mode === 'read', this.#deps, () => {
      letGo()
      homes.unpin(this.#home)
    })
    try {
      await this.#deps.queue.durable()
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
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
    if (this.#closed) return
    this.#closed = true
    for (const stop of this.#stops) stop()
    this.#stops.clear()
    this.#deps.homes.unpin(this.#home)
  }

  /** A change of names in one commit; where it fails, the names go back to what they were. */
  async #change<T>(run: (tx: Tx, directory: Directory) => T): Promise<T> {
    const { homes, queue } = this.#deps
    const { directory } = this.#home
    homes.pin(this.#home)
    try {
      return await queue.submit((tx) => {
        tx.onUndo(directory.save())
        return run(tx, directory)
      })
    } finally {
      homes.unpin(this.#home)
    }
  }

  async #remove(planned: DirectoryEntry): Promise<void> {
    const { homes, tasks } = this.#deps
    const task = await this.#change((tx, directory): Task | null => {
      const { entry, staysAsLevel, prune } = directory.planRemove(planned.name)
      homes.dropMailbox(tx, this.#home, entry)
      if (staysAsLevel) homes.addMailbox(tx, this.#home, entry.name, null, false)
      for (const level of prune) homes.dropMailbox(tx, this.#home, level)
      return entry.selectable ? tasks.begin('drop', Number(entry.id)) : null
    })
    if (task === null) return
    this.#home.watchers.tell(planned.id)
    void tasks.run(task).then(() => this.#deps.contents.collectSoon())
  }

  async #renameInbox(inbox: DirectoryEntry, to: string): Promise<void> {
    const target = await this.create(to)
    const box = this.#box(inbox)
    await box.load(this.#deps.database, this.#deps.folder)
    const { uids } = box.state.snapshot()
    await this.#deps.apply([{ type: 'move', from: inbox.id, uids, to: target.id }])
  }

  #box(entry: DirectoryEntry): SqlMailbox {
    const box = this.#home.boxes.get(entry.id)
    if (box === undefined) throw new MailError('notFound', 'no such mailbox')
    return box
  }

  #directory(): Directory {
    this.#deps.check()
    if (this.#closed) throw new MailError('closed', 'the account is closed')
    return this.#home.directory
  }
}
