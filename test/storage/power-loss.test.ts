import { randomInt } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../../src/interfaces/index.js'
import { openSqliteStore, type SqlDriver, type SqlDriverName, sqlDrivers } from '../../src/storage/index.js'
import { storeLimits } from '../../src/storage/limits.js'
import { Database } from '../../src/storage/sql/database.js'
import { SqlStore } from '../../src/storage/sql/sql-store.js'
import type { Synced } from '../../src/storage/sql/synced-file.js'
import { readMessage, stageMessage } from '../../src/testing/store-suite.js'
import { availableDrivers } from './drivers.js'
import { temporaryFolders } from './folders.js'
import { ForgetfulFiles, SECTOR } from './forgetful-files.js'
import { expectSound } from './invariants.js'

const newFolder = temporaryFolders()
const WRITERS = 12
/** Messages of about 20 KB. */
const MESSAGES = Number(process.env.MAILWRIGHT_POWER_MESSAGES ?? 600)
/** Of each kind: while the file, or a file of messages, is synced, and after that, or SQLite's log, was. */
const MOST_LOSSES = 4
const LOG_HEADER = 32
/** So small that segments are left, and compacted, while all this goes on. */
const SEGMENT = 800_000
/** So small that SQLite commits, and its log is moved to the file, several times. */
const amounts = { redo: 24 * 1024, checkpoint: 192 * 1024 }

/**
 * A file on a disk that keeps for certain only what was in the file when a sync that has ended began. Of what came later
 * it keeps what it likes.
 */
class ForgetfulFile implements Synced {
  readonly #path: string
  readonly #ms: number
  #syncs: number
  /** As it was when the last of the syncs began that have ended; which one that was. */
  #kept: Buffer
  #keptBy: number
  /** Called when a sync has gone on for its milliseconds, and soon after it has ended. */
  onSync: (moment: 'during' | 'after') => void = () => undefined

  constructor(path: string, ms: number) {
    this.#path = path
    this.#ms = ms
    this.#syncs = 0
    this.#kept = readFileSync(path)
    this.#keptBy = 0
  }

