import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../src/core/crc.js'
import { DiskFiles, messagePath } from '../../src/storage/messages/disk-files.js'
import { ROOM } from '../../src/storage/messages/large-message.js'
import type { Appended } from '../../src/storage/messages/log-queue.js'
import { MemoryFiles } from '../../src/storage/messages/memory-files.js'
import { MessageLog } from '../../src/storage/messages/message-log.js'
import {
  isIntact,
  readRecord,
  readRecords,
  type StoredRecord,
} from '../../src/storage/messages/read-records.js'
import {
  HEADER,
  offsetOf,
  placeOf,
  readHeader,
  SEGMENT,
  segmentOf,
  writeHeader,
} from '../../src/storage/messages/record.js'
import { FaultyFiles } from './faulty-files.js'
import { temporaryFolders } from './folders.js'

const newFolder = temporaryFolders()

function recordOf(cid: number, octets: Buffer): Buffer {
  const record = Buffer.concat([Buffer.alloc(HEADER), octets])
  writeHeader(record, 0, { cid, size: octets.length, sum: crc32(octets) })
  return record
}

class Bench {
  readonly files: FaultyFiles
  readonly log: MessageLog
  readonly letGo: number[] = []
  readonly failures: unknown[] = []
  /** Whose records are needed no more. */
  readonly done: number[] = []
  #cid = 0

  constructor(segmentSize = SEGMENT, files = new FaultyFiles(new MemoryFiles())) {
    this.files = files
    this.log = new MessageLog({
      files,
      segmentSize,
      letGo: (segment) => this.letGo.push(segment),
      fatal: (error) => {
        this.failures.push(error)
        return new Error('no more')
      },
    })
  }

  async append(octets: Buffer): Promise<StoredRecord> {
    const { record, appended } = await this.put(octets)
    if (appended.lost !== null) throw appended.lost
    return record
  }

  /** Without a look at whether it is lost. */
  async put(octets: Buffer): Promise<{ readonly record: StoredRecord; readonly appended: Appended }> {
    const cid = ++this.#cid
    const done = (): void => {
      this.done.push(cid)
    }
    const appended = await this.log.queue.append(cid, recordOf(cid, octets), done)
    return { record: { cid, size: octets.length, place: appended.place }, appended }
  }

