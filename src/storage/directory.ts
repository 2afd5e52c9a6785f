import { MailError } from '../core/index.js'
import type { MailboxId, MailboxInfo, SpecialUse } from '../interfaces/index.js'
import type { StoreLimits } from './limits.js'
import { DELIMITER, levelsAbove, mailboxName, parentOf } from './mailbox-name.js'

/** What every account has from the start. */
export const initialMailboxes: readonly { readonly name: string; readonly specialUse: SpecialUse | null }[] =
  [
    { name: 'INBOX', specialUse: null },
    { name: 'Drafts', specialUse: '\\Drafts' },
    { name: 'Junk', specialUse: '\\Junk' },
    { name: 'Sent', specialUse: '\\Sent' },
    { name: 'Trash', specialUse: '\\Trash' },
  ]

/** A mailbox's place among the names; `selectable` is false for a level that only stands above others. */
export interface DirectoryEntry {
  readonly id: MailboxId
  readonly name: string
  readonly specialUse: SpecialUse | null
  readonly selectable: boolean
}

/** The names of one account. Plans say what a change needs; `put` and `delete` make it so. */
export class Directory {
  readonly #limits: StoreLimits
  #entries: Map<string, DirectoryEntry>
  #names: Map<MailboxId, string>
  #children: Map<string, number>
  #subscribed: Set<string>

  constructor(limits: StoreLimits) {
    this.#limits = limits
    this.#entries = new Map()
    this.#names = new Map()
    this.#children = new Map()
    this.#subscribed = new Set()
  }

  get(name: string): DirectoryEntry | undefined {
    return this.#entries.get(name)
  }

  byId(id: MailboxId): DirectoryEntry | undefined {
    const name = this.#names.get(id)
    return name === undefined ? undefined : this.#entries.get(name)
  }

  entries(): IterableIterator<DirectoryEntry> {
    return this.#entries.values()
  }

  subscriptions(): IterableIterator<string> {
    return this.#subscribed.values()
  }

