import { isIntact, type StoredRecord } from '../messages/read-records.js'
import { HEADER, SEGMENT, segmentOf } from '../messages/record.js'
import type { Segments } from '../messages/segments.js'
import type { Database } from './database.js'
import { num } from './database.js'

/** Contents that are looked at in one turn. */
const SLICE = 500
/** Problems told of; where there are more, there are many. */
const MOST = 20

/** What is wrong with the messages: what the database says of them, against what is in the segments. */
export async function checkMessages(database: Database, segments: Segments): Promise<readonly string[]> {
  const problems = checkCounts(database)
  for (let after = 0; problems.length < MOST; ) {
    const records = database
      .all('SELECT cid, size, place FROM content WHERE cid > ? ORDER BY cid LIMIT ?', after, SLICE)
      .map((row): StoredRecord => ({ cid: num(row.cid), size: num(row.size), place: num(row.place) }))
    for (const { place } of records) segments.hold(segmentOf(place))
    for (const record of records) {
      const problem = await checkRecord(segments, record)
      if (problem !== null) problems.push(problem)
    }
    for (const { place } of records) segments.release(segmentOf(place))
    const last = records[SLICE - 1]
    if (last === undefined) break
    after = last.cid
  }
  return problems.slice(0, MOST)
}

async function checkRecord(segments: Segments, record: StoredRecord): Promise<string | null> {
  const where = `message ${record.cid} in segment ${segmentOf(record.place)}`
  try {
    return (await isIntact(segments, record)) ? null : `${where} is damaged, or not where the database says`
  } catch (error) {
    return `${where} cannot be read: ${String(error)}`
  }
}

function checkCounts(database: Database): string[] {
  const rows = database.all(
    `SELECT number, live, octets FROM
      (SELECT place / ${SEGMENT} AS number, sum(size + ${HEADER}) AS octets FROM content GROUP BY 1)
      FULL JOIN segment USING (number) WHERE live IS NOT coalesce(octets, 0) LIMIT ${MOST}`,
  )
  return rows.map(
    ({ number, live, octets }) => `segment ${number} has ${octets ?? 0} octets of use, not ${live ?? 'none'}`,
  )
}
