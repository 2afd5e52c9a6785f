import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { tabledCrc32 } from '../../src/core/crc.js'
import { messagePath } from '../../src/storage/messages/disk-files.js'
import { HEADER, offsetOf, readHeader, SEGMENT, segmentOf } from '../../src/storage/messages/record.js'
import { openDriver } from '../../src/storage/sql/driver.js'

/** Looks into a closed store: everything that is written twice must agree, and nothing may be left over. */
export async function expectSound(folder: string): Promise<void> {
  const driver = await openDriver(join(folder, 'mail.db'), 'wasm')
  const rows = (sql: string) => driver.prepare(sql).all()
  try {
    driver.exec('PRAGMA locking_mode=EXCLUSIVE')
    expect(rows('PRAGMA integrity_check').map((row) => Object.values(row)[0])).toEqual(['ok'])
    expect(rows('SELECT * FROM task')).toEqual([])
    expect(rows('SELECT * FROM taskPart')).toEqual([])
    expect(
      rows(`SELECT m.id, m.messages, m.unseen, m.size, m.uidNext, count(msg.uid), total(msg.size), max(msg.uid)
        FROM mailbox AS m LEFT JOIN msg ON msg.mailbox = m.id GROUP BY m.id
        HAVING m.messages <> count(msg.uid) OR m.size <> total(msg.size) OR m.unseen <> total(msg.flags & 8 = 0 AND msg.uid IS NOT NULL)
          OR m.uidNext <= coalesce(max(msg.uid), 0) OR m.highestModSeq < coalesce(max(msg.modSeq), 0)`),
    ).toEqual([])
    expect(rows('SELECT * FROM msg WHERE mailbox NOT IN (SELECT id FROM mailbox)')).toEqual([])
    expect(
      rows('SELECT * FROM msg JOIN expunged AS e ON e.mailbox = msg.mailbox AND uid BETWEEN low AND high'),
    ).toEqual([])
    expect(
      rows(`SELECT c.cid, n, count(msg.cid) FROM content AS c LEFT JOIN cref USING (cid) LEFT JOIN msg USING (cid)
        GROUP BY c.cid HAVING coalesce(n, 1) <> count(msg.cid)`),
    ).toEqual([])
    expect(rows('SELECT * FROM cref WHERE n = 1 OR cid NOT IN (SELECT cid FROM content)')).toEqual([])
    expect(rows('SELECT cid FROM msg WHERE cid NOT IN (SELECT cid FROM content)')).toEqual([])
    expect(
      rows(`SELECT number, live, octets FROM segment FULL JOIN
        (SELECT place / ${SEGMENT} AS number, sum(size + ${HEADER}) AS octets FROM content GROUP BY 1) USING (number)
        WHERE live IS NOT coalesce(octets, 0) OR live > total`),
    ).toEqual([])
    const segments = new Set(rows('SELECT number FROM segment').map(({ number }) => Number(number)))
    expect(segmentFiles(folder).filter((number) => !segments.has(number))).toEqual([])
    for (const { cid, size, place } of rows('SELECT cid, size, place FROM content')) {
      expectRecord(folder, Number(cid), Number(size), Number(place))
    }
  } finally {
    driver.close()
  }
}

function expectRecord(folder: string, cid: number, size: number, place: number): void {
  const path = join(folder, 'messages', messagePath(segmentOf(place)))
  const record = Buffer.alloc(HEADER + size)
  const handle = openSync(path, 'r')
  expect(readSync(handle, record, 0, record.length, offsetOf(place))).toBe(record.length)
  closeSync(handle)
  const sum = size > 256 * 1024 ? 0 : tabledCrc32(record.subarray(HEADER))
  expect(readHeader(record, 0)).toEqual({ cid, size, sum })
}

/** The numbers of the segments that have a file. */
export function segmentFiles(folder: string): number[] {
  const messages = join(folder, 'messages')
  if (!existsSync(messages)) return []
  return readdirSync(messages)
    .flatMap((shard) => readdirSync(join(messages, shard)))
    .map((name) => Number(name.replace('.log', '')))
    .sort((a, b) => a - b)
}

/** How many contents a closed store has, and how many segments they are in. */
export async function storedContents(folder: string): Promise<{ contents: number; segments: number }> {
  const driver = await openDriver(join(folder, 'mail.db'), 'wasm')
  try {
    driver.exec('PRAGMA locking_mode=EXCLUSIVE')
    const contents = Number(driver.prepare('SELECT count(*) AS n FROM content').all()[0]?.n)
    return { contents, segments: segmentFiles(folder).length }
  } finally {
    driver.close()
  }
}