  async read(record: StoredRecord, from = 0, to = record.size): Promise<Buffer> {
    const pieces: Uint8Array[] = []
    for await (const piece of readRecord(this.log.segments, record, from, to)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  async large(pieces: readonly Buffer[], prefix: Buffer): Promise<StoredRecord> {
    const message = this.log.beginLarge()
    for (const piece of pieces) await message.write(piece)
    const cid = ++this.#cid
    const size = pieces.reduce((sum, piece) => sum + piece.length, prefix.length)
    return { cid, size, place: await message.seal(cid, prefix) }
  }
}

describe('a record', () => {
  it('has a header that says whose it is and how long', () => {
    const buffer = Buffer.alloc(3 * HEADER)
    for (const header of [
      { cid: 0, size: 0, sum: 0 },
      { cid: 1, size: 4 * 1024 ** 3 + 17, sum: 5 },
      { cid: 2 ** 48 - 1, size: 2 ** 48 - 1, sum: 2 ** 32 - 1 },
    ]) {
      writeHeader(buffer, 5, header)
      expect(readHeader(buffer, 5)).toEqual(header)
    }
    expect(readHeader(buffer, 4)).toBeNull()
    expect(readHeader(buffer.subarray(0, 5 + HEADER - 1), 5)).toBeNull()
    expect(readHeader(Buffer.alloc(HEADER), 0)).toBeNull()
  })

  it('has no header where a part of it was lost', () => {
    const whole = Buffer.alloc(HEADER)
    writeHeader(whole, 0, { cid: 2 ** 40 + 7, size: 9_000, sum: 0xc0ffee11 })
    for (let cut = 1; cut < HEADER; cut++) {
      expect(readHeader(Buffer.from(whole).fill(0, cut), 0)).toBeNull()
      expect(readHeader(Buffer.from(whole).fill(0, 0, cut), 0)).toBeNull()
    }
  })

  it.each([
    [1, 0],
    [1, SEGMENT - 1],
    [2, 0],
    [134_217_727, SEGMENT - 1],
  ])('has a place that is one number: segment %d, offset %d', (segment, offset) => {
    const place = placeOf(segment, offset)
    expect(place).toBeLessThan(2 ** 53)
    expect([segmentOf(place), offsetOf(place)]).toEqual([segment, offset])
  })
})

describe('the log', () => {
  const redo = Buffer.from('a redo record')

  it('gives places at once, and writes by one call what has come, a redo record behind it', async () => {
    const { files, log, append, read, done } = bound(new Bench())
    const first = await append(Buffer.from('of a new file'))
    const { write, sync } = files.calls
    const texts = Array.from({ length: 20 }, (_, i) => Buffer.from(`message ${i}`))
    const records = await Promise.all(texts.map(append))
    let end = HEADER + first.size
    for (const { place, size } of records) {
      expect([segmentOf(place), offsetOf(place)]).toEqual([1, end])
      end += HEADER + size
    }
    expect([files.calls.write - write, done]).toEqual([0, [1]])
    expect([log.queue.flush(redo), files.pieces.at(-1), done]).toEqual([true, 21, [1, ...cids(records)]])
    await log.queue.syncNow()
    expect([files.calls.write - write, files.calls.sync - sync]).toEqual([1, 1])
    expect(log.queue.end).toBe(placeOf(1, end + redo.length))
    const octets = Buffer.alloc(redo.length)
    await log.segments.read(1, octets, end)
    expect(octets).toEqual(redo)
    expect(await Promise.all(records.map((record) => read(record)))).toEqual(texts)
    await log.close()
    expect(done).toEqual([1, ...cids(records)])
  })

  it('writes what waits when it is read, when it is much, and when the log is closed', async () => {
    const { files, log, append, large, read } = bound(new Bench())
    await append(Buffer.from('of a new file'))
    const other = await large([Buffer.from('by itself')], Buffer.alloc(0))
    const { write } = files.calls
    const record = await append(Buffer.from('read'))
    expect((await read(other)).toString()).toBe('by itself')
    expect(files.calls.write - write).toBe(0)
    expect((await read(record)).toString()).toBe('read')
    expect(files.calls.write - write).toBe(1)
    const quarter = Buffer.alloc(64 * 1024 - HEADER)
    for (let i = 0; i < 3; i++) await append(quarter)
    expect(files.calls.write - write).toBe(1)
    await append(quarter)
    expect([files.calls.write - write, files.pieces.at(-1)]).toEqual([2, 4])
    await append(Buffer.from('last'))
    const { sync } = files.calls
    expect(files.calls.write - write).toBe(2)
    await log.close()
    expect([files.calls.write - write, files.calls.sync - sync]).toEqual([3, 1])
  })

  it('takes no redo record where there is no room for it, and then writes nothing', async () => {
    const { files, log, append } = bound(new Bench(200))
    expect(log.queue.flush(redo)).toBe(false)
    expect(log.queue.flush()).toBe(true)
    await append(Buffer.alloc(100))
    await append(Buffer.alloc(60))
    const { write } = files.calls
    expect([log.queue.flush(redo), files.calls.write - write]).toEqual([false, 0])
    // Full: nothing more comes before its last octet, and nothing at all.
    expect(log.queue.end).toBe(placeOf(1, 199))
    await append(Buffer.alloc(1))
    expect(log.queue.end).toBe(placeOf(2, HEADER + 1))
  })

  it('takes a redo record that just fits, also where nothing else waits', async () => {
    const { files, log, append } = bound(new Bench(HEADER + 100 + 2 * redo.length))
    await append(Buffer.alloc(100))
    const { write } = files.calls
    expect([log.queue.flush(redo), log.queue.flush(redo), log.queue.flush(redo)]).toEqual([true, true, false])
    expect([files.calls.write - write, files.pieces.at(-1)]).toEqual([2, 1])
    const octets = Buffer.alloc(3 * redo.length)
    expect(await log.segments.read(1, octets, HEADER + 100)).toBe(2 * redo.length)
    expect(octets.subarray(0, 2 * redo.length)).toEqual(Buffer.concat([redo, redo]))
    expect(segmentOf((await append(Buffer.alloc(1))).place)).toBe(2)
  })

  it('says where the next record goes, also while its segment is made and when one was left', async () => {
    const { files, log, append, put } = bound(new Bench())
    expect(log.queue.end).toBe(placeOf(1, 0))
    const letGo = files.hold('create')
    const first = append(Buffer.alloc(10))
    await expect.poll(() => files.calls.create).toBe(1)
    expect([log.queue.end, log.queue.flush(redo)]).toEqual([placeOf(1, 0), false])
    letGo()
    expect((await first).place).toBe(placeOf(1, 0))
    const { record } = await put(Buffer.alloc(10))
    expect([record.place, log.queue.end]).toEqual([placeOf(1, HEADER + 10), placeOf(1, 2 * (HEADER + 10))])
    files.fail('write', 'EIO', 1)
    expect(() => log.queue.flush()).toThrow('EIO')
    expect(log.queue.end).toBe(placeOf(2, 0))
    expect((await append(Buffer.alloc(10))).place).toBe(placeOf(2, 0))
  })

  it('says whose octets are not on the disk, and ends no sync before those that began earlier', async () => {
    const { files, log, append } = bound(new Bench())
    const { queue } = log
    const nobody = Number.POSITIVE_INFINITY
    await append(Buffer.from('of a new file'))
    expect([queue.syncNow(), queue.syncedBelow]).toEqual([null, nobody])
    await append(Buffer.from('2'))
    expect(queue.syncedBelow).toBe(2)
    const letGo = files.hold('sync')
    const ended: string[] = []
    const first = queue.syncNow()?.then(() => ended.push('first'))
    const { sync } = files.calls
    await append(Buffer.from('3'))
    const late = files.hold('sync')
    const second = queue.syncNow()?.then(() => ended.push('second'))
    expect([files.calls.sync - sync, queue.syncedBelow]).toEqual([1, 2])
    late()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect([ended, queue.syncedBelow]).toEqual([[], 2])
    letGo()
    await Promise.all([first, second])
    expect([ended, queue.syncNow(), queue.syncedBelow]).toEqual([['first', 'second'], null, nobody])
  })

  it('says the lowest number of what was written and is not synced, until the last sync ends', async () => {
    const { files, log, append } = bound(new Bench())
    const { queue } = log
    await append(Buffer.from('of a new file'))
    for (const text of ['2', '3']) {
      await append(Buffer.from(text))
      queue.flush()
      expect(queue.syncedBelow).toBe(2)
    }
    const endFirst = files.hold('sync')
    const { sync } = files.calls
    const first = queue.syncNow()
    expect([queue.syncNow(), files.calls.sync - sync]).toEqual([first, 1])
    await append(Buffer.from('4'))
    const endSecond = files.hold('sync')
    const second = queue.syncNow()
    expect([files.calls.sync - sync, queue.syncedBelow]).toEqual([2, 2])
    endFirst()
    await first
    expect(queue.syncedBelow).toBe(4)
    await append(Buffer.from('5'))
    queue.flush()
    expect(queue.syncedBelow).toBe(4)
    endSecond()
    await second
    expect(queue.syncedBelow).toBe(5)
    await queue.syncNow()
    expect([queue.syncedBelow, files.calls.sync - sync]).toEqual([Number.POSITIVE_INFINITY, 3])
  })

  it('has whoever comes wait for the last sync while that goes on', async () => {
    const { files, log, append } = bound(new Bench())
    await append(Buffer.from('of a new file'))
    const ends: (() => void)[] = []
    const syncs: (Promise<void> | null)[] = []
    for (const text of ['2', '3']) {
      ends.push(files.hold('sync'))
      await append(Buffer.from(text))
      syncs.push(log.queue.syncNow())
    }
    ends[0]?.()
    await syncs[0]
    expect(log.queue.syncNow()).toBe(syncs[1])
    ends[1]?.()
    await syncs[1]
    expect(log.queue.syncNow()).toBeNull()
  })

  it('has a new segment on the disk before anyone refers to it, and the one before as a whole', async () => {
    const { files, append } = bound(new Bench(100))
    let letGo = files.hold('sync')
    let told = 0
    const tell = (): void => {
      told++
    }
    const first = append(Buffer.alloc(50)).then(tell)
    await expect.poll(() => files.calls.sync).toBe(1)
    expect(told).toBe(0)
    letGo()
    await first
    letGo = files.hold('sync')
    await append(Buffer.alloc(50))
    const third = append(Buffer.alloc(50)).then(tell)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([files.calls.create, files.calls.sync, told]).toEqual([1, 2, 1])
    letGo()
    await third
    expect([files.calls.create, files.calls.sync]).toEqual([2, 3])
  })

  it('goes on in a new segment where one is full; a record begins below its end', async () => {
    const { files, log, append, read, letGo } = bound(new Bench(1_000))
    const texts = Array.from({ length: 7 }, (_, i) => Buffer.alloc(500 - HEADER, `${i}`))
    const records = await Promise.all(texts.map(append))
    expect(records.map(({ place }) => [segmentOf(place), offsetOf(place)])).toEqual([
      [1, 0],
      [1, 500],
      [2, 0],
      [2, 500],
      [3, 0],
      [3, 500],
      [4, 0],
    ])
    const longest = await append(Buffer.alloc(5_000, 'z'))
    expect([segmentOf(longest.place), offsetOf(longest.place)]).toEqual([4, 500])
    expect(await Promise.all(records.map((record) => read(record)))).toEqual(texts)
    expect(await read(longest)).toEqual(Buffer.alloc(5_000, 'z'))
    expect([files.calls.create, letGo]).toEqual([4, []])
    // Segments that are left are told of when the last record's holder lets go.
    for (const { place } of records.slice(0, 2)) log.segments.release(segmentOf(place))
    expect(letGo).toEqual([1])
  })

  it('leaves a segment where a write failed, takes back what it left, and says what is lost', async () => {
    const { files, log, append, put, read, letGo, done } = bound(new Bench())
    const before = await append(Buffer.from('before'))
    const lost = [await put(Buffer.alloc(1_000)), await put(Buffer.alloc(10))]
    files.fail('write', 'EIO', 1)
    expect(() => log.queue.flush(redo)).toThrow('EIO')
    expect(lost.map(({ appended }) => appended.lost)).toEqual([
      expect.objectContaining({ code: 'EIO' }),
      expect.objectContaining({ code: 'EIO' }),
    ])
    expect(done).toEqual([1, 2, 3])
    const after = await append(Buffer.from('after'))
    expect([segmentOf(before.place), segmentOf(after.place), letGo]).toEqual([1, 2, []])
    expect([await read(before), await read(after)].join()).toBe('before,after')
    const file = await files.open(1)
    await expect.poll(() => file.size()).toBe(HEADER + 6)
  })

  it('brings to the disk what was written to a segment before a write there has failed', async () => {
    const { files, log, append, put, failures, letGo } = bound(new Bench())
    await append(Buffer.from('of a new file'))
    for (let i = 0; i < 4; i++) await append(Buffer.alloc(64 * 1024))
    await put(Buffer.from('lost'))
    files.fail('write', 'EIO', 1)
    const endSync = files.hold('sync')
    const { sync } = files.calls
    expect(() => log.queue.flush()).toThrow('EIO')
    expect([files.calls.sync - sync, log.queue.syncedBelow]).toEqual([1, 2])
    let told = false
    const after = append(Buffer.from('after')).then(() => {
      told = true
    })
    await expect.poll(() => files.calls.sync - sync).toBe(2)
    for (let held = 0; held < 6; held++) log.segments.release(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([told, letGo]).toEqual([false, []])
    endSync()
    await after
    await expect.poll(() => letGo).toEqual([1])
    await log.queue.syncNow()
    expect(failures).toEqual([])
    await log.close()
  })

  it('is closed when those are that it left, each synced and taken back', async () => {
    const { files, log, append, put, letGo } = bound(new Bench(3 * 64 * 1024))
    const ends: (() => void)[] = []
    for (let left = 1; left <= 2; left++) {
      await append(Buffer.from('of a new file'))
      log.queue.flush(redo)
      ends.push(files.hold('sync'))
      await put(Buffer.from('lost'))
      files.fail('write', 'EIO', 1)
      expect(() => log.queue.flush()).toThrow('EIO')
      for (let held = 0; held < 2; held++) log.segments.release(left)
      if (left === 1) ends.shift()?.()
    }
    let isClosed = false
    const closed = log.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([isClosed, letGo]).toEqual([false, [1]])
    ends[0]?.()
    await closed
    expect(letGo).toEqual([1, 2])
  })

  it.each([
    ['no segment can be made', 'create', []],
    ['the first write to a segment fails', 'write', [1]],
  ] as const)('tells all who wait where %s, and tries again with the next', async (_, call, left) => {
    const { files, log, append, read, letGo, done } = bound(new Bench())
    files.fail(call, 'ENOSPC', 1)
    const waiting = ['a', 'b', 'c'].map((text) => append(Buffer.from(text)))
    const told = await Promise.allSettled(waiting)
    const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'ENOSPC' }) }
    expect([told, done]).toEqual([
      [refused, refused, refused],
      [1, 2, 3],
    ])
    await expect.poll(() => letGo).toEqual(left)
    const { end } = log.queue
    const after = await append(Buffer.from('after'))
    expect([segmentOf(after.place), (await read(after)).toString()]).toEqual([2, 'after'])
    expect(end).toBeLessThanOrEqual(after.place)
    await log.close()
    expect(done).toEqual([1, 2, 3, 4])
  })

  it('goes on in another segment where a write fails while those who wait get their places', async () => {
    const { files, log, append, put, read, done } = bound(new Bench())
    const endSync = files.hold('sync')
    const first = append(Buffer.from('first'))
    const waiting = Array.from({ length: 6 }, (_, i) => put(Buffer.alloc(64 * 1024, `${i}`)))
    await expect.poll(() => files.calls.sync).toBe(1)
    files.fail('write', 'EIO', 1)
    endSync()
    const told = await Promise.all(waiting)
    expect(told.map(({ record, appended }) => [segmentOf(record.place), appended.lost !== null])).toEqual([
      ...Array.from({ length: 4 }, () => [1, true]),
      ...Array.from({ length: 2 }, () => [2, false]),
    ])
    expect((await read(await first)).toString()).toBe('first')
    for (const [i, { record }] of told.entries()) {
      if (i >= 4) expect(isSame(await read(record), Buffer.alloc(64 * 1024, `${i}`))).toBe(true)
    }
    await log.close()
    expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('takes nothing more after a sync that failed, and nothing once it is closed', async () => {
    const { files, log, append, failures } = bound(new Bench())
    await append(Buffer.from('of a new file'))
    files.fail('sync', 'EIO', 1)
    const letGo = files.hold('sync')
    await append(Buffer.from('x'))
    const first = log.queue.syncNow()
    await append(Buffer.from('y'))
    const second = log.queue.syncNow()
    const told = Promise.all([first, second].map((each) => expect(each).rejects.toThrow('no more')))
    letGo()
    await told
    await expect(append(Buffer.from('z'))).rejects.toThrow('no more')
    expect(failures.length).toBeGreaterThan(0)
    await log.close()
    const closed = bound(new Bench())
    await closed.log.close()
    await expect(closed.append(Buffer.from('z'))).rejects.toMatchObject({ kind: 'closed' })
  })
})

describe('a large message', () => {
  const pieces = [Buffer.alloc(300_000, 'a'), Buffer.alloc(256, 'b'), Buffer.alloc(700_001, 'c')]

  it.each([
    ['none', 0],
    ['a short one', 500],
    ['one that just fits', ROOM - HEADER],
    ['one too long for the room', ROOM - HEADER + 1],
    ['a very long one', 400_000],
  ])('has its prefix before it: %s', async (_, length) => {
    const { files, log, large, read, letGo } = bound(new Bench())
    const prefix = Buffer.alloc(length, 'p')
    const record = await large(pieces, prefix)
    const whole = Buffer.concat([prefix, ...pieces])
    expect((await read(record)).equals(whole)).toBe(true)
    expect((await read(record, length - 3, length + 300_001)).length).toBeGreaterThan(299_998)
    const isMoved = length > ROOM - HEADER
    expect([files.calls.create, files.calls.sync, letGo]).toEqual([isMoved ? 2 : 1, 1, isMoved ? [1] : []])
    expect(await isIntact(log.segments, record)).toBe(true)
    expect(await isIntact(log.segments, { ...record, size: record.size + 1 })).toBe(false)
    expect(await isIntact(log.segments, { ...record, place: record.place + 1 })).toBe(false)
  })

  it.each(['create', 'write', 'sync', 'read'] as const)('leaves nothing where a %s fails', async (call) => {
    const { files, log, letGo } = bound(new Bench())
    const message = log.beginLarge()
    await message.write(pieces[0] as Buffer)
    files.fail(call, 'EIO', 1)
    await expect(message.seal(1, Buffer.alloc(ROOM))).rejects.toThrow(call === 'sync' ? 'no more' : 'EIO')
    expect(letGo).toEqual(call === 'create' ? [1] : [1, 2])
  })
})

describe('messages that are read', () => {
  it('come by one call where they are neighbours, and by another beyond a gap', async () => {
    const { files, log, append } = bound(new Bench())
    const sizes = [100, 200, 50_000, 300, 7_000, 400, 2_000_000, 500]
    const texts = sizes.map((size, i) => Buffer.alloc(size, `${i}`))
    const records = await Promise.all(texts.map(append))
    const wanted = [7, 0, 1, 3, 5].map((i) => records[i] as StoredRecord)
    const before = files.calls.read
    const bodies = await readRecords(log.segments, wanted)
    // 0 and 1; 3 and 5, since 4 is short; 7.
    expect(files.calls.read - before).toBe(3)
    for (const { cid } of wanted) expect(isSame(bodies.get(cid), texts[cid - 1])).toBe(true)
    const all = await readRecords(log.segments, records)
    for (const { cid } of records) expect(isSame(all.get(cid), texts[cid - 1])).toBe(true)
  })

  it('come in pieces, from any octet to any other', async () => {
    const { append, read } = bound(new Bench())
    const text = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 7) >> 3))
    const record = await append(text)
    for (const [from, to] of [
      [0, 0],
      [0, 1],
      [5, 5],
      [9, 3],
      [1, 262_145],
      [262_144, 700_000],
      [699_999, 9_000_000],
      [0, 700_000],
    ] as const) {
      expect((await read(record, from, to)).equals(text.subarray(from, Math.max(from, to)))).toBe(true)
    }
  })

