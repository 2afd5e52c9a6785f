import { describe, expect, it } from 'vitest'
import type { Account, Body, MailStore } from '../../src/interfaces/index.js'
import { silentLogger } from '../../src/interfaces/index.js'
import { type SqlDriver, sqlDrivers } from '../../src/storage/index.js'
import { storeLimits } from '../../src/storage/limits.js'
import { MemoryFiles } from '../../src/storage/messages/memory-files.js'
import { Database } from '../../src/storage/sql/database.js'
import { SqlStore } from '../../src/storage/sql/sql-store.js'
import { type Synced, SyncedFile } from '../../src/storage/sql/synced-file.js'
import { readMessage, stageMessage } from '../../src/testing/store-suite.js'
import { FaultyFiles } from './faulty-files.js'
import { temporaryFolders } from './folders.js'

const newFolder = temporaryFolders()
const octets = Buffer.from('a message')
/** A message of so many octets, and the next one is in a new segment. */
const SEGMENT = 10_000

/** A file whose syncs take as long as the test likes. */
class HeldFile implements Synced {
  syncs = 0
  #open: ((error?: Error) => void)[] = []
  held = false

  sync(): Promise<void> {
    this.syncs++
    if (!this.held) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#open.push((error) => (error === undefined ? resolve() : reject(error)))
    })
  }

  end(error?: Error): void {
    for (const end of this.#open.splice(0)) end(error)
  }

  close(): void {
    this.end()
  }
}

interface Opened {
  readonly store: MailStore
  readonly account: Account
  readonly log: HeldFile
  readonly main: HeldFile
  /** How many messages each commit brought. */
  readonly commits: readonly number[]
  /** While it is set, commits fail. */
  readonly disk: { full: boolean }
  readonly keywordsInDatabase: () => unknown
  readonly messages: FaultyFiles
  /** The segments that the database knows. */
  readonly segments: () => unknown[]
}

/** With redo records up to so many octets before SQLite commits; 0 for none. */
async function open(redo = 0): Promise<Opened> {
  const commits: number[] = []
  const disk = { full: false }
  let jobs = 0
  const driver = (await sqlDrivers.wasm(':memory:')) as SqlDriver
  const database = new Database({
    ...driver,
    prepare: (sql) => {
      const statement = driver.prepare(sql)
      return {
        all: (...values) => statement.all(...values),
        run: (...values) => {
          if (sql.startsWith('INSERT INTO msg')) jobs++
          if (sql === 'COMMIT') {
            if (disk.full) throw new Error('database or disk is full')
            commits.push(jobs)
            jobs = 0
          }
          return statement.run(...values)
        },
      }
    },
  })
  database.prepare()
  const log = new HeldFile()
  const main = new HeldFile()
  const messages = new FaultyFiles(new MemoryFiles())
  const store = new SqlStore({
    database,
    folder: null,
    claimed: null,
    files: { log, main },
    messages: { files: messages, segmentSize: SEGMENT },
    limits: storeLimits(),
    logger: silentLogger,
    amounts: { redo, checkpoint: 4 * 1024 * 1024 },
  })
  await store.resume()
  const account = await store.open('user')
  await turns(4)
  const keywordsInDatabase = () =>
    JSON.parse(String(database.row("SELECT keywords FROM mailbox WHERE name = 'INBOX'")?.keywords))
  const segments = () => database.all('SELECT number FROM segment').map(({ number }) => number)
  return { store, account, log, main, commits, disk, keywordsInDatabase, messages, segments }
}

