import { MailError } from '../../core/index.js'
import type { Logger, MailboxId, SpecialUse } from '../../interfaces/index.js'
import { Columns } from '../columns.js'
import { Directory, type DirectoryEntry, initialMailboxes } from '../directory.js'
import { FlagTable } from '../flags.js'
import type { StoreLimits } from '../limits.js'
import { MailboxState, newHeader } from '../mailbox-state.js'
import { Watchers } from '../watchers.js'
import type { CommitQueue, Tx } from './commit-queue.js'
import type { Database } from './database.js'
import { num, text } from './database.js'
import type { SqlRow } from './driver.js'
import { SqlMailbox } from './sql-mailbox-state.js'

/** Accounts, and messages of mailboxes, that stay in memory with nobody using them. */
const IDLE_ACCOUNTS = 1_000
const IDLE_MESSAGES = 1_000_000
/** Looking for accounts to let go is worth it only now and then. */
const EVICT_EVERY = 64

/** One account in memory, shared by everyone who has it open. */
export interface SqlHome {
  readonly row: number
  readonly user: string
  readonly directory: Directory
  readonly watchers: Watchers
  readonly boxes: Map<MailboxId, SqlMailbox>
  pins: number
}

/** Accounts and their mailboxes, from the database and in memory. */
export class Homes {
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #limits: StoreLimits
  readonly #logger: Logger
  /** By age of use: the one used longest ago is first. */
  readonly #homes: Map<string, SqlHome>
  readonly #owners: Map<MailboxId, SqlHome>
  #unpinned: number

  constructor(database: Database, queue: CommitQueue, limits: StoreLimits, logger: Logger) {
    this.#database = database
    this.#queue = queue
    this.#limits = limits
    this.#logger = logger
    this.#homes = new Map()
    this.#owners = new Map()
    this.#unpinned = 0
  }

  /** The account, made where there is none, pinned. */
  async open(user: string): Promise<SqlHome> {
    const known = this.#homes.get(user) ?? this.#read('SELECT id, name FROM account WHERE name = ?', user)
    if (known !== null) return this.pin(known)
    if (user === '' || /\p{Cc}/u.test(user)) throw new MailError('invalidName', 'not a name a user can have')
    await this.#queue.submit(() => this.#create(user))
    const made = this.#homes.get(user) ?? this.#read('SELECT id, name FROM account WHERE name = ?', user)
    if (made === null) throw new MailError('unavailable', 'the account was not made')
    return this.pin(made)
  }

