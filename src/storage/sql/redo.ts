import { crc32 } from '../../core/index.js'
import type { MessageFile, MessageFiles } from '../messages/files.js'
import { HEADER, offsetOf, placeOf, REDO, readHeader, segmentOf, writeHeader } from '../messages/record.js'
import type { Database, Run } from './database.js'
import { num } from './database.js'
import type { SqlValue } from './driver.js'

/**
 * A commit can be made good by a redo record in the message log, behind the octets of its messages: the statements that
 * were run, with their values. One sync then brings both to the disk, and SQLite commits many such at once, later. A
 * start runs again what SQLite has not committed.
 */
export interface Redo {
  /** The database it is of: another one's commits are never redone. */
  readonly store: number
  /** Each commit has the number after that of the one before it, whether it has a redo record or not. */
  readonly commit: number
  readonly runs: readonly Run[]
}

/** A redo record's text: a statement's SQL stands there once. */
interface Packed {
  readonly store: number
  readonly commit: number
  readonly sql: readonly string[]
  readonly runs: readonly (readonly [sql: number, ...values: SqlValue[]])[]
}

/** Where a database stands among its commits. */
export interface Standing {
  readonly store: number
  /** The last commit that is in it. */
  readonly commit: number
  /** In the message log: redo records before it are of no use. */
  readonly place: number
}

export function readStanding(database: Database): Standing {
  const rows = database.all("SELECT key, value FROM meta WHERE key IN ('store', 'commit', 'redo')")
  const values = new Map(rows.map(({ key, value }) => [key, num(value)]))
  return {
    store: values.get('store') ?? 0,
    commit: values.get('commit') ?? 0,
    place: values.get('redo') ?? 0,
  }
}

/** Within SQLite's transaction. */
export function writeStanding(database: Database, { commit, place }: Omit<Standing, 'store'>): void {
  database.run("UPDATE meta SET value = ? WHERE key = 'commit'", commit)
  database.run("UPDATE meta SET value = ? WHERE key = 'redo'", place)
}

/** None of our statements has octets among its values. */
export function packRedo({ store, commit, runs }: Redo): string {
  const known = new Map<string, number>()
  const packed = runs.map(({ sql, values }): Packed['runs'][number] => {
    let index = known.get(sql)
    if (index === undefined) {
      index = known.size
      known.set(sql, index)
    }
    return [index, ...values]
  })
  return JSON.stringify({ store, commit, sql: [...known.keys()], runs: packed } satisfies Packed)
}

export function unpackRedo(text: string): Redo {
  const { store, commit, sql, runs } = JSON.parse(text) as Packed
  return { store, commit, runs: runs.map(([index, ...values]) => ({ sql: sql[index] as string, values })) }
}

/** The record for the message log. */
export function redoRecord(text: string): Buffer {
  const size = Buffer.byteLength(text)
  const record = Buffer.allocUnsafe(HEADER + size)
  record.write(text, HEADER)
  writeHeader(record, 0, { cid: REDO, size, sum: crc32(record.subarray(HEADER)) })
  return record
}

/** What a start found in the message log. */
export interface Redone {
  /** How many commits were run again. */
  readonly commits: number
  /**
   * How many were left, as they follow one that is not there or not whole. Nobody was told of them, unless the disk has
   * lost what it had synced.
   */
  readonly left: number
}

/**
 * Brings the database to the last commit that is in the message log, up to a gap. Before anything else is read from it;
 * the caller then syncs it.
 */
export async function redoCommits(database: Database, files: MessageFiles): Promise<Redone> {
  const { store, commit, place } = readStanding(database)
  const first = segmentOf(place)
  const segments = (await files.list()).filter((number) => number >= first).sort((a, b) => a - b)
  const last = segments.at(-1)
  if (last === undefined) return { commits: 0, left: 0 }
  let reached = commit
  let left = 0
  database.control('BEGIN IMMEDIATE')
  try {
    for (const number of segments) {
      for await (const { text, follows } of redoTexts(
        files,
        number,
        number === first ? offsetOf(place) : 0,
      )) {
        const redo = unpackRedo(text)
        if (redo.store !== store || redo.commit <= reached) continue
        if (!follows || redo.commit !== reached + 1) {
          left++
          continue
        }
        for (const run of redo.runs) database.rerun(run)
        reached++
      }
    }
    writeStanding(database, { commit: reached, place: placeOf(last + 1, 0) })
    database.control('COMMIT')
  } catch (error) {
    database.rollback()
    throw error
  }
  return { commits: reached - commit, left }
}

/** The text of a redo record; `follows` is false where one before it, in the same segment, is not whole. */
interface RedoText {
  readonly text: string
  readonly follows: boolean
}

/** The redo records of a segment that are whole, from a record on. */
async function* redoTexts(files: MessageFiles, number: number, from: number): AsyncGenerator<RedoText> {
  const file = await files.open(number)
  try {
    const size = await file.size()
    let follows = true
    for (let at = from; ; ) {
      const header = readHeader(await readAt(file, at, HEADER), 0)
      if (header === null || at + HEADER + header.size > size) return
      if (header.cid === REDO) {
        const octets = await readAt(file, at + HEADER, header.size)
        if (crc32(octets) === header.sum) yield { text: octets.toString(), follows }
        else follows = false
      }
      at += HEADER + header.size
    }
  } finally {
    await file.close()
  }
}

/** So many octets, or those that are there. */
async function readAt(file: MessageFile, at: number, length: number): Promise<Buffer> {
  const octets = Buffer.allocUnsafe(length)
  return octets.subarray(0, await file.read(octets, at))
}
