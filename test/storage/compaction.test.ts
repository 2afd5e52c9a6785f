import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Body, Mailbox, Op } from '../../src/interfaces/index.js'
import { DiskFiles, messagePath } from '../../src/storage/messages/disk-files.js'
import { HEADER } from '../../src/storage/messages/record.js'
import { openStoreOn, type SqlStore } from '../../src/storage/sql/sql-store.js'
import { readMessage, stageMessage } from '../../src/testing/store-suite.js'
import { FaultyFiles } from './faulty-files.js'
import { temporaryFolders } from './folders.js'
import { expectSound, segmentFiles } from './invariants.js'

const newFolder = temporaryFolders()
/** Nine messages of the usual size fill a segment, whatever redo records are between them. */
const SEGMENT = 900_000
const SIZE = 100_000

class House {
  readonly folder: string
  readonly files: FaultyFiles
  readonly store: SqlStore
  readonly inbox: Mailbox
  readonly trash: Mailbox
  readonly events: readonly string[]

  private constructor(parts: Pick<House, 'folder' | 'files' | 'store' | 'inbox' | 'trash' | 'events'>) {
    this.folder = parts.folder
    this.files = parts.files
    this.store = parts.store
    this.inbox = parts.inbox
    this.trash = parts.trash
    this.events = parts.events
  }

  static async open(folder = newFolder()): Promise<House> {
    const files = new FaultyFiles(new DiskFiles(join(folder, 'messages')))
    const events: string[] = []
    const logger = { log: (_: string, event: string) => events.push(event) }
    const store = await openStoreOn({ files, segmentSize: SEGMENT }, { path: folder, logger })
    const account = await store.open('user')
    const inbox = await account.select('INBOX', 'write')
    return new House({ folder, files, store, inbox, trash: await account.select('Trash', 'write'), events })
  }

  async append(body: Body): Promise<void> {
    const to = [{ mailbox: this.inbox.id, flags: [], internalDate: 0 }]
    await this.store.apply([{ type: 'append', body, to }])
    await body.discard()
  }

  /** One after another, so that segments are left between them. */
  async fill(from: number, to: number, size = SIZE): Promise<void> {
    for (let i = from; i <= to; i++) await this.append(await stageMessage(this.store, textOf(i, size)))
  }

  async expunge(uids: readonly number[], mailbox = this.inbox): Promise<void> {
    await this.store.apply([{ type: 'expunge', mailbox: mailbox.id, uids }])
  }

  segments(): number[] {
    return segmentFiles(this.folder)
  }

  /** What is there is as it was, and everything is sound. */
  async end(): Promise<void> {
    await this.expectTexts(this.inbox)
    expect(await this.store.check(true)).toEqual([])
    await this.store.close()
    await expectSound(this.folder)
  }

  async expectTexts(mailbox: Mailbox): Promise<void> {
    const { uids } = await mailbox.snapshot()
    for await (const block of mailbox.messages(uids, { bodyUpTo: 10_000_000 })) {
      for (const { uid, body } of block) {
        expect(Buffer.from(body ?? []).toString()).toBe(textOf(uid, body?.length ?? 0))
      }
    }
  }
}

