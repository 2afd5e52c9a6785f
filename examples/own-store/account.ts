import {
  type Account,
  type Mailbox,
  type MailboxId,
  type MailboxInfo,
  type MailboxStatus,
  MailError,
  type SpecialUse,
} from 'mailwright'
import { tell } from './box.js'
import { type Entry, expectName, type Home, levelsAbove, normalName } from './home.js'
import { OwnMailbox } from './mailbox.js'
import type { OwnStore } from './store.js'

/** One session's hold on a user's mailboxes. */
export class OwnAccount implements Account {
  readonly user: string
  readonly #store: OwnStore
  readonly #itsHome: Home
  readonly #watching: Set<(mailbox: MailboxId) => void>

  constructor(user: string, home: Home, store: OwnStore) {
    this.user = user
    this.#store = store
    this.#itsHome = home
    this.#watching = new Set()
  }

  async list(): Promise<readonly MailboxInfo[]> {
    const { entries, subscribed } = this.#home
    return [...new Set([...entries.keys(), ...subscribed])].sort().map((name) => this.#home.info(name))
  }

  async find(name: string): Promise<MailboxInfo | null> {
    const normal = normalName(name)
    return this.#home.entries.has(normal) ? this.#home.info(normal) : null
  }

  async status(name: string): Promise<MailboxStatus> {
    return this.#home.expectBox(name).status()
  }

  async create(name: string, specialUse: SpecialUse | null = null): Promise<MailboxInfo> {
    const normal = expectName(name)
    const { box = null } = this.#home.entries.get(normal) ?? {}
    if (box !== null) throw new MailError('exists', `there is a mailbox ${normal}`)
    this.#home.expectRoom()
    this.#makeLevels(normal)
    this.#store.addBox(this.#home, normal, specialUse)
    return this.#home.info(normal)
  }

  async remove(name: string): Promise<void> {
    const home = this.#home
    const normal = normalName(name)
    const entry = home.entries.get(normal)
    if (normal === 'INBOX') throw new MailError('forbidden', 'INBOX cannot be removed')
    if (entry === undefined) throw new MailError('notFound', `no mailbox ${name}`)
    if (entry.box === null) throw new MailError('hasChildren', `${normal} is a level above others`)
    this.#store.removeBox(entry.box)
    if (home.below(normal).length > 0) {
      home.entries.set(normal, { box: null, specialUse: null })
    } else {
      home.entries.delete(normal)
      home.prune(normal)
    }
    tell(home.watchers, entry.box.id)
  }

  async rename(from: string, to: string): Promise<void> {
    const home = this.#home
    const source = normalName(from)
    const target = expectName(to)
    if (!home.entries.has(source)) throw new MailError('notFound', `no mailbox ${from}`)
    if (source === 'INBOX') {
      await this.#moveInbox(target)
      return
    }
    if (home.entries.has(target)) throw new MailError('exists', `there is a mailbox ${target}`)
    if (target.startsWith(`${source}/`)) throw new MailError('invalidName', `${target} is below ${source}`)
    const moves = [source, ...home.below(source)].map(
      (before) => [before, expectName(`${target}${before.slice(source.length)}`)] as const,
    )
    home.expectRoom()
    this.#makeLevels(target)
    for (const [before, after] of moves) {
      home.entries.set(after, home.entries.get(before) as Entry)
      home.entries.delete(before)
    }
    home.prune(source)
  }

  async subscribe(name: string, subscribed: boolean): Promise<void> {
    const home = this.#home
    if (subscribed) {
      const normal = expectName(name)
      home.expectRoom()
      home.subscribed.add(normal)
    } else {
      home.subscribed.delete(normalName(name))
    }
  }

  async select(name: string, mode: 'read' | 'write' | 'exclusive'): Promise<Mailbox> {
    const box = this.#home.expectBox(name)
    if (mode === 'exclusive' && box.locked) throw new MailError('inUse', 'another session has the mailbox')
    return new OwnMailbox(box, normalName(name), mode, this.#store)
  }

  watch(listener: (mailbox: MailboxId) => void): () => void {
    const { watchers } = this.#home
    const watcher = (mailbox: MailboxId): void => listener(mailbox)
    watchers.add(watcher)
    this.#watching.add(watcher)
    return () => {
      watchers.delete(watcher)
      this.#watching.delete(watcher)
    }
  }

  async close(): Promise<void> {
    for (const watcher of this.#watching) this.#itsHome.watchers.delete(watcher)
    this.#watching.clear()
  }

  /** MailError `closed` when the store is. */
  get #home(): Home {
    this.#store.check()
    return this.#itsHome
  }

  #makeLevels(name: string): void {
    for (const level of levelsAbove(name)) {
      if (!this.#home.entries.has(level)) this.#store.addBox(this.#home, level, null)
    }
  }

  /** RFC 3501 section 6.3.5: the messages of INBOX go, INBOX itself and what is below it stay. */
  async #moveInbox(target: string): Promise<void> {
    await this.create(target)
    const inbox = this.#home.expectBox('INBOX')
    const uids = [...inbox.contents.messages.keys()]
    await this.#store.apply([{ type: 'move', from: inbox.id, uids, to: this.#home.expectBox(target).id }])
  }
}