async function deliver({ store, account }: Opened, text = octets): Promise<void> {
  const body = await stageMessage(store, text)
  const inbox = (await account.find('INBOX'))?.id as string
  try {
    await store.apply([{ type: 'append', body, to: [{ mailbox: inbox, flags: [], internalDate: 0 }] }])
  } finally {
    await body.discard()
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

const failed = { kind: 'unavailable', message: expect.stringContaining('may have lost mail') }

/** Ends a sync with an error, of which all of that work must be told. */
async function failSync(log: HeldFile, work: readonly Promise<unknown>[]): Promise<void> {
  const told = Promise.all(work.map((each) => expect(each).rejects.toMatchObject(failed)))
  log.end(new Error('EIO: i/o error, fdatasync'))
  await told
}

/** One in which the log was moved to the file, which is not on the disk yet. */
async function openMovingLog(): Promise<Opened> {
  const opened = await open()
  const { main } = opened
  main.held = true
  const { syncs } = main
  await deliver(opened)
  await expect.poll(() => main.syncs).toBe(syncs + 1)
  return opened
}

/** Whether it has come to an end, well or not, when nothing else goes on. */
async function isSettled(work: Promise<unknown>): Promise<boolean> {
  let settled = false
  const done = (): void => {
    settled = true
  }
  work.then(done, done)
  await turns(6)
  return settled
}

describe('a commit', () => {
  it('is told of when the log is on the disk, and not before', async () => {
    const opened = await open()
    const { store, account, log } = opened
    const told: string[] = []
    account.watch((mailbox) => told.push(mailbox))
    log.held = true
    const delivered = deliver(opened)
    expect(await isSettled(delivered)).toBe(false)
    expect(told).toEqual([])
    log.end()
    await delivered
    expect(told).toHaveLength(1)
    log.held = false
    await store.close()
  })

  it('is told of when the octets of its messages are on the disk too', async () => {
    const opened = await open()
    const { store, account, log, messages } = opened
    const inbox = await account.select('INBOX', 'write')
    await deliver(opened)
    const { syncs } = log
    const letGo = messages.hold('sync')
    const delivered = deliver(opened)
    await expect.poll(() => log.syncs).toBe(syncs + 1)
    const read = inbox.snapshot()
    expect(await isSettled(Promise.race([delivered, read]))).toBe(false)
    letGo()
    await delivered
    expect((await read).uids).toEqual([1, 2])
    await store.close()
  })

  it('has its numbers told to nobody before it is on the disk', async () => {
    const opened = await open()
    const { store, account, log } = opened
    const inbox = await account.select('INBOX', 'write')
    log.held = true
    const delivered = deliver(opened)
    await turns(6)
    const reads = [
      inbox.snapshot().then(({ uids }) => uids.length),
      inbox.changes(0).then((changes) => (changes === 'expired' ? changes : changes.added.length)),
      account.status('INBOX').then(({ messages }) => messages),
      account.select('INBOX', 'read').then(({ name }) => name),
    ]
    expect(await isSettled(Promise.race(reads))).toBe(false)
    log.end()
    await delivered
    expect(await Promise.all(reads)).toEqual([1, 1, 1, 'INBOX'])
    log.held = false
    await store.close()
  })

  it('is made while the log is synced, once, and is synced next', async () => {
    const opened = await open()
    const { store, account, log, commits } = opened
    for (let i = 0; i < 3; i++) await deliver(opened)
    const bodies = await Promise.all(Array.from({ length: 8 }, () => stageMessage(store, octets)))
    const inbox = (await account.find('INBOX'))?.id as string
    const to = [{ mailbox: inbox, flags: [], internalDate: 0 }]
    const append = (body: Body) => store.apply([{ type: 'append', body, to }])
    log.held = true
    const first = append(bodies[0] as Body)
    await turns(6)
    const before = commits.length
    const { syncs } = log
    const ahead = bodies.slice(1, 4).map(append)
    await turns(9)
    const after = bodies.slice(4).map(append)
    await turns(9)
    expect(commits).toHaveLength(before + 1)
    expect(log.syncs).toBe(syncs)
    log.end()
    await first
    await turns(6)
    expect(log.syncs).toBe(syncs + 1)
    expect(await isSettled(Promise.race([...ahead, account.status('INBOX')]))).toBe(false)
    log.held = false
    log.end()
    await Promise.all([...ahead, ...after])
    // A commit ends after some milliseconds, which one job may take on a busy machine.
    const jobs = commits.slice(before)
    expect(jobs.reduce((sum, each) => sum + each, 0)).toBe(7)
    expect(jobs[1]).toBeGreaterThan(1)
    expect((await account.status('INBOX')).messages).toBe(11)
    await store.close()
  })

  it('made ahead is lost with the one before it, when the log cannot be synced', async () => {
    const opened = await open()
    const { store, log, commits } = opened
    log.held = true
    const lost = deliver(opened)
    await turns(6)
    const before = commits.length
    const ahead = deliver(opened)
    await turns(9)
    expect(commits).toHaveLength(before + 1)
    const { syncs } = log
    await failSync(log, [lost, ahead])
    expect(log.syncs).toBe(syncs)
    await store.close()
  })

  it('of a long job is not made ahead, and nothing is made ahead of its own sync', async () => {
    const opened = await open()
    const { store, account, log, commits } = opened
    await deliver(opened)
    const work = (await account.create('Work')).id
    const body = await stageMessage(store, octets)
    const long = () => {
      const to = Array.from({ length: 200 }, () => ({ mailbox: work, flags: [], internalDate: 0 }))
      return store.apply([{ type: 'append', body, to }])
    }
    await turns(9)
    const before = commits.length
    log.held = true
    const first = deliver(opened)
    await turns(9)
    const second = long()
    await turns(9)
    expect(commits.slice(before)).toEqual([1])
    log.end()
    await first
    await turns(9)
    expect(commits.slice(before)).toEqual([1, 200])
    const third = deliver(opened)
    await turns(9)
    expect(commits.slice(before)).toEqual([1, 200])
    log.held = false
    log.end()
    await Promise.all([second, third])
    expect(commits.slice(before)).toEqual([1, 200, 1])
    await store.close()
  })

  it('that fails while the one before is synced takes no keyword along that it did not write', async () => {
    const opened = await open()
    const { store, account, log, disk, keywordsInDatabase } = opened
    await deliver(opened)
    const { id } = await account.select('INBOX', 'write')
    const add = (flag: string) =>
      store.apply([{ type: 'setFlags', mailbox: id, uids: [1], mode: 'add', flags: [flag] }])
    log.held = true
    const first = add('one')
    await turns(6)
    disk.full = true
    await expect(add('two')).rejects.toMatchObject({ kind: 'diskFull' })
    disk.full = false
    log.held = false
    log.end()
    await first
    await add('two')
    expect(keywordsInDatabase()).toEqual(['one', 'two'])
    await store.close()
  })

  it('whose log cannot be synced is the last: nothing is known of what is on the disk', async () => {
    const opened = await open()
    const { store, account, log } = opened
    log.held = true
    const lost = deliver(opened)
    await turns(6)
    const waiting = account.create('Work')
    const read = account.status('INBOX')
    await failSync(log, [lost, waiting, read])
    log.held = false
    const syncs = log.syncs
    await expect(account.create('More')).rejects.toMatchObject(failed)
    await expect(account.select('INBOX', 'read')).rejects.toMatchObject(failed)
    expect(log.syncs).toBe(syncs)
    await store.close()
  })

  it('waits until the file is on the disk, when the log was moved there: it may begin the log anew', async () => {
    const opened = await openMovingLog()
    const { store, main } = opened
    const next = deliver(opened)
    expect(await isSettled(next)).toBe(false)
    main.held = false
    main.end()
    await next
    await store.close()
  })

  it('is the last when the file cannot be synced', async () => {
    const opened = await openMovingLog()
    const { store, main } = opened
    const next = expect(deliver(opened)).rejects.toMatchObject({ kind: 'unavailable' })
    await turns(6)
    main.end(new Error('EIO: i/o error, fdatasync'))
    await next
    await store.close()
  })

  it('is not made for a message that was only read, or delivered and let go', async () => {
    const opened = await open()
    const { store, account, log } = opened
    const text = 'large '.repeat(50_000)
    const body = await stageMessage(store, text)
    const inbox = await account.select('INBOX', 'write')
    const to = [{ mailbox: inbox.id, flags: [], internalDate: 0 }]
    await store.apply([{ type: 'append', body, to }])
    await turns(20)
    const { syncs } = log
    await body.discard()
    expect((await readMessage(inbox, 1)).length).toBe(text.length)
    await turns(20)
    expect(log.syncs).toBe(syncs)
    await store.close()
  })

  it('is on the disk before a file goes of which it says that nobody needs it', async () => {
    const opened = await open()
    const { store, account, log, messages, segments } = opened
    await deliver(opened)
    const never = await stageMessage(store, Buffer.alloc(SEGMENT))
    await deliver(opened)
    expect(segments()).toEqual([1, 2])
    const { id } = await account.select('INBOX', 'write')
    log.held = true
    void store.apply([{ type: 'expunge', mailbox: id, uids: [1] }])
    while (segments().includes(1)) {
      log.end()
      await turns(1)
    }
    // The file is held by a message that is given up now.
    await never.discard()
    await turns(20)
    expect(messages.calls.remove).toBe(0)
    log.held = false
    log.end()
    await expect.poll(() => messages.calls.remove).toBeGreaterThan(0)
    await store.close()
  })

  it('that nobody is in is not synced', async () => {
    const opened = await open()
    const { store, account, log } = opened
    const { syncs } = log
    await expect(account.create('INBOX')).rejects.toMatchObject({ kind: 'exists' })
    expect(log.syncs).toBe(syncs)
    await store.close()
  })
})

describe('a commit with a redo record', () => {
  const REDO = 256 * 1024

  /** A store with a segment that redo records go to. */
  async function openWithRedo(redo = REDO): Promise<Opened> {
    const opened = await open(redo)
    await deliver(opened)
    return opened
  }

  it('is told of when the message log is on the disk, and not before: SQLite commits nothing', async () => {
    const opened = await openWithRedo()
    const { store, account, log, messages, commits } = opened
    const inbox = await account.select('INBOX', 'write')
    const told: string[] = []
    account.watch((mailbox) => told.push(mailbox))
    const before = [log.syncs, commits.length]
    const letGo = messages.hold('sync')
    const work = [deliver(opened), account.create('Work')]
    const reads = [
      inbox.snapshot().then(({ uids }) => uids.length),
      account.status('INBOX').then(({ messages }) => messages),
    ]
    await turns(6)
    const late = inbox.snapshot()
    expect(await isSettled(Promise.race([...work, late]))).toBe(false)
    expect(told).toEqual([])
    letGo()
    await Promise.all([...work, late])
    expect(told).toHaveLength(1)
    expect((await late).uids).toEqual([1, 2])
    await Promise.all(reads)
    expect([log.syncs, commits.length]).toEqual(before)
    await store.close()
    expect(commits.length).toBeGreaterThan(before[1] as number)
  })

  it('is made while another is synced, and told of after it', async () => {
    const opened = await openWithRedo()
    const { store, messages } = opened
    const { sync, write } = messages.calls
    const letGo = messages.hold('sync')
    const order: number[] = []
    const first = deliver(opened).then(() => order.push(1))
    await turns(6)
    const second = deliver(opened).then(() => order.push(2))
    await turns(6)
    const third = deliver(opened).then(() => order.push(3))
    await turns(6)
    // Each with one write, and one sync; the third waits for one of them.
    expect([messages.calls.write - write, messages.calls.sync - sync, order]).toEqual([2, 2, []])
    letGo()
    await Promise.all([first, second, third])
    expect(order).toEqual([1, 2, 3])
    await store.close()
  })

  it('is not told of before one that SQLite commits, whose log is not on the disk', async () => {
    const opened = await openWithRedo()
    const { store, log, commits } = opened
    const before = commits.length
    log.held = true
    // The segment is full: no redo record fits into it.
    const first = deliver(opened, Buffer.alloc(SEGMENT))
    await turns(9)
    const second = deliver(opened)
    await turns(9)
    expect(commits.length).toBe(before + 1)
    expect(await isSettled(Promise.race([first, second]))).toBe(false)
    log.held = false
    log.end()
    await Promise.all([first, second])
    await store.close()
  })

  it('is the last where the message log cannot be synced', async () => {
    const opened = await openWithRedo()
    const { store, account, messages } = opened
    const letGo = messages.hold('sync')
    messages.fail('sync', 'EIO', 1)
    const lost = deliver(opened)
    await turns(6)
    const ahead = deliver(opened)
    await turns(6)
    const told = Promise.all([lost, ahead].map((each) => expect(each).rejects.toMatchObject(failed)))
    letGo()
    await told
    await expect(account.create('More')).rejects.toMatchObject(failed)
    await expect(account.select('INBOX', 'read')).rejects.toMatchObject(failed)
    await store.close()
  })

  it('is committed by SQLite with others, when so many octets of records have come', async () => {
    const opened = await openWithRedo(4_000)
    const { store, commits, account } = opened
    const before = commits.length
    for (let i = 0; i < 8; i++) await deliver(opened)
    expect(commits.length - before).toBeGreaterThan(0)
    expect(commits.length - before).toBeLessThan(4)
    expect((await account.status('INBOX')).messages).toBe(9)
    await store.close()
    expect(commits.reduce((sum, each) => sum + each, 0)).toBe(9)
  })

  it('is in the file itself after a quiet moment, or later where SQLite cannot commit then', async () => {
    const opened = await openWithRedo()
    const { store, account, commits, disk, log, main } = opened
    const before = [commits.length, log.syncs, main.syncs]
    const is = () => [commits.length, log.syncs, main.syncs]
    await deliver(opened)
    await expect.poll(is).toEqual(before.map((count) => count + 1))
    disk.full = true
    await deliver(opened)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(is()).toEqual(before.map((count) => count + 1))
    await deliver(opened)
    expect((await account.status('INBOX')).messages).toBe(4)
    disk.full = false
    await deliver(opened)
    await expect.poll(is).toEqual(before.map((count) => count + 2))
    await store.close()
  })

  it('keeps a file that has nothing but redo records until the database knows, and then gives it up', async () => {
    const opened = await open(REDO)
    const { store, account, messages, segments } = opened
    await (await stageMessage(store, octets)).discard()
    for (let i = 0; i < 4; i++) await account.create(`Box ${i}`)
    // The segment is left, in which no message is.
    for (let i = 0; i < 2; i++) await (await stageMessage(store, Buffer.alloc(SEGMENT))).discard()
    await expect.poll(() => messages.calls.remove).toBeGreaterThan(0)
    await expect.poll(segments).not.toContain(1)
    expect(await messages.list()).not.toContain(1)
    expect((await account.list()).map(({ name }) => name)).toContain('Box 3')
    await store.close()
  })

  it('is on the disk in the database before a file goes that its record is in', async () => {
    const opened = await openWithRedo()
    const { store, account, log, messages, segments } = opened
    const never = await stageMessage(store, Buffer.alloc(SEGMENT))
    await deliver(opened)
    expect(segments()).toContain(1)
    const { id } = await account.select('INBOX', 'write')
    await store.apply([{ type: 'expunge', mailbox: id, uids: [1] }])
    await expect.poll(segments).not.toContain(1)
    await deliver(opened)
    const { syncs } = log
    log.held = true
    // The file is held by a message that is given up now.
    await never.discard()
    await expect.poll(() => log.syncs).toBeGreaterThan(syncs)
    await turns(9)
    expect(messages.calls.remove).toBe(0)
    log.held = false
    log.end()
    await expect.poll(() => messages.calls.remove).toBeGreaterThan(0)
    await store.close()
  })
})

describe('the log of a database in a folder', () => {
  it('is synced apart from SQLite, which syncs it itself where there is no such file', async () => {
    const folder = newFolder()
    expect(SyncedFile.open(`${folder}/mail.db-wal`)).toBeNull()
    const database = new Database((await sqlDrivers.wasm(`${folder}/mail.db`)) as SqlDriver)
    database.prepare()
    expect(database.row('PRAGMA synchronous')).toEqual({ synchronous: 2 })
    const log = SyncedFile.open(`${folder}/mail.db-wal`)
    database.syncElsewhere()
    expect(database.row('PRAGMA synchronous')).toEqual({ synchronous: 1 })
    await log?.sync()
    log?.close()
    database.close()
    expect(log).not.toBeNull()
  })
})