  /** Keeps everything as it is now; the function returned goes back to it. */
  save(): () => void {
    const entries = new Map(this.#entries)
    const names = new Map(this.#names)
    const children = new Map(this.#children)
    const subscribed = new Set(this.#subscribed)
    return () => {
      this.#entries = entries
      this.#names = names
      this.#children = children
      this.#subscribed = subscribed
    }
  }

  put(entry: DirectoryEntry): void {
    const before = this.#entries.get(entry.name)
    if (before === undefined) this.#count(entry.name, 1)
    else this.#names.delete(before.id)
    this.#entries.set(entry.name, entry)
    this.#names.set(entry.id, entry.name)
  }

  delete(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#names.delete(entry.id)
    this.#count(name, -1)
  }

  /** Every name there is or that is subscribed, sorted by code units. */
  list(): MailboxInfo[] {
    const infos = [...this.#entries.values()].map((entry) => this.info(entry))
    for (const name of this.#subscribed) {
      if (this.#entries.has(name)) continue
      infos.push({ id: '', name, specialUse: null, subscribed: true, selectable: false, hasChildren: false })
    }
    return infos.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  info(entry: DirectoryEntry): MailboxInfo {
    return {
      id: entry.selectable ? entry.id : '',
      name: entry.name,
      specialUse: entry.specialUse,
      subscribed: this.#subscribed.has(entry.name),
      selectable: entry.selectable,
      hasChildren: this.#children.has(entry.name),
    }
  }

  /** The entry of a name in any form, or undefined; a name that no mailbox can have is one that is not there. */
  find(name: string): DirectoryEntry | undefined {
    const exact = this.#entries.get(name)
    if (exact !== undefined) return exact
    try {
      return this.#entries.get(mailboxName(name, this.#limits))
    } catch {
      return undefined
    }
  }

  /** The mailbox of a name. MailError `notFound`, also for a name that cannot be selected. */
  require(name: string): DirectoryEntry {
    const entry = this.find(name)
    if (entry === undefined || !entry.selectable) throw new MailError('notFound', 'no such mailbox')
    return entry
  }

  /** The names to make for a new mailbox, the highest level first and itself last. MailError as `Account.create`. */
  planCreate(given: string): readonly string[] {
    const name = mailboxName(given, this.#limits)
    if (this.#entries.get(name)?.selectable === true) throw new MailError('exists', 'the mailbox exists')
    const missing = this.#missingAbove(name)
    const added = missing.length + (this.#entries.has(name) ? 0 : 1)
    this.#checkCount(added)
    return [...missing, name]
  }

  /**
   * What removing takes: whether the name stays as a level above others, and which levels above it have nothing left
   * to stand above. MailError as `Account.remove`.
   */
  planRemove(given: string): {
    readonly entry: DirectoryEntry
    readonly staysAsLevel: boolean
    readonly prune: readonly DirectoryEntry[]
  } {
    const entry = this.find(given)
    if (entry === undefined) throw new MailError('notFound', 'no such mailbox')
    if (entry.name === 'INBOX') throw new MailError('forbidden', 'INBOX cannot be removed')
    const staysAsLevel = this.#children.has(entry.name)
    if (staysAsLevel && !entry.selectable) throw new MailError('hasChildren', 'the name has inferiors')
    return { entry, staysAsLevel, prune: staysAsLevel ? [] : this.#emptyAbove(entry.name, '') }
  }

  /**
   * What renaming takes: the new levels above `to`, every entry with its new name, and the levels left empty.
   * Not for INBOX. MailError as `Account.rename`.
   */
  planRename(
    from: string,
    given: string,
  ): {
    readonly levels: readonly string[]
    readonly moves: readonly { readonly entry: DirectoryEntry; readonly name: string }[]
    readonly prune: readonly DirectoryEntry[]
  } {
    const source = this.find(from)
    if (source === undefined) throw new MailError('notFound', 'no such mailbox')
    const to = mailboxName(given, this.#limits)
    if (this.#entries.has(to)) throw new MailError('exists', 'the new name is taken')
    const inferiors = `${source.name}${DELIMITER}`
    if (to.startsWith(inferiors)) throw new MailError('invalidName', 'a mailbox cannot go under itself')
    const moves = [{ entry: source, name: to }]
    for (const entry of this.#entries.values()) {
      if (!entry.name.startsWith(inferiors)) continue
      const name = mailboxName(`${to}${entry.name.slice(source.name.length)}`, this.#limits)
      moves.push({ entry, name })
    }
    const levels = this.#missingAbove(to)
    this.#checkCount(levels.length)
    return { levels, moves, prune: this.#emptyAbove(source.name, to) }
  }

  /** The one form of the name, for the caller to put in or out of the subscriptions. MailError `limit`. */
  planSubscribe(given: string, subscribed: boolean): string {
    const name = mailboxName(given, this.#limits)
    if (subscribed && !this.#subscribed.has(name) && this.#subscribed.size >= this.#limits.subscriptions) {
      throw new MailError('limit', `an account has at most ${this.#limits.subscriptions} subscriptions`)
    }
    return name
  }

  setSubscribed(name: string, subscribed: boolean): void {
    if (subscribed) this.#subscribed.add(name)
    else this.#subscribed.delete(name)
  }

  #missingAbove(name: string): string[] {
    return levelsAbove(name)
      .filter((level) => !this.#entries.has(level))
      .reverse()
  }

  /** Levels above a name that is about to go, which will have no inferior left; `to` is a name about to come. */
  #emptyAbove(name: string, to: string): DirectoryEntry[] {
    const empty: DirectoryEntry[] = []
    for (const level of levelsAbove(name)) {
      const entry = this.#entries.get(level)
      if (entry === undefined || entry.selectable || this.#children.get(level) !== 1) break
      if (to.startsWith(`${level}${DELIMITER}`)) break
      empty.push(entry)
    }
    return empty
  }

  #checkCount(added: number): void {
    if (this.#entries.size + added > this.#limits.mailboxes) {
      throw new MailError('limit', `an account has at most ${this.#limits.mailboxes} mailboxes`)
    }
  }

  #count(name: string, by: number): void {
    const parent = parentOf(name)
    if (parent === null) return
    const count = (this.#children.get(parent) ?? 0) + by
    if (count === 0) this.#children.delete(parent)
    else this.#children.set(parent, count)
  }
}
