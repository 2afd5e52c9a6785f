import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Logger, Op } from '../../src/interfaces/index.js'
import { type SqlDriver, sqlDrivers } from '../../src/storage/index.js'
import { DiskFiles } from '../../src/storage/messages/disk-files.js'
import { MemoryFiles } from '../../src/storage/messages/memory-files.js'
import { HEADER, placeOf, REDO, writeHeader } from '../../src/storage/messages/record.js'
import { Database } from '../../src/storage/sql/database.js'
import {
  packRedo,
  type Redo,
  readStanding,
  redoCommits,
  redoRecord,
  unpackRedo,
} from '../../src/storage/sql/redo.js'
import { openStoreOn } from '../../src/storage/sql/sql-store.js'
import { readMessage, stageMessage } from '../../src/testing/store-suite.js'
import { FaultyFiles } from './faulty-files.js'
import { temporaryFolders } from './folders.js'
import { expectSound } from './invariants.js'

const newFolder = temporaryFolders()

async function newDatabase(): Promise<Database> {
  const database = new Database((await sqlDrivers.wasm(':memory:')) as SqlDriver)
  database.prepare()
  return database
}

const adding = (value: string) => ({
  sql: "INSERT INTO record(kind, key, value) VALUES ('test', ?, ?)",
  values: [value, value],
})

/** Redo records, one behind another, in a segment. */
async function write(files: MemoryFiles, segment: number, records: readonly Buffer[]): Promise<void> {
  const file = await files.create(segment)
  file.writeNow(records, 0)
}

function recorded(database: Database): unknown[] {
  return database.all("SELECT value FROM record WHERE kind = 'test' ORDER BY key").map(({ value }) => value)
}

describe('a redo record', () => {
  it('has the statements as they were run, whatever was given to them', () => {
    const redo: Redo = {
      store: -2_251_799_813_685_248,
      commit: 9_007_199_254_740_991,
      runs: [
        { sql: 'a', values: [1, null, 'ä\n"\\\u{1f4e7}\u2028', 1.5, -0.25] },
        { sql: 'b', values: [] },
        { sql: 'a', values: [2 ** 52, '', 'x', 0, 1e-9] },
      ],
    }
    expect(unpackRedo(packRedo(redo))).toEqual(redo)
    expect(unpackRedo(redoRecord(packRedo(redo)).subarray(HEADER).toString())).toEqual(redo)
  })
})

describe('a start', () => {
  const commit = (database: Database, number: number, ...values: string[]): Buffer => {
    const { store } = readStanding(database)
    return redoRecord(packRedo({ store, commit: number, runs: values.map(adding) }))
  }

  it('redoes the commits that follow the last one, in their order, over all segments', async () => {
    const database = await newDatabase()
    const files = new MemoryFiles()
    const row = { sql: 'INSERT INTO account(name) VALUES (?) RETURNING id', values: ['user'] }
    const { store } = readStanding(database)
    await write(files, 1, [commit(database, 1, 'a'), commit(database, 2, 'b', 'c')])
    await write(files, 7, [redoRecord(packRedo({ store, commit: 3, runs: [row] })), commit(database, 4, 'd')])
    expect(await redoCommits(database, files)).toEqual({ commits: 4, left: 0 })
    expect(recorded(database)).toEqual(['a', 'b', 'c', 'd'])
    expect(database.all('SELECT id, name FROM account')).toEqual([{ id: 1, name: 'user' }])
    expect(readStanding(database)).toEqual({ store, commit: 4, place: placeOf(8, 0) })
    expect(await redoCommits(database, files)).toEqual({ commits: 0, left: 0 })
  })

  it('redoes nothing that follows a commit which is not there, or not whole, and says how much that is', async () => {
    const database = await newDatabase()
    const files = new MemoryFiles()
    const damaged = commit(database, 2, 'b')
    damaged[40] = (damaged[40] as number) ^ 1
    await write(files, 1, [commit(database, 1, 'a'), damaged, commit(database, 2, 'behind what is damaged')])
    await write(files, 2, [commit(database, 3, 'c'), commit(database, 4, 'd')])
    expect(await redoCommits(database, files)).toEqual({ commits: 1, left: 3 })
    expect(recorded(database)).toEqual(['a'])
  })

  it('goes on in the next segment where one has ended with a record that was given up', async () => {
    const database = await newDatabase()
    const files = new MemoryFiles()
    await write(files, 1, [commit(database, 1, 'a'), commit(database, 2, 'given up').subarray(0, 60)])
    await write(files, 2, [commit(database, 2, 'b')])
    expect(await redoCommits(database, files)).toEqual({ commits: 2, left: 0 })
    expect(recorded(database)).toEqual(['a', 'b'])
  })

  it('ends at a header of which the disk has kept one part only', async () => {
    const redoneWith = async (tear: (record: Buffer) => Buffer): Promise<unknown> => {
      const database = await newDatabase()
      const files = new MemoryFiles()
      await write(files, 1, [commit(database, 1, 'a'), tear(commit(database, 2, 'b'))])
      return redoCommits(database, files)
    }
    for (let cut = 1; cut < HEADER; cut++) {
      expect(await redoneWith((record) => record.fill(0, 0, cut))).toEqual({ commits: 1, left: 0 })
      expect(await redoneWith((record) => record.fill(0, cut))).toEqual({ commits: 1, left: 0 })
    }
  })

  it('reads nothing beyond the end of a segment, whatever a header says', async () => {
    const database = await newDatabase()
    const files = new MemoryFiles()
    const header = Buffer.alloc(HEADER)
    writeHeader(header, 0, { cid: REDO, size: 2 ** 47, sum: 1 })
    await write(files, 1, [commit(database, 1, 'a'), header])
    expect(await redoCommits(database, files)).toEqual({ commits: 1, left: 0 })
    expect(recorded(database)).toEqual(['a'])
  })

  it('redoes nothing twice, and nothing of another database', async () => {
    const database = await newDatabase()
    const files = new MemoryFiles()
    const other = redoRecord(packRedo({ store: 12, commit: 1, runs: [adding('of another')] }))
    await write(files, 1, [other, commit(database, 1, 'a')])
    expect(await redoCommits(database, files)).toEqual({ commits: 1, left: 0 })
    await write(files, 2, [commit(database, 1, 'again'), commit(database, 2, 'b')])
    expect(await redoCommits(database, files)).toEqual({ commits: 1, left: 0 })
    expect(recorded(database)).toEqual(['a', 'b'])
  })

  it('leaves the database as it was where a statement fails', async () => {
    const database = await newDatabase()
    const files = new MemoryFiles()
    await write(files, 1, [commit(database, 1, 'a'), commit(database, 2, 'a')])
    await expect(redoCommits(database, files)).rejects.toThrow()
    expect(recorded(database)).toEqual([])
    expect(readStanding(database)).toMatchObject({ commit: 0, place: 0 })
  })
})