  async sync(): Promise<void> {
    const sync = ++this.#syncs
    const now = readFileSync(this.#path)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * this.#ms))
    this.onSync('during')
    if (sync > this.#keptBy) {
      this.#kept = now
      this.#keptBy = sync
    }
    setImmediate(() => this.onSync('after'))
  }

  close(): void {
    this.#kept = Buffer.alloc(0)
  }

  /** The file after a power loss: `keeps` says of each sector that was not synced whether it was written. */
  after(keeps: () => boolean): Buffer {
    const now = readFileSync(this.#path)
    const file = Buffer.alloc(Math.max(now.length, this.#kept.length))
    this.#kept.copy(file)
    for (let at = 0; at < now.length; at += SECTOR) if (keeps()) now.copy(file, at, at, at + SECTOR)
    return file
  }

  /** The same of a log, whose header SQLite itself syncs when it begins the log anew. */
  afterInLog(keeps: () => boolean): Buffer {
    const file = this.after(keeps)
    readFileSync(this.#path).copy(file, 0, 0, LOG_HEADER)
    return file
  }
}

/** What was acknowledged, by UID. */
interface Acknowledged {
  readonly texts: ReadonlyMap<number, string>
  readonly flagged: ReadonlySet<number>
  readonly expunged: ReadonlySet<number>
}

class House {
  readonly folder: string
  readonly log: ForgetfulFile
  readonly main: ForgetfulFile
  readonly messages: ForgetfulFiles
  readonly store: SqlStore
  readonly #texts = new Map<number, string>()
  readonly #flagged = new Set<number>()
  readonly #expunged = new Set<number>()
  /** Something may have been done to them that nobody was told of. */
  readonly #touched = new Set<number>()

  private constructor(folder: string, database: Database) {
    this.folder = folder
    this.log = new ForgetfulFile(join(folder, 'mail.db-wal'), 4)
    this.main = new ForgetfulFile(join(folder, 'mail.db'), 30)
    this.messages = new ForgetfulFiles(6)
    this.store = new SqlStore({
      database,
      folder,
      claimed: null,
      files: this,
      messages: { files: this.messages, segmentSize: SEGMENT },
      limits: storeLimits(),
      logger: silentLogger,
      amounts,
    })
  }

  static async build(folder: string, name: SqlDriverName): Promise<House> {
    const database = new Database((await sqlDrivers[name](join(folder, 'mail.db'))) as SqlDriver)
    database.prepare()
    database.syncElsewhere()
    const house = new House(folder, database)
    await house.store.resume()
    return house
  }

  /** One of many who deliver, flag and perhaps expunge as fast as they are told that it is done. */
  async work(writer: number, expunges: boolean): Promise<void> {
    const account = await this.store.open('user')
    const { id } = await account.select('INBOX', 'write')
    for (let i = 0; i < MESSAGES / WRITERS; i++) {
      // Else all would be in one commit, and wait for it together.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 6))
      // Now and then one that has a segment of its own.
      const text = `${writer}/${i} `.repeat(i % 16 === 9 ? 60_000 : randomInt(10, 8_000))
      const body = await stageMessage(this.store, text)
      const to = [{ mailbox: id, flags: [], internalDate: 0 }]
      const [result] = await this.store.apply([{ type: 'append', body, to }])
      await body.discard()
      const uid = result?.type === 'append' ? (result.placed[0]?.uid ?? 0) : 0
      this.#texts.set(uid, text)
      if (i % 3 === 0) {
        await this.store.apply([
          { type: 'setFlags', mailbox: id, uids: [uid], mode: 'add', flags: ['\\Flagged'] },
        ])
        this.#flagged.add(uid)
      } else if (expunges && i % 8 > 2) {
        this.#touched.add(uid)
        await this.store.apply([{ type: 'expunge', mailbox: id, uids: [uid] }])
        this.#expunged.add(uid)
      }
    }
  }

  acknowledged(): Acknowledged {
    const texts = new Map([...this.#texts].filter(([uid]) => !this.#touched.has(uid)))
    return { texts, flagged: new Set(this.#flagged), expunged: new Set(this.#expunged) }
  }
}

const always = (): boolean => true
const never = (): boolean => false
const perhaps = (): boolean => Math.random() < 0.5
/** What becomes of what was not synced: sectors of the log, of the file, and of the files of messages. */
const fates: readonly (readonly [() => boolean, () => boolean, () => boolean])[] = [
  [never, never, never],
  [never, always, always],
  [always, never, never],
  [never, perhaps, perhaps],
  [always, perhaps, never],
  [perhaps, perhaps, perhaps],
]

describe.each(availableDrivers)('after a power loss under %s', (driver) => {
  it.each([
    ['is expunged, too', true],
    ['is delivered and flagged', false],
  ])(
    'everything acknowledged is there, whatever the disk made of the rest: while mail %s',
    {
      timeout: 120_000,
    },
    async (_, expunges) => {
      const house = await House.build(newFolder(), driver)
      const losses: { readonly folder: string; readonly told: Acknowledged }[] = []
      const lose = (): void => {
        const told = house.acknowledged()
        for (const [ofLog, ofMain, ofMessages] of fates) {
          const folder = join(house.folder, `lost-${losses.length}`)
          mkdirSync(folder)
          writeFileSync(join(folder, 'mail.db-wal'), house.log.afterInLog(ofLog))
          writeFileSync(join(folder, 'mail.db'), house.main.after(ofMain))
          house.messages.writeAfter(join(folder, 'messages'), ofMessages)
          losses.push({ folder, told })
        }
      }
      const now = (count: number, every: number): void => {
        if (count % every === 0 && count <= every * MOST_LOSSES) lose()
      }
      let moves = 0
      house.main.onSync = (moment) => {
        if (moment === 'during') now(++moves, 1)
      }
      let syncs = 0
      house.log.onSync = (moment) => {
        if (moment === 'after') now(++syncs, 4)
      }
      const ofMessages = { during: 0, after: 0 }
      house.messages.onSync = (moment) => now(++ofMessages[moment], 16)
      await Promise.all(Array.from({ length: WRITERS }, (_, writer) => house.work(writer, expunges)))
      expect(moves).toBeGreaterThan(1)
      expect(ofMessages.after).toBeGreaterThan(64)
      expect(house.messages.made).toBeGreaterThan(16)
      if (expunges) {
        // What is collected is committed by SQLite, whose log is then synced.
        expect(syncs).toBeGreaterThan(16)
        expect(house.messages.removed).toBeGreaterThan(1)
      }
      await house.store.close()
      let redone = 0
      const logger: Logger = {
        log: (_, event, fields) => {
          if (event === 'storage.redone') redone += Number(fields?.commits)
        },
      }
      for (const { folder, told } of losses) {
        const store = await openSqliteStore({ path: folder, driver, logger })
        expect(await store.check(true)).toEqual([])
        const account = await store.open('user')
        const inbox = await account.select('INBOX', 'read')
        const { uids, flags } = await inbox.snapshot()
        const there = new Map(uids.map((uid, i) => [uid, flags[i]]))
        for (const [uid, text] of told.texts) {
          expect(there.has(uid)).toBe(true)
          expect((await readMessage(inbox, uid)).equals(Buffer.from(text))).toBe(true)
        }
        for (const uid of told.flagged) expect(there.get(uid)).toContain('\\Flagged')
        for (const uid of told.expunged) expect(there.has(uid)).toBe(false)
        await store.close()
        await expectSound(folder)
        rmSync(folder, { recursive: true })
      }
      if (!expunges) expect(redone).toBeGreaterThan(losses.length / 2)
    },
  )
})
