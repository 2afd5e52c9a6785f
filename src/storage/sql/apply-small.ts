import { MailError } from '../../core/index.js'
import type { Body, Op, Placed, Result } from '../../interfaces/index.js'
import { SqlBody } from './body.js'
import type { Tx } from './commit-queue.js'
import type { Contents } from './contents.js'
import type { Database } from './database.js'
import type { Homes } from './homes.js'
import {
  copiedRows,
  copyRows,
  groupFlags,
  insertRow,
  removeRows,
  writeFlags,
  writeTombstones,
} from './rows.js'
import type { SqlMailbox } from './sql-mailbox-state.js'
import type { Tasks } from './tasks.js'

/** The parts of the store that changing messages needs. */
export interface Parts {
  readonly database: Database
  readonly contents: Contents
  readonly homes: Homes
  readonly tasks: Tasks
  /** After a commit that wrote tombstones. */
  wroteTombstones(mailbox: SqlMailbox, runs: number): void
}

/** Thrown where a mailbox's columns have been dropped after a failed commit: they are read again, and the job too. */
export class NotLoaded extends Error {}

/** Does one op within a commit. Throws before it has changed anything in memory. */
export function applyOp(parts: Parts, tx: Tx, op: Op): Result {
  switch (op.type) {
    case 'append':
      return append(parts, tx, op)
    case 'copy':
    case 'move':
      return copy(parts, tx, op)
    case 'expunge': {
      const box = loadedBox(parts, op.mailbox)
      const uids = box.state.present(op.uids)
      if (uids.length > 0) expunge(parts, tx, box, uids)
      return { type: 'expunge', uids, modSeq: box.state.header.highestModSeq }
    }
    case 'setFlags':
      return setFlags(parts, tx, op)
    default:
      return op satisfies never
  }
}

export function sqlBody(body: Body): SqlBody {
  if (!(body instanceof SqlBody)) throw new MailError('notFound', 'the message is not of this store')
  if (body.discarded) throw new MailError('notFound', 'the message was discarded')
  return body
}

function loadedBox(parts: Parts, mailbox: string): SqlMailbox {
  const box = parts.homes.boxOf(mailbox)
  if (box.state.loaded === null) throw new NotLoaded()
  return box
}

function append(parts: Parts, tx: Tx, op: Extract<Op, { type: 'append' }>): Result {
  const body = sqlBody(op.body)
  const boxes = op.to.map(({ mailbox, flags }) => {
    const box = parts.homes.boxOf(mailbox)
    box.state.checkRoom(op.to.length)
    return { box, flags: box.state.table.resolve(flags) }
  })
  if (boxes.length === 0) return { type: 'append', placed: [] }
  const cid = parts.contents.store(tx, body, boxes.length)
  const placed = boxes.map(({ box, flags }, index): Placed => {
    const { header, table } = box.state
    const modSeq = box.touch(tx)
    const uid = header.uidNext
    const date = op.to[index]?.internalDate ?? 0
    const code = table.codeOf(flags)
    insertRow(parts.database, box.row, { uid, modSeq, code, date, size: body.size, cid })
    box.state.append([{ flags, size: body.size }], modSeq)
    return { mailbox: box.id, uidValidity: header.uidValidity, uid, modSeq }
  })
  return { type: 'append', placed }
}

function copy(parts: Parts, tx: Tx, op: Extract<Op, { type: 'copy' | 'move' }>): Result {
  const source = loadedBox(parts, op.from)
  const target = parts.homes.boxOf(op.to)
  const from = source.state.present(op.uids)
  const { uidValidity, uidNext, highestModSeq } = target.state.header
  if (from.length === 0) return { type: op.type, uidValidity, from, to: [], modSeq: highestModSeq }
  target.state.checkRoom(from.length)
  const arrivals = source.state.arrivals(from, target.state.table)
  const modSeq = target.touch(tx)
  const rows = copiedRows(from, arrivals, target.state.table, uidNext)
  copyRows(parts.database, source.row, target.row, modSeq, rows)
  target.state.append(arrivals, modSeq)
  if (op.type === 'move') expunge(parts, tx, source, from)
  return { type: op.type, uidValidity, from, to: from.map((_, i) => uidNext + i), modSeq }
}

function expunge(parts: Parts, tx: Tx, box: SqlMailbox, uids: readonly number[]): void {
  const modSeq = box.touch(tx)
  removeRows(parts.database, box.row, uids)
  const runs = writeTombstones(parts.database, box.row, modSeq, uids)
  box.spoil(tx)
  box.state.expunge(uids, modSeq)
  parts.wroteTombstones(box, runs)
}

function setFlags(parts: Parts, tx: Tx, op: Extract<Op, { type: 'setFlags' }>): Result {
  const box = loadedBox(parts, op.mailbox)
  const flags = box.state.table.resolve(op.flags)
  const { changes, modified, missing } = box.state.planFlags(op.uids, op.mode, flags, op.unchangedSince)
  if (changes.length === 0) return { type: 'setFlags', changed: [], modified, missing }
  const modSeq = box.touch(tx)
  writeFlags(parts.database, box.row, modSeq, groupFlags(box.state.table, changes))
  box.spoil(tx)
  box.state.setFlags(changes, modSeq)
  return { type: 'setFlags', changed: changes, modified, missing }
}