function textOf(uid: number, size: number): string {
  return `${uid} `.repeat(size).slice(0, size)
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('the space of what is gone', () => {
  it('comes back: segments of no use at once, those mostly of no use when the rest has been moved', async () => {
    const house = await House.open()
    await house.fill(1, 90)
    expect(house.segments()).toEqual(range(1, 10))
    // All of 1 and 2; most of 3 and 4; less than half of 5.
    await house.expunge([...range(1, 18), ...range(20, 27), ...range(28, 32), 37, 38, 39, 40])
    await expect.poll(() => house.segments()).toEqual([5, 6, 7, 8, 9, 10, 11])
    const octets = house.segments().reduce((sum, number) => sum + sizeOf(house, number), 0)
    // 55 that are there, the four of 5 that are not, and redo records.
    expect(octets).toBeGreaterThan(59 * (SIZE + HEADER))
    expect(octets).toBeLessThan(60 * (SIZE + HEADER))
    await house.end()
  })

  it('comes back where a large message was', async () => {
    const house = await House.open()
    await house.fill(1, 3, 400_000)
    expect(house.segments()).toEqual([1, 2, 3])
    await house.expunge([2])
    await expect.poll(() => house.segments()).toEqual([1, 3])
    await house.end()
  })

  it('comes back where a message was never appended', async () => {
    const house = await House.open()
    for (const size of [...Array.from({ length: 9 }, () => SIZE), 400_000])
      await (await stageMessage(house.store, 'x'.repeat(size))).discard()
    await house.fill(1, 1)
    await expect.poll(() => house.segments()).toEqual([3])
    await house.end()
  })

  it('comes back at the next start where there was no time for it', async () => {
    const house = await House.open()
    await house.fill(1, 30)
    await house.expunge(range(2, 20))
    await house.end()
    const again = await House.open(house.folder)
    await expect.poll(() => again.segments().length).toBe(3)
    await again.end()
  })
})

describe('while a segment is compacted', () => {
  /** One whose first segment has two messages left, which are about to be moved. */
  async function compacting(): Promise<{ house: House; letGo: () => void }> {
    const house = await House.open()
    await house.fill(1, 12)
    await house.expunge(range(1, 7))
    const letGo = house.files.hold('sync')
    const { sync } = house.files.calls
    await expect.poll(() => house.files.calls.sync).toBe(sync + 1)
    return { house, letGo }
  }

  it('what is moved can be read, copied and expunged', async () => {
    const { house, letGo } = await compacting()
    expect((await readMessage(house.inbox, 9)).toString()).toBe(textOf(9, SIZE))
    const copy: Op = { type: 'copy', from: house.inbox.id, uids: [8], to: house.trash.id }
    const copied = house.store.apply([copy])
    const expunged = house.expunge([8, 9])
    letGo()
    await Promise.all([copied, expunged])
    await expect.poll(() => house.segments()).toEqual([2])
    expect((await readMessage(house.trash, 1)).toString()).toBe(textOf(8, SIZE))
    await house.end()
  })

  it('the store can be closed, and nothing is lost', async () => {
    const { house, letGo } = await compacting()
    const closed = house.store.close()
    letGo()
    await closed
    const again = await House.open(house.folder)
    await expect.poll(() => again.segments()).not.toContain(1)
    expect((await again.inbox.snapshot()).uids).toEqual(range(8, 12))
    await again.end()
  })

  it('a reader who has begun comes to the end', async () => {
    const { house, letGo } = await compacting()
    const letRead = house.files.hold('read')
    const reads = house.files.calls.read
    const read = readMessage(house.inbox, 8)
    await expect.poll(() => house.files.calls.read).toBe(reads + 1)
    letGo()
    await house.expunge([9])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(house.segments()).toContain(1)
    letRead()
    expect((await read).toString()).toBe(textOf(8, SIZE))
    await expect.poll(() => house.segments()).toEqual([2])
    await house.end()
  })

  it('a full disk only puts it off', async () => {
    const house = await House.open()
    await house.fill(1, 12)
    await house.expunge(range(1, 7))
    house.files.fail('write', 'ENOSPC')
    // It is tried once more since the log goes on in a new segment.
    const failures = () => house.events.filter((event) => event === 'storage.compactionFailed').length
    await expect.poll(failures).toBe(2)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(failures()).toBe(2)
    house.files.heal()
    expect(house.segments()).toContain(1)
    await house.expunge([12])
    await expect.poll(() => house.segments()).not.toContain(1)
    await house.end()
  })
})

describe('a segment stays', () => {
  it('for a message that may still be appended', async () => {
    const house = await House.open()
    await house.fill(1, 5)
    const body = await stageMessage(house.store, textOf(13, SIZE))
    await house.fill(6, 12)
    await house.expunge(range(1, 9))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(house.segments()).toEqual([1, 2])
    const kept = await stageMessage(house.store, textOf(13, SIZE))
    await house.append(body)
    await house.end()
    await kept.discard()
  })

  it('for a message that was appended, expunged, and is appended once more', async () => {
    const house = await House.open()
    const to = [{ mailbox: house.inbox.id, flags: [], internalDate: 0 }]
    for (const size of [SIZE, 400_000]) {
      const body = await stageMessage(house.store, textOf(7, size))
      const [result] = await house.store.apply([{ type: 'append', body, to }])
      const uid = result?.type === 'append' ? (result.placed[0]?.uid ?? 0) : 0
      await house.expunge([uid])
      await new Promise((resolve) => setTimeout(resolve, 50))
      await house.store.apply([
        { type: 'append', body, to: [{ mailbox: house.trash.id, flags: [], internalDate: 0 }] },
      ])
      await body.discard()
    }
    for (const uid of [1, 2]) {
      expect((await readMessage(house.trash, uid)).toString().startsWith('7 7 7 ')).toBe(true)
    }
    await house.end()
  })

  it('for a reader, until the last octet', async () => {
    const house = await House.open()
    await house.fill(1, 1, 1_000_000)
    const reader = house.inbox.read(1)[Symbol.asyncIterator]()
    const pieces = [(await reader.next()).value as Uint8Array]
    await house.expunge([1])
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(house.segments()).toEqual([1])
    for (let next = await reader.next(); next.done !== true; next = await reader.next())
      pieces.push(next.value)
    expect(Buffer.concat(pieces).toString()).toBe(textOf(1, 1_000_000))
    await expect.poll(() => house.segments()).toEqual([])
    await house.end()
  })

  it('until what was moved from it is on the disk', async () => {
    const house = await House.open()
    await house.fill(1, 12)
    await house.expunge(range(1, 7))
    const letGo = house.files.hold('sync')
    const { sync } = house.files.calls
    await expect.poll(() => house.files.calls.sync).toBe(sync + 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(house.segments()).toEqual([1, 2])
    letGo()
    await expect.poll(() => house.segments()).toEqual([2])
    await house.end()
  })

  it('where it is damaged: what can be read of it is moved, and it is told once', async () => {
    const house = await House.open()
    await house.fill(1, 12)
    const path = join(house.folder, 'messages', messagePath(1))
    const octets = readFileSync(path)
    const header = octets.indexOf(textOf(9, 50)) - HEADER
    octets.fill(0, header, header + 4)
    writeFileSync(path, octets)
    await house.expunge(range(1, 7))
    await expect.poll(() => house.events).toContain('storage.messagesLost')
    await house.expunge([12])
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(house.events.filter((event) => event === 'storage.messagesLost')).toHaveLength(1)
    expect(house.segments()).toEqual([1, 2])
    expect((await readMessage(house.inbox, 8)).toString()).toBe(textOf(8, SIZE))
    await expect(readMessage(house.inbox, 9)).rejects.toMatchObject({ kind: 'corrupt' })
    expect(await house.store.check(true)).toEqual([
      'message 9 in segment 1 is damaged, or not where the database says',
    ])
    await house.store.close()
  })
})

function sizeOf(house: House, number: number): number {
  return statSync(join(house.folder, 'messages', messagePath(number))).size
}
