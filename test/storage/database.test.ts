import { mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { MailStore } from '../../src/interfaces/index.js'
import { MemoryStore, openSqliteStore } from '../../src/storage/index.js'
import { messagePath } from '../../src/storage/messages/disk-files.js'
import { HEADER } from '../../src/storage/messages/record.js'
import { openDriver } from '../../src/storage/sql/driver.js'
import { APPLICATION_ID, VERSION } from '../../src/storage/sql/schema.js'
import { readMessage, stageMessage } from '../../src/testing/store-suite.js'
import { availableDrivers } from './drivers.js'
import { temporaryFolders } from './folders.js'
import { expectSound, segmentFiles, storedContents } from './invariants.js'

const newFolder = temporaryFolders()

async function fill(store: MailStore, count: number, text = 'x'): Promise<string> {
  const account = await store.open('user')
  const inbox = await account.find('INBOX')
  const body = await stageMessage(store, text)
  const to = Array.from({ length: count }, () => ({ mailbox: inbox?.id ?? '', flags: [], internalDate: 0 }))
  await store.apply([{ type: 'append', body, to }])
  await account.close()
  return inbox?.id ?? ''
}

describe('opening a database', () => {
  it('refuses one of a newer version, and says so', async () => {
    const folder = newFolder()
    await (await openSqliteStore({ path: folder })).close()
    const driver = await openDriver(join(folder, 'mail.db'), 'wasm')
    driver.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA user_version=${VERSION + 1}`)
    driver.close()
    await expect(openSqliteStore({ path: folder })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/schema version \d+.*newer/),
    })
  })

  it('refuses one from before the first release, and says what to do', async () => {
    const folder = newFolder()
    const driver = await openDriver(join(folder, 'mail.db'), 'wasm')
    driver.exec(`CREATE TABLE body(x); PRAGMA user_version=1; PRAGMA application_id=${APPLICATION_ID}`)
    driver.close()
    await expect(openSqliteStore({ path: folder })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/schema version 1.*choose another data folder/),
    })
  })

  it('removes files of messages that a crash has left, and keeps the others', async () => {
    const folder = newFolder()
    const store = await openSqliteStore({ path: folder })
    // Much more than its redo record, or its file is worth a compaction soon.
    await fill(store, 1, 'kept '.repeat(1_000))
    await fill(store, 1, 'large '.repeat(100_000))
    await store.close()
    const [first, second] = segmentFiles(folder)
    for (const orphan of [77, 5_000]) {
      const path = join(folder, 'messages', messagePath(orphan))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, 'never acknowledged')
    }
    const again = await openSqliteStore({ path: folder })
    expect(segmentFiles(folder)).toEqual([first, second])
    await fill(again, 1, 'new')
    expect(await again.check(true)).toEqual([])
    await again.close()
    // A number is not given twice where something may still refer to it.
    expect(segmentFiles(folder)).toEqual([first, second, 5_001])
    await expectSound(folder)
  })

  it('tells of messages that are missing, or are not where they should be', async () => {
    const folder = newFolder()
    const store = await openSqliteStore({ path: folder })
    await fill(store, 1, 'first')
    await fill(store, 1, 'second')
    await fill(store, 1, 'large '.repeat(100_000))
    const path = (number: number) => join(folder, 'messages', messagePath(number))
    const log = readFileSync(path(1))
    log[log.indexOf('second') - HEADER + 9] = 9
    writeFileSync(path(1), log)
    truncateSync(path(2), 500_000)
    expect(await store.check()).toEqual([])
    expect(await store.check(true)).toEqual([
      'message 2 in segment 1 is damaged, or not where the database says',
      'message 3 in segment 2 is damaged, or not where the database says',
    ])
    const inbox = await (await store.open('user')).select('INBOX', 'read')
    expect((await readMessage(inbox, 1)).toString()).toBe('first')
    for (const uid of [2, 3]) await expect(readMessage(inbox, uid)).rejects.toMatchObject({ kind: 'corrupt' })
    await store.close()
    rmSync(path(1))
    writeFileSync(path(3), 'of the database that this one is not')
    const events: string[] = []
    const logger = { log: (level: string, event: string) => events.push(`${level} ${event}`) }
    const again = await openSqliteStore({ path: folder, logger })
    expect(events).toContain('error storage.messagesMissing')
    expect(await again.check(true)).toHaveLength(3)
    await again.close()
    expect(segmentFiles(folder)).toEqual([2, 3])
  })

  it('refuses that of another program', async () => {
    const folder = newFolder()
    const driver = await openDriver(join(folder, 'mail.db'), 'wasm')
    driver.exec('CREATE TABLE theirs(x)')
    driver.close()
    await expect(openSqliteStore({ path: folder })).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringContaining('another program'),
    })
  })

  it.each(availableDrivers)('refuses what is no database, under %s', async (name) => {
    const folder = newFolder()
    writeFileSync(
      join(folder, 'mail.db'),
      'this is not a database, and long enough to be told apart'.repeat(200),
    )
    await expect(openSqliteStore({ path: folder, driver: name })).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/damaged.*backup/),
    })
    // The folder is free again.
    await expect(openSqliteStore({ path: folder, driver: name })).rejects.toMatchObject({ kind: 'corrupt' })
  })

  it.each(availableDrivers)('tells what a check finds, under %s', async (name) => {
    const folder = newFolder()
    const store = await openSqliteStore({ path: folder, driver: name })
    await fill(store, 3_000)
    expect(await store.check(true)).toEqual([])
    await store.close()
    const file = join(folder, 'mail.db')
    const octets = readFileSync(file)
    octets.fill(0x5a, octets.length - 40_000, octets.length - 20_000)
    writeFileSync(file, octets)
    const problems = await openSqliteStore({ path: folder, driver: name }).then(
      async (damaged) => {
        const found = await damaged.check(true).catch((error: unknown) => [String(error)])
        await damaged.close()
        return found
      },
      (error: unknown) => [String(error)],
    )
    expect(problems.length).toBeGreaterThan(0)
  })

  it('refuses a path that is a file, and a driver that is not there', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'file'), '')
    await expect(openSqliteStore({ path: join(folder, 'file') })).rejects.toMatchObject({
      code: 'MAIL',
      message: expect.stringContaining('cannot open the mail store'),
    })
    await expect(openSqliteStore({ path: folder, driver: async () => null })).rejects.toMatchObject({
      kind: 'unavailable',
    })
    await expect(openSqliteStore({ path: folder, driver: 'oracle' as 'wasm' })).rejects.toThrow(
      /unknown driver/,
    )
    await expect(openSqliteStore({ path: folder, limits: { keywords: 1 } })).rejects.toThrow(/keywords/)
  })

  it('keeps one in memory as well', async () => {
    const store = await openSqliteStore({ path: ':memory:' })
    await fill(store, 2)
    await store.close()
  })

  it('makes the folder, for its owner only', async () => {
    const folder = join(newFolder(), 'a', 'b')
    await (await openSqliteStore({ path: folder })).close()
    if (process.platform !== 'win32') expect(statSync(folder).mode & 0o777).toBe(0o700)
  })

  it.each(availableDrivers.filter((name) => name !== 'wasm'))(
    'says so where another program has it open, under %s',
    async (name) => {
      const folder = newFolder()
      await (await openSqliteStore({ path: folder, driver: name })).close()
      const theirs = await openDriver(join(folder, 'mail.db'), name)
      theirs.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT')
      await expect(openSqliteStore({ path: folder, driver: name })).rejects.toMatchObject({
        kind: 'inUse',
        message: expect.stringContaining('another program has the database open'),
      })
      theirs.close()
      await (await openSqliteStore({ path: folder, driver: name })).close()
    },
  )
})

describe('records', () => {
  it.each(availableDrivers)('are kept by kind and key, under %s', async (driver) => {
    const folder = newFolder()
    const store = await openSqliteStore({ path: folder, driver })
    const users = store.records('user')
    await Promise.all([users.put('b', '{"x":1}'), users.put('a', '2'), store.records('other').put('c', '3')])
    await users.put('b', '4')
    expect([await users.add('a', '5'), await users.add('d', '6')]).toEqual([false, true])
    expect([await users.delete('d'), await users.delete('d')]).toEqual([true, false])
    if (driver === 'wasm')
      await expect(users.put('a\u0000b', '7')).rejects.toMatchObject({ kind: 'unavailable' })
    await store.close()
    await expect(users.put('x', '')).rejects.toMatchObject({ kind: 'closed' })
    const again = await openSqliteStore({ path: folder, driver })
    const kept = again.records('user')
    expect([await kept.list(), await kept.get('a'), await kept.get('b'), await kept.get('c')]).toEqual([
      ['a', 'b'],
      '2',
      '4',
      null,
    ])
    await again.close()
  })
})

describe('what a store forgets', () => {
  it('says expired once tombstones are over their limit, in memory and in the database', async () => {
    const folder = newFolder()
    const limits = { tombstones: 100 }
    for (const store of [new MemoryStore({ limits }), await openSqliteStore({ path: folder, limits })]) {
      const id = await fill(store, 900)
      for (let uid = 1; uid <= 900; uid += 2) {
        await store.apply([{ type: 'expunge', mailbox: id, uids: [uid] }])
      }
      const inbox = await (await store.open('user')).select('INBOX', 'read')
      await new Promise((resolve) => setTimeout(resolve, 50))
      const { highestModSeq } = await inbox.snapshot()
      expect(await inbox.changes(1)).toBe('expired')
      expect(await inbox.changes(highestModSeq - 50)).toMatchObject({ vanished: { length: 50 } })
      await store.close()
    }
    await expectSound(folder)
  })

  it('collects contents that no mailbox shows any more', async () => {
    const folder = newFolder()
    const store = await openSqliteStore({ path: folder })
    const id = await fill(store, 1, 'large '.repeat(100_000))
    for (let i = 0; i < 300; i++) await fill(store, 1, `small ${i}`)
    await store.apply([{ type: 'expunge', mailbox: id, uids: Array.from({ length: 301 }, (_, i) => i + 1) }])
    await store.close()
    // Its Body may have been reachable until the end; at the next start it is not.
    const again = await openSqliteStore({ path: folder })
    await new Promise((resolve) => setTimeout(resolve, 200))
    await again.close()
    expect(await storedContents(folder)).toEqual({ contents: 0, segments: 0 })
  })

  it('drops what a removed mailbox held', async () => {
    const folder = newFolder()
    const store = await openSqliteStore({ path: folder })
    const account = await store.open('user')
    const { id } = await account.create('big')
    const body = await stageMessage(store, 'x')
    const to = Array.from({ length: 3_000 }, () => ({ mailbox: id, flags: [], internalDate: 0 }))
    await store.apply([{ type: 'append', body, to }])
    await store.apply([{ type: 'expunge', mailbox: id, uids: [1, 3, 5] }])
    await account.remove('big')
    await store.close()
    await (await openSqliteStore({ path: folder })).close()
    await expectSound(folder)
  })

  it('lets go of accounts nobody uses, and finds them again', async () => {
    const store = await openSqliteStore({ path: ':memory:', driver: 'wasm' })
    const ids: string[] = []
    for (let i = 0; i < 1_200; i++) {
      const account = await store.open(`user${i}`)
      ids.push((await account.find('INBOX'))?.id ?? '')
      await account.close()
    }
    const body = await stageMessage(store, 'for all')
    const to = ids.map((mailbox) => ({ mailbox, flags: [], internalDate: 0 }))
    await store.apply([{ type: 'append', body, to }])
    const first = await store.open('user0')
    expect((await first.status('INBOX')).messages).toBe(1)
    await store.close()
  })
})