  it('are never those of another', async () => {
    const { append, read, log } = bound(new Bench())
    const [first, second] = await Promise.all([append(Buffer.alloc(50, '1')), append(Buffer.alloc(50, '2'))])
    for (const wrong of [
      { ...first, place: second.place },
      { ...first, place: first.place + 1 },
      { ...second, size: 51 },
      { ...second, place: placeOf(1, 5_000) },
    ]) {
      for (const from of [0, 10]) {
        await expect(read(wrong, from)).rejects.toMatchObject({ kind: 'corrupt' })
      }
      await expect(readRecords(log.segments, [first, wrong])).rejects.toMatchObject({ kind: 'corrupt' })
    }
    await expect(read({ ...first, place: placeOf(9, 0) })).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('leave a bounded number of files open, and those that are read open', async () => {
    const folder = newFolder()
    const bench = new Bench(1, new FaultyFiles(new DiskFiles(join(folder, 'messages'))))
    const records: StoredRecord[] = []
    const isLinux = process.platform === 'linux'
    const none = isLinux ? readdirSync('/proc/self/fd').length : 0
    for (let i = 0; i < 150; i++) records.push(await bench.append(Buffer.from(`message ${i}`)))
    // Of those that are written, the last.
    if (isLinux) expect(readdirSync('/proc/self/fd').length).toBeLessThan(none + 20)
    const texts = await Promise.all(records.map((record) => bench.read(record)))
    expect(texts.map(String)).toEqual(records.map((_, i) => `message ${i}`))
    if (isLinux) {
      const open = readdirSync('/proc/self/fd').length
      for (const record of records) await bench.read(record)
      expect(readdirSync('/proc/self/fd').length).toBeLessThan(open + 5)
      await bench.log.close()
      expect(readdirSync('/proc/self/fd').length).toBeLessThan(open - 50)
    }
  })
})

describe('a log that is closed', () => {
  it('gives those their places who wait, and has what they appended on the disk', async () => {
    const { files, log, append, done } = bound(new Bench())
    const letGo = files.hold('create')
    const waiting = [append(Buffer.from('a')), append(Buffer.from('b'))]
    await expect.poll(() => files.calls.create).toBe(1)
    let isClosed = false
    const closed = log.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(isClosed).toBe(false)
    letGo()
    await closed
    const records = await Promise.all(waiting)
    expect(records.map(({ place }) => place)).toEqual([placeOf(1, 0), placeOf(1, HEADER + 1)])
    expect([files.calls.write, files.calls.sync, done]).toEqual([2, 2, [1, 2]])
    expect(log.queue.syncedBelow).toBe(Number.POSITIVE_INFINITY)
  })

  it('lets a read come to its end, and begins no other', async () => {
    const folder = newFolder()
    const bench = new Bench(SEGMENT, new FaultyFiles(new DiskFiles(join(folder, 'messages'))))
    const record = await bench.append(Buffer.from('to be read'))
    const letGo = bench.files.hold('read')
    const read = bench.read(record)
    await expect.poll(() => bench.files.calls.read).toBe(1)
    await bench.log.close()
    letGo()
    expect((await read).toString()).toBe('to be read')
    await expect(bench.read(record)).rejects.toMatchObject({ kind: 'closed' })
  })
})

describe('the files of messages', () => {
  it('have names that every system takes, in folders of a thousand', () => {
    expect(messagePath(1)).toBe(join('000000', '000000001.log'))
    expect(messagePath(999)).toBe(join('000000', '000000999.log'))
    expect(messagePath(12_345_678)).toBe(join('012345', '012345678.log'))
    expect(messagePath(134_217_727)).toBe(join('134217', '134217727.log'))
  })

  it('are listed, made and removed; what is not theirs is left alone', async () => {
    const folder = join(newFolder(), 'messages')
    const files = new DiskFiles(folder)
    expect(await files.list()).toEqual([])
    for (const number of [7, 1_000, 1_001]) await (await files.create(number)).close()
    writeFileSync(join(folder, '000000', 'notes.txt'), '')
    mkdirSync(join(folder, 'other'))
    expect([...(await files.list())].sort((a, b) => a - b)).toEqual([7, 1_000, 1_001])
    await files.remove(1_000)
    await files.remove(1_001)
    await files.remove(1_001)
    expect(await files.list()).toEqual([7])
    expect(existsSync(join(folder, '000001'))).toBe(false)
    expect(existsSync(join(folder, '000000', 'notes.txt'))).toBe(true)
    await expect(files.create(7)).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(files.open(8)).rejects.toMatchObject({ code: 'ENOENT' })
    if (process.platform !== 'win32') {
      expect(statSync(join(folder, messagePath(7))).mode & 0o777).toBe(0o600)
      expect(statSync(folder).mode & 0o777).toBe(0o700)
    }
  })

  it.each([
    ['on a disk', () => new DiskFiles(join(newFolder(), 'messages'))],
    ['in memory', () => new MemoryFiles()],
  ])('%s do the same', async (_, make) => {
    const files = make()
    for (const number of [1, 2]) {
      const file = await files.create(number)
      await file.write([Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')], 5)
      await file.sync()
      await file.write([Buffer.from('!')], 8)
      await file.sync()
      const into = Buffer.alloc(20, '.')
      expect([await file.size(), await file.read(into, 3), into.toString()]).toEqual([
        11,
        8,
        '\0\0one!wo............',
      ])
      expect([await file.read(into, 11), await file.read(into, 99)]).toEqual([0, 0])
      await file.truncate(6)
      await file.write([Buffer.from('x')], 8)
      expect([await file.size(), await file.read(into, 5), into.toString('latin1', 0, 4)]).toEqual([
        9,
        4,
        'o\0\0x',
      ])
      await file.close()
    }
  })
})

const cids = (records: readonly StoredRecord[]): number[] => records.map(({ cid }) => cid)

function isSame(octets: Uint8Array | undefined, expected: Buffer | undefined): boolean {
  return octets !== undefined && expected !== undefined && Buffer.compare(octets, expected) === 0
}

/** The methods as functions. */
function bound(bench: Bench) {
  return {
    files: bench.files,
    log: bench.log,
    letGo: bench.letGo,
    failures: bench.failures,
    append: (octets: Buffer) => bench.append(octets),
    read: (record: StoredRecord, from?: number, to?: number) => bench.read(record, from, to),
    done: bench.done,
    put: (octets: Buffer) => bench.put(octets),
    large: (pieces: readonly Buffer[], prefix: Buffer) => bench.large(pieces, prefix),
  }
}
