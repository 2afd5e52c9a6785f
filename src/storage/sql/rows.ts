import type { FlagCode, FlagTable } from '../flags.js'
import type { Arrival, FlagChange } from '../mailbox-state.js'
import type { Database } from './database.js'

/** Rows that one statement may touch: a few milliseconds on any driver. */
export const SLICE = 500

/** A message that is copied: where from, where to, and with which flags there. */
export interface CopiedRow {
  readonly uid: number
  readonly newUid: number
  readonly code: FlagCode
}

/** UIDs that get the same flags, as it is kept in a task. */
export type FlagGroup = readonly [mask: number, more: string, uids: readonly number[]]

export interface NewRow {
  readonly uid: number
  readonly modSeq: number
  readonly code: FlagCode
  readonly date: number
  readonly size: number
  readonly cid: number
}

export function insertRow(database: Database, mailbox: number, row: NewRow): void {
  database.run(
    'INSERT INTO msg(mailbox, uid, modSeq, created, flags, more, date, size, cid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    mailbox,
    row.uid,
    row.modSeq,
    row.modSeq,
    row.code.mask,
    row.code.more,
    row.date,
    row.size,
    row.cid,
  )
}

/** The rows of a copy whose first UID is `first`. */
export function copiedRows(
  uids: readonly number[],
  arrivals: readonly Arrival[],
  table: FlagTable,
  first: number,
): readonly CopiedRow[] {
  return arrivals.map(({ flags }, i) => ({
    uid: uids[i] as number,
    newUid: first + i,
    code: table.codeOf(flags),
  }))
}

/** Copies messages, contents shared. `rows` ascend by both UIDs. */
export function copyRows(
  database: Database,
  from: number,
  to: number,
  modSeq: number,
  rows: readonly CopiedRow[],
): void {
  const first = rows[0]
  const last = rows[rows.length - 1]
  if (first === undefined || last === undefined) return
  const list = rows.map(({ uid, newUid, code }) => [uid, newUid, code.mask, code.more])
  database.run(
    `INSERT INTO msg(mailbox, uid, modSeq, created, flags, more, date, size, cid)
     SELECT ?, j.value->>1, ?, ?, j.value->>2, j.value->>3, m.date, m.size, m.cid
     FROM json_each(?) AS j CROSS JOIN msg AS m ON m.mailbox = ? AND m.uid = j.value->>0`,
    to,
    modSeq,
    modSeq,
    JSON.stringify(list),
    from,
  )
  database.run(
    `INSERT INTO cref(cid, n)
     SELECT cid, 1 + count(*) FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ? GROUP BY cid
     ON CONFLICT(cid) DO UPDATE SET n = n + excluded.n - 1`,
    to,
    first.newUid,
    last.newUid,
  )
}

/** Deletes messages; contents that nobody has any more are left to be collected. */
export function removeRows(database: Database, mailbox: number, uids: readonly number[]): void {
  const list = JSON.stringify(uids)
  database.run(
    `INSERT INTO cref(cid, n)
     SELECT m.cid, 1 - count(*) FROM json_each(?) AS j CROSS JOIN msg AS m ON m.mailbox = ? AND m.uid = j.value
     GROUP BY m.cid
     ON CONFLICT(cid) DO UPDATE SET n = n + excluded.n - 1`,
    list,
    mailbox,
  )
  database.run('DELETE FROM cref WHERE n = 1')
  database.run('DELETE FROM msg WHERE mailbox = ? AND uid IN (SELECT value FROM json_each(?))', mailbox, list)
}

/** Writes the tombstones of ascending UIDs, as runs; returns how many runs. */
export function writeTombstones(
  database: Database,
  mailbox: number,
  modSeq: number,
  uids: readonly number[],
): number {
  let runs = 0
  for (let start = 0; start < uids.length; ) {
    let end = start
    while (uids[end + 1] === (uids[end] as number) + 1) end++
    database.run(
      'INSERT INTO expunged(mailbox, modSeq, low, high) VALUES (?, ?, ?, ?)',
      mailbox,
      modSeq,
      uids[start] as number,
      uids[end] as number,
    )
    runs++
    start = end + 1
  }
  return runs
}

/** The changes by the flags they lead to. */
export function groupFlags(table: FlagTable, changes: readonly FlagChange[]): readonly FlagGroup[] {
  const groups = new Map<readonly string[], number[]>()
  for (const { uid, flags } of changes) {
    const group = groups.get(flags)
    if (group === undefined) groups.set(flags, [uid])
    else group.push(uid)
  }
  return [...groups].map(([flags, uids]) => {
    const { mask, more } = table.codeOf(flags)
    return [mask, more, uids]
  })
}

export function writeFlags(
  database: Database,
  mailbox: number,
  modSeq: number,
  groups: readonly FlagGroup[],
): void {
  for (const [mask, more, uids] of groups) {
    database.run(
      `UPDATE msg SET flags = ?, more = ?, modSeq = ?
       WHERE mailbox = ? AND uid IN (SELECT value FROM json_each(?))`,
      mask,
      more,
      modSeq,
      mailbox,
      JSON.stringify(uids),
    )
  }
}
