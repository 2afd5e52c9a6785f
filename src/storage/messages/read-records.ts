import { crc32, MailError } from '../../core/index.js'
import { HEADER, type Header, offsetOf, readHeader, segmentOf } from './record.js'
import type { Segments } from './segments.js'

/** Octets that are read at once: of one message, and of neighbours. */
const PIECE = 256 * 1024
const MOST = 1024 * 1024
/** Octets between two records that are rather read than left out. */
const GAP = 8 * 1024
/** Reads that go on at the same time. */
const READS = 4

/** A record, as the database knows it. Whoever reads it holds its segment. */
export interface StoredRecord {
  readonly cid: number
  readonly size: number
  readonly place: number
}

/** Octets `from` to `to` of a message, in pieces. MailError `corrupt` where another, or none, is in its place. */
export async function* readRecord(
  segments: Segments,
  record: StoredRecord,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  const segment = segmentOf(record.place)
  const start = offsetOf(record.place)
  const end = Math.min(to, record.size)
  if (from >= end) return
  // The header comes with the beginning, or by itself.
  const first = from === 0 ? Math.min(end, PIECE) : 0
  const front = await readWhole(segments, segment, start, HEADER + first)
  if (headerOf(front, 0, record) === null) throw lost()
  if (first > 0) yield front.subarray(HEADER)
  for (let at = from + first; at < end; at += PIECE) {
    yield await readWhole(segments, segment, start + HEADER + at, Math.min(PIECE, end - at))
  }
}

/** Messages as a whole, by their numbers; neighbours are read together. MailError `corrupt` as above. */
export async function readRecords(
  segments: Segments,
  records: readonly StoredRecord[],
): Promise<ReadonlyMap<number, Uint8Array>> {
  const bodies = new Map<number, Uint8Array>()
  const runs = runsOf(records).values()
  const read = async (): Promise<void> => {
    for (const { segment, start, end, records: neighbours } of runs) {
      const octets = await readWhole(segments, segment, start, end - start)
      for (const record of neighbours) {
        const at = offsetOf(record.place) - start
        if (headerOf(octets, at, record) === null) throw lost()
        bodies.set(record.cid, octets.subarray(at + HEADER, at + HEADER + record.size))
      }
    }
  }
  // All of them end before the caller lets go of the segments.
  for (const done of await Promise.allSettled(Array.from({ length: READS }, read))) {
    if (done.status === 'rejected') throw done.reason
  }
  return bodies
}

/** Whether the record is where it should be, with the octets that were written. The caller holds the segment. */
export async function isIntact(segments: Segments, record: StoredRecord): Promise<boolean> {
  const segment = segmentOf(record.place)
  const start = offsetOf(record.place)
  const front = Buffer.alloc(HEADER)
  if ((await segments.read(segment, front, start)) < HEADER) return false
  const header = headerOf(front, 0, record)
  if (header === null || start + HEADER + record.size > (await segments.size(segment))) return false
  if (header.sum === 0) return true
  let sum = 0
  for (let at = 0; at < record.size; at += PIECE) {
    const length = Math.min(PIECE, record.size - at)
    sum = crc32(await readWhole(segments, segment, start + HEADER + at, length), sum)
  }
  return sum === header.sum
}

/** Records of a segment that are read by one call. */
interface Run {
  readonly segment: number
  readonly start: number
  end: number
  readonly records: StoredRecord[]
}

function runsOf(records: readonly StoredRecord[]): readonly Run[] {
  const runs: Run[] = []
  for (const record of [...records].sort((a, b) => a.place - b.place)) {
    const segment = segmentOf(record.place)
    const start = offsetOf(record.place)
    const end = start + HEADER + record.size
    const run = runs[runs.length - 1]
    if (run?.segment === segment && start <= run.end + GAP && end - run.start <= MOST) {
      run.end = Math.max(run.end, end)
      run.records.push(record)
    } else {
      runs.push({ segment, start, end, records: [record] })
    }
  }
  return runs
}

async function readWhole(segments: Segments, segment: number, at: number, length: number): Promise<Buffer> {
  const octets = Buffer.allocUnsafeSlow(length)
  for (let done = 0; done < length; ) {
    const part = octets.subarray(done, done + MOST)
    if ((await segments.read(segment, part, at + done)) < part.length) throw lost()
    done += part.length
  }
  return octets
}

/** The record's header; null where another, or none, is in its place. */
function headerOf(octets: Buffer, at: number, { cid, size }: StoredRecord): Header | null {
  const header = readHeader(octets, at)
  return header?.cid === cid && header.size === size ? header : null
}

function lost(): MailError {
  return new MailError(
    'corrupt',
    'a message is not where the database says; restore mail.db and messages together',
  )
}
