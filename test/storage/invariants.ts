import { join } from 'node:path'
import { expect } from 'vitest'
import { openDriver } from '../../src/storage/sql/driver.js'

/** Looks into a closed database: everything that is written twice must agree, and nothing may be left over. */
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
      rows(`SELECT cref.cid, n, count(msg.cid) FROM cref LEFT JOIN msg ON msg.cid = cref.cid
        GROUP BY cref.cid HAVING n <> count(msg.cid)`),
    ).toEqual([])
    expect(rows('SELECT cid FROM msg WHERE cid NOT IN (SELECT cid FROM content)')).toEqual([])
    expect(rows('SELECT cid FROM content WHERE cid NOT IN (SELECT cid FROM cref)')).toEqual([])
    expect(rows('SELECT cid FROM body WHERE cid NOT IN (SELECT cid FROM content)')).toEqual([])
    expect(rows('SELECT id FROM chunk WHERE id / 65536 NOT IN (SELECT cid FROM cref)')).toEqual([])
  } finally {
    driver.close()
  }
}

/** What is stored of bodies in a closed database. */
export async function storedBodies(folder: string): Promise<{ contents: number; chunks: number }> {
  const driver = await openDriver(join(folder, 'mail.db'), 'wasm')
  try {
    driver.exec('PRAGMA locking_mode=EXCLUSIVE')
    const count = (table: string) => Number(driver.prepare(`SELECT count(*) AS n FROM ${table}`).all()[0]?.n)
    return { contents: count('cref'), chunks: count('chunk') }
  } finally {
    driver.close()
  }
}
