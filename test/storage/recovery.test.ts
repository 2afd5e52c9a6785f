import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Mailbox, Op } from '../../src/interfaces/index.js'
import type { SqlStore, sqlDrivers } from '../../src/storage/index.js'
import { DiskFiles, messagePath } from '../../src/storage/messages/disk-files.js'
import { MemoryFiles } from '../../src/storage/messages/memory-files.js'
import { HEADER } from '../../src/storage/messages/record.js'
import { openStoreOn } from '../../src/storage/sql/sql-store.js'
import { readMessage, stageMessage } from '../../src/testing/store-suite.js'
import { availableDrivers } from './drivers.js'
import { FaultyFiles } from './faulty-files.js'
import { temporaryFolders } from './folders.js'
import { expectSound } from './invariants.js'

const newFolder = temporaryFolders()

type AppendTarget = Extract<Op, { type: 'append' }>['to'][number]

interface House {
  readonly files: FaultyFiles
  readonly store: SqlStore
  readonly inbox: Mailbox
  readonly trash: Mailbox
  readonly events: readonly unknown[]
}

async function open(folder: string, driver: keyof typeof sqlDrivers): Promise<House> {
  const memory = folder === ':memory:'
  const files = new FaultyFiles(memory ? new MemoryFiles() : new DiskFiles(join(folder, 'messages')))
  const events: unknown[] = []
  const logger = {
    log: (level: string, event: string, fields: object = {}) => events.push([level, event, fields]),
  }
  const store = await openStoreOn({ files }, { path: folder, driver, logger })
  const account = await store.open('user')
  const inbox = await account.select('INBOX', 'write')
  return { files, store, inbox, trash: await account.select('Trash', 'write'), events }
}

async function append(store: SqlStore, text: string, to: readonly AppendTarget[]): Promise<void> {
  const body = await stageMessage(store, text)
  await store.apply([{ type: 'append', body, to }])
  await body.discard()
}

const to = ({ id }: Mailbox, ...flags: string[]): AppendTarget => ({ mailbox: id, flags, internalDate: 0 })

async function textsOf(mailbox: Mailbox): Promise<string[]> {
  const { uids } = await mailbox.snapshot()
  return Promise.all(
    uids.map(async (uid) => (await readMessage(mailbox, uid)).toString().replace(/\.+$/, '')),
  )
}

const text = (name: string): string => name.padEnd(2_000, '.')

/** What `change` makes of the segment that all small messages of the folder are in. */
function damage(folder: string, change: (octets: Buffer) => Buffer): void {
  const path = join(folder, 'messages', messagePath(1))
  writeFileSync(path, change(readFileSync(path)))
}

/** Sectors that were never written, in the middle of what begins with `name`. */
const without =
  (name: string) =>
  (octets: Buffer): Buffer => {
    const at = octets.indexOf(`${name}..`) + 700
    return octets.fill(0, at, at + 512)
  }

/** The same, of the redo record behind it. */
const withoutRedo =
  (name: string) =>
  (octets: Buffer): Buffer => {
    const at = octets.indexOf('{"store"', octets.indexOf(`${name}..`))
    return octets.fill(0, at + 50, at + 60)
  }

/** What was written before the record that begins with `name`. */
const upTo =
  (name: string) =>
  (octets: Buffer): Buffer =>
    octets.subarray(0, octets.indexOf(`${name}..`) - HEADER)

/** The folder of a store that told of a and b, and whose power failed while the octets of c and d were synced. */
async function lostWhileSyncing(driver: keyof typeof sqlDrivers): Promise<string> {
  const folder = newFolder()
  const { files, store, inbox, trash } = await open(folder, driver)
  await append(store, text('a'), [to(inbox)])
  await append(store, text('b'), [to(inbox, '\\Seen')])
  const letGo = files.hold('sync')
  let told = 0
  const tell = (): void => {
    told++
  }
  const c = append(store, text('c'), [to(inbox), to(trash, '\\Seen'), to(inbox, '\\Seen')]).then(tell)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const d = append(store, text('d'), [to(inbox)]).then(tell)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const lost = join(newFolder(), 'lost')
  const name = (path: string) => path.slice(folder.length)
  cpSync(folder, lost, { recursive: true, filter: (path) => !/sock|lock/.test(name(path)) })
  expect(told).toBe(0)
  letGo()
  await Promise.all([c, d])
  await store.close()
  return lost
}

