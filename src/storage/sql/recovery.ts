import { SEEN } from '../flags.js'
import { isIntact, type StoredRecord } from '../messages/read-records.js'
import { segmentOf } from '../messages/record.js'
import type { Segments } from '../messages/segments.js'
import type { CommitQueue, Tx } from './commit-queue.js'
import type { Database } from './database.js'
import { num } from './database.js'

/**
 * A commit and the octets of its messages come to the disk at the same time, so that a power loss may have kept the one
 * without the other. Nobody was told of such messages: they are removed, as if they had never come. Whatever is left is
 * on the disk afterwards. Before anyone has a mailbox; returns how many messages were removed.
 */
export async function removeUnfinished(
  database: Database,
  queue: CommitQueue,
  segments: Segments,
): Promise<number> {
  const records = database
    .all(
      `SELECT cid, size, place FROM content
       WHERE cid >= (SELECT value FROM meta WHERE key = 'unsynced') ORDER BY place`,
    )
    .map((row): StoredRecord => ({ cid: num(row.cid), size: num(row.size), place: num(row.place) }))
  const unfinished: StoredRecord[] = []
  for (const [segment, neighbours] of bySegment(records)) {
    unfinished.push(...(await unfinishedOf(segments, segment, neighbours)))
  }
  if (unfinished.length === 0) return 0
  return queue.submit((tx) => removeMessages(database, tx, unfinished), { long: true })
}

function bySegment(records: readonly StoredRecord[]): ReadonlyMap<number, readonly StoredRecord[]> {
  const segments = new Map<number, StoredRecord[]>()
  for (const record of records) {
    const segment = segmentOf(record.place)
    const known = segments.get(segment)
    if (known === undefined) segments.set(segment, [record])
    else known.push(record)
  }
  return segments
}

/** Those from the first on that is damaged: none after it was synced either. */
async function unfinishedOf(
  segments: Segments,
  segment: number,
  records: readonly StoredRecord[],
): Promise<readonly StoredRecord[]> {
  segments.hold(segment)
  try {
    // A process that was killed may have left them with the system, which has not written them yet.
    await segments.sync(segment)
    for (const [index, record] of records.entries()) {
      if (!(await isIntact(segments, record))) return records.slice(index)
    }
    return []
  } finally {
    segments.release(segment)
  }
}

/** Within a commit. */
function removeMessages(database: Database, tx: Tx, contents: readonly StoredRecord[]): number {
  const cids = JSON.stringify(contents.map(({ cid }) => cid))
  const boxes = database.all(
    `SELECT mailbox, count(*) AS messages, sum(msg.size) AS size, sum(flags & ${SEEN} = 0) AS unseen,
      sum(uid >= recentUid) AS recent
     FROM msg JOIN mailbox ON mailbox.id = msg.mailbox
     WHERE cid IN (SELECT value FROM json_each(?)) GROUP BY mailbox`,
    cids,
  )
  for (const { mailbox, messages, size, unseen, recent } of boxes) {
    database.run(
      `UPDATE mailbox SET messages = messages - ?, size = size - ?, unseen = unseen - ?, recent = recent - ?
       WHERE id = ?`,
      num(messages),
      num(size),
      num(unseen),
      num(recent),
      num(mailbox),
    )
  }
  for (const table of ['msg', 'cref', 'content']) {
    database.run(`DELETE FROM ${table} WHERE cid IN (SELECT value FROM json_each(?))`, cids)
  }
  for (const { place, size } of contents) tx.log.remove(place, size)
  return boxes.reduce((sum, { messages }) => sum + num(messages), 0)
}