  /** The account that a mailbox is of. MailError `notFound`. */
  ownerOf(mailbox: MailboxId): SqlHome {
    const known = this.#owners.get(mailbox)
    if (known !== undefined) return known
    const home = /^[1-9][0-9]{0,15}$/.test(mailbox)
      ? this.#read(
          'SELECT id, name FROM account WHERE id = (SELECT account FROM mailbox WHERE id = ?)',
          Number(mailbox),
        )
      : null
    if (home === null || !home.boxes.has(mailbox)) throw new MailError('notFound', 'no such mailbox')
    return home
  }

  boxOf(mailbox: MailboxId): SqlMailbox {
    const box = this.ownerOf(mailbox).boxes.get(mailbox)
    if (box === undefined) throw new MailError('notFound', 'no such mailbox')
    box.check()
    return box
  }

  pin(home: SqlHome): SqlHome {
    home.pins++
    return home
  }

  unpin(home: SqlHome): void {
    if (--home.pins > 0) return
    this.#homes.delete(home.user)
    this.#homes.set(home.user, home)
    if (++this.#unpinned % EVICT_EVERY === 0) this.#evict()
  }

  /** Within a commit: a new mailbox or, with `selectable` false, a level. */
  addMailbox(
    tx: Tx,
    home: SqlHome,
    name: string,
    specialUse: SpecialUse | null,
    selectable = true,
  ): DirectoryEntry {
    const header = newHeader(this.#newUidValidity())
    const row = num(this.#insert(home.row, name, specialUse, selectable, header.uidValidity))
    const entry = { id: String(row), name, specialUse, selectable }
    home.directory.put(entry)
    if (!selectable) return entry
    const state = new MailboxState(header, new FlagTable([], this.#limits.keywords), new Columns())
    this.#addBox(home, new SqlMailbox(row, state, home.watchers))
    tx.onUndo(() => {
      home.boxes.delete(entry.id)
      this.#owners.delete(entry.id)
    })
    return entry
  }

  /** Within a commit: a name and, where it is one, its mailbox are gone. */
  dropMailbox(tx: Tx, home: SqlHome, entry: DirectoryEntry): void {
    this.#database.run('DELETE FROM mailbox WHERE id = ?', Number(entry.id))
    home.directory.delete(entry.name)
    const box = home.boxes.get(entry.id)
    if (box === undefined) return
    box.removed = true
    home.boxes.delete(entry.id)
    this.#owners.delete(entry.id)
    tx.onUndo(() => {
      box.removed = false
      this.#addBox(home, box)
    })
  }

  #create(user: string): void {
    if (this.#database.row('SELECT id FROM account WHERE name = ?', user) !== undefined) return
    const account = num(this.#database.row('INSERT INTO account(name) VALUES (?) RETURNING id', user)?.id)
    for (const { name, specialUse } of initialMailboxes) {
      this.#insert(account, name, specialUse, true, this.#newUidValidity())
      this.#database.run('INSERT INTO subscription(account, name) VALUES (?, ?)', account, name)
    }
  }

  #insert(
    account: number,
    name: string,
    specialUse: SpecialUse | null,
    selectable: boolean,
    uidValidity: number,
  ): number {
    const header = newHeader(uidValidity)
    const row = this.#database.row(
      `INSERT INTO mailbox(account, name, specialUse, selectable, uidValidity, uidNext, highestModSeq, messages,
        unseen, size, recentUid, recent, floor, keywords)
       VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, 0, 0, '[]') RETURNING id`,
      account,
      name,
      specialUse,
      Number(selectable),
      uidValidity,
      header.uidNext,
      header.highestModSeq,
      header.recentUid,
    )
    return num(row?.id)
  }

  /** Greater than every one before, and no less than the seconds since 1970, so that a lost database is noticed. */
  #newUidValidity(): number {
    const row = this.#database.row(
      `INSERT INTO meta(key, value) VALUES ('uidValidity', ?)
       ON CONFLICT(key) DO UPDATE SET value = max(meta.value + 1, excluded.value) RETURNING value`,
      Math.floor(Date.now() / 1000),
    )
    return num(row?.value)
  }

  #read(sql: string, key: string | number): SqlHome | null {
    const account = this.#database.row(sql, key)
    if (account === undefined) return null
    const user = text(account.name)
    const cached = this.#homes.get(user)
    if (cached !== undefined) return cached
    const home: SqlHome = {
      row: num(account.id),
      user,
      directory: new Directory(this.#limits),
      watchers: new Watchers(this.#logger),
      boxes: new Map(),
      pins: 0,
    }
    for (const row of this.#database.all('SELECT * FROM mailbox WHERE account = ?', home.row)) {
      home.directory.put({
        id: String(num(row.id)),
        name: text(row.name),
        specialUse: row.specialUse as SpecialUse | null,
        selectable: row.selectable === 1,
      })
      if (row.selectable === 1) this.#addBox(home, this.#boxOf(row, home.watchers))
    }
    for (const row of this.#database.all('SELECT name FROM subscription WHERE account = ?', home.row)) {
      home.directory.setSubscribed(text(row.name), true)
    }
    this.#homes.set(user, home)
    return home
  }

  #boxOf(row: SqlRow, watchers: Watchers): SqlMailbox {
    const header = {
      uidValidity: num(row.uidValidity),
      uidNext: num(row.uidNext),
      highestModSeq: num(row.highestModSeq),
      messages: num(row.messages),
      unseen: num(row.unseen),
      size: num(row.size),
      recentUid: num(row.recentUid),
      recent: num(row.recent),
      floor: num(row.floor),
    }
    const table = new FlagTable(JSON.parse(text(row.keywords)) as string[], this.#limits.keywords)
    const columns = header.messages === 0 ? new Columns() : null
    return new SqlMailbox(num(row.id), new MailboxState(header, table, columns), watchers)
  }

  #addBox(home: SqlHome, box: SqlMailbox): void {
    home.boxes.set(box.id, box)
    this.#owners.set(box.id, home)
  }

  /** Accounts go as a whole, the one used longest ago first; what anyone uses stays. */
  #evict(): void {
    let messages = 0
    let idle = 0
    for (const home of this.#homes.values()) {
      if (home.pins > 0) continue
      idle++
      for (const box of home.boxes.values()) messages += box.state.loaded ?? 0
    }
    for (const home of this.#homes.values()) {
      if (idle <= IDLE_ACCOUNTS && messages <= IDLE_MESSAGES) return
      if (home.pins > 0) continue
      this.#homes.delete(home.user)
      idle--
      for (const box of home.boxes.values()) {
        messages -= box.state.loaded ?? 0
        // Whoever still had it would write over what the next one to open it does.
        box.removed = true
        this.#owners.delete(box.id)
      }
    }
  }
}