/** The folder of a store that told of a, and was closed. */
async function closed(driver: keyof typeof sqlDrivers): Promise<string> {
  const folder = newFolder()
  const { store, inbox } = await open(folder, driver)
  await append(store, text('a'), [to(inbox)])
  await store.close()
  return folder
}

describe.each(availableDrivers)('a start after a power loss under %s', (driver) => {
  it.each([
    ['nothing', (octets: Buffer) => octets, ['a', 'b', 'c', 'c', 'd'], ['c'], 0, 6],
    ['sectors of the last message', without('d'), ['a', 'b', 'c', 'c'], ['c'], 1, 6],
    ['the end of the file', (octets: Buffer) => octets.subarray(0, -1), ['a', 'b', 'c', 'c'], ['c'], 0, 5],
    ['the last redo record', withoutRedo('d'), ['a', 'b', 'c', 'c'], ['c'], 0, 5],
    ['the last message', upTo('d'), ['a', 'b', 'c', 'c'], ['c'], 0, 5],
    ['sectors of a message before it', without('c'), ['a', 'b'], [], 4, 6],
    ['the redo record before it', withoutRedo('c'), ['a', 'b'], [], 0, 3],
    ['all that was not synced', upTo('c'), ['a', 'b'], [], 0, 3],
  ])(
    'that took %s: what is damaged was never told of, and is gone',
    async (_, change, inInbox, inTrash, removed, next) => {
      const folder = await lostWhileSyncing(driver)
      damage(folder, change)
      const { files, store, inbox, trash, events } = await open(folder, driver)
      // What the system has of it, and the disk has not, is synced.
      expect(files.calls.sync).toBe(1)
      const told = ['warn', 'storage.unfinishedRemoved', { messages: removed }]
      expect(events.filter((event) => JSON.stringify(event) === JSON.stringify(told))).toHaveLength(
        Math.sign(removed),
      )
      expect([await textsOf(inbox), await textsOf(trash)]).toEqual([inInbox, inTrash])
      expect(await store.check(true)).toEqual([])
      // The numbers of what was removed are not given again.
      await append(store, text('e'), [to(inbox)])
      expect((await inbox.snapshot()).uids.at(-1)).toBe(next)
      await store.close()
      const again = await open(folder, driver)
      expect(await textsOf(again.inbox)).toEqual([...inInbox, 'e'])
      expect(again.events).not.toContainEqual(expect.arrayContaining(['storage.unfinishedRemoved']))
      await again.store.close()
      await expectSound(folder)
    },
  )

  it.each([
    ['after a power loss', lostWhileSyncing, [1, 2, 3, 4, 5]],
    ['of a store that was closed', closed, [1]],
  ])('keeps what was told of, and is damaged: a check says so, %s', async (_, make, uids) => {
    const folder = await make(driver)
    damage(folder, without('a'))
    const { store, inbox } = await open(folder, driver)
    expect((await inbox.snapshot()).uids).toEqual(uids)
    expect(await store.check(true)).toEqual([
      'message 1 in segment 1 is damaged, or not where the database says',
    ])
    await store.close()
  })
})

describe('a message', () => {
  it('is told of when its octets are on the disk, where SQLite syncs the commit itself too', async () => {
    const { files, store, inbox } = await open(':memory:', 'wasm')
    await append(store, text('a'), [to(inbox)])
    const letGo = files.hold('sync')
    const ended: string[] = []
    const appended = append(store, text('b'), [to(inbox)]).then(() => ended.push('appended'))
    await expect.poll(() => files.calls.sync).toBe(2)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const read = inbox.snapshot().then(() => ended.push('read'))
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(ended).toEqual([])
    letGo()
    await Promise.all([appended, read])
    await store.close()
  })
})