describe('a store', () => {
  it('does not take a message that could not be written with those of others', async () => {
    const folder = newFolder()
    const files = new FaultyFiles(new DiskFiles(join(folder, 'messages')))
    const store = await openStoreOn({ files }, { path: folder })
    const account = await store.open('user')
    const inbox = await account.select('INBOX', 'write')
    const append = async (text: string) => {
      const body = await stageMessage(store, text)
      return { body, op: { type: 'append', body, to: [{ mailbox: inbox.id, flags: [], internalDate: 0 }] } }
    }
    const apply = ({ op }: Awaited<ReturnType<typeof append>>) => store.apply([op as Op])
    await apply(await append('first'))
    const lost = await append('lost')
    files.fail('write', 'ENOSPC', 1)
    await expect(apply(await append('also lost'))).rejects.toMatchObject({ kind: 'diskFull' })
    await expect(apply(lost)).rejects.toMatchObject({ kind: 'diskFull' })
    await lost.body.discard()
    await apply(await append('second'))
    expect((await inbox.snapshot()).uids).toEqual([1, 2])
    expect((await readMessage(inbox, 2)).toString()).toBe('second')
    expect(await store.check(true)).toEqual([])
    await store.close()
    await expectSound(folder)
  })

  it('says how many commits it found that it could not redo', async () => {
    const folder = newFolder()
    await (await openStoreOn({ files: new DiskFiles(join(folder, 'messages')) }, { path: folder })).close()
    const database = new Database((await sqlDrivers.wasm(join(folder, 'mail.db'))) as SqlDriver)
    database.prepare()
    const { store, commit } = readStanding(database)
    database.close()
    const files = new DiskFiles(join(folder, 'messages'))
    const file = await files.create(9)
    const records = [1, 3, 4].map((after) =>
      packRedo({ store, commit: commit + after, runs: [adding(`${after}`)] }),
    )
    file.writeNow(records.map(redoRecord), 0)
    await file.close()
    const said: unknown[] = []
    const logger: Logger = {
      log: (level, event, fields) => {
        if (event.endsWith('edone')) said.push([level, event, fields])
      },
    }
    await (await openStoreOn({ files }, { path: folder, logger })).close()
    await (await openStoreOn({ files }, { path: folder, logger })).close()
    expect(said).toEqual([
      ['info', 'storage.redone', { commits: 1 }],
      ['warn', 'storage.notRedone', { commits: 2 }],
    ])
  })

  it('makes the transaction again that SQLite gave up when something could not be read', async () => {
    const folder = newFolder()
    let failing = false
    const open = async (file: string): Promise<SqlDriver> => {
      const driver = (await sqlDrivers.wasm(file)) as SqlDriver
      return {
        ...driver,
        name: 'giving up',
        prepare: (sql) => {
          const statement = driver.prepare(sql)
          return {
            run: (...values) => statement.run(...values),
            all: (...values) => {
              if (!failing) return statement.all(...values)
              failing = false
              driver.exec('ROLLBACK')
              throw new Error('EIO: disk I/O error')
            },
          }
        },
      }
    }
    const store = await openStoreOn(
      { files: new DiskFiles(join(folder, 'messages')) },
      { path: folder, driver: open },
    )
    const account = await store.open('user')
    const inbox = await account.select('INBOX', 'write')
    const deliver = async (text: string): Promise<void> => {
      const body = await stageMessage(store, text)
      await store.apply([{ type: 'append', body, to: [{ mailbox: inbox.id, flags: [], internalDate: 0 }] }])
    }
    await deliver('first')
    await deliver('second')
    failing = true
    await expect(readMessage(inbox, 1)).rejects.toMatchObject({ kind: 'unavailable' })
    await deliver('third')
    expect((await readMessage(inbox, 1)).toString()).toBe('first')
    await store.close()
    const again = await openStoreOn(
      { files: new DiskFiles(join(folder, 'messages')) },
      { path: folder, driver: 'wasm' },
    )
    const box = await (await again.open('user')).select('INBOX', 'read')
    const texts = await Promise.all([1, 2, 3].map(async (uid) => (await readMessage(box, uid)).toString()))
    expect(texts).toEqual(['first', 'second', 'third'])
    await again.close()
    await expectSound(folder)
  })
})
