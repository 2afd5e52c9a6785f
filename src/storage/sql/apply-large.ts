import type { Flags, Op, Placed, Result } from '../../interfaces/index.js'
import type { Arrival, FlagChange, MailboxState } from '../mailbox-state.js'
import { turn } from '../turn.js'
import type { Parts } from './apply-small.js'
import { sqlBody } from './apply-small.js'
import type { CommitQueue, Tx } from './commit-queue.js'
import type { FlagGroup } from './rows.js'
import { copiedRows, copyRows, groupFlags, insertRow, SLICE } from './rows.js'
import type { SqlMailbox } from './sql-mailbox-state.js'
import type { Task } from './tasks.js'

/** Parts of a task written in one commit. */
const PARTS = 10
/** UIDs that are looked up in one turn of the event loop. */
const PLAN = 16_384

/** What an op leaves to the commit that decides all of them. */
type Finish = (tx: Tx) => Result

interface Work {
  readonly task: Task
  readonly box: SqlMailbox
  /** Messages it is about. */
  readonly count: number
}

interface Large {
  /** Sweeps of the mailboxes that messages go to; over when the commit is made. */
  readonly sweeps: Map<SqlMailbox, Task>
  /** What is to be done after the commit. */
  readonly tasks: Work[]
  /** How the mailboxes stand after the ops so far, where there are several ops; else as they are. */
  readonly draft: (box: SqlMailbox) => MailboxState
}

/** The outcome of a large apply, and the work that is left; the locks must be held until it is done. */
export interface LargeOutcome {
  readonly results: readonly Result[]
  readonly rest: Promise<void>
}

/**
 * Ops on more messages than fit a commit. Rows are written in slices that nobody can see, and one commit then decides
 * all ops at once: it advances `uidNext` over the copied rows, and arms the tasks that delete and flag the others. The
 * caller holds the locks: `exclusive` where messages go, and `stable` where a single op takes them from.
 */
export async function applyLarge(
  parts: Parts,
  queue: CommitQueue,
  ops: readonly Op[],
  failed: (rest: Promise<void>) => void,
): Promise<LargeOutcome> {
  const drafts = new Map<SqlMailbox, MailboxState>()
  const large: Large = {
    sweeps: new Map(),
    tasks: [],
    draft: (box) => {
      if (ops.length === 1) return box.state
      const draft = drafts.get(box) ?? box.state.fork()
      drafts.set(box, draft)
      return draft
    },
  }
  try {
    await beginSweeps(parts, queue, ops, large)
    const finishes: Finish[] = []
    for (const op of ops) finishes.push(await prepare(parts, queue, op, large))
    const results = await queue.submit(
      (tx) => {
        const done = finishes.map((finish) => finish(tx))
        for (const sweep of large.sweeps.values()) parts.tasks.end(sweep)
        return done
      },
      { once: true, long: true },
    )
    return { results, rest: settle(parts, large.tasks) }
  } catch (error) {
    const sweeps = [...large.sweeps].map(([box, task]): Work => ({ task, box, count: 0 }))
    failed(settle(parts, [...sweeps, ...large.tasks]))
    throw error
  }
}

async function settle(parts: Parts, work: readonly Work[]): Promise<void> {
  for (const { task, box, count } of work) {
    await parts.tasks.run(task)
    box.draining.delete(task.id)
    if (task.kind === 'expunge') parts.wroteTombstones(box, count)
  }
}

async function beginSweeps(
  parts: Parts,
  queue: CommitQueue,
  ops: readonly Op[],
  large: Large,
): Promise<void> {
  const targets = new Set<SqlMailbox>()
  for (const op of ops) {
    if (op.type === 'append') for (const { mailbox } of op.to) targets.add(parts.homes.boxOf(mailbox))
    if (op.type === 'copy' || op.type === 'move') targets.add(parts.homes.boxOf(op.to))
  }
  if (targets.size === 0) return
  const begun = await queue.submit(() =>
    [...targets].map((box) => [box, parts.tasks.begin('sweep', box.row)] as const),
  )
  for (const [box, task] of begun) large.sweeps.set(box, task)
}

async function prepare(parts: Parts, queue: CommitQueue, op: Op, large: Large): Promise<Finish> {
  switch (op.type) {
    case 'append':
      return prepareAppend(parts, queue, op, large)
    case 'copy':
    case 'move':
      return prepareCopy(parts, queue, op, large)
    case 'expunge': {
      const box = parts.homes.boxOf(op.mailbox)
      const uids = await presentOf(large.draft(box), op.uids)
      const expunge = await prepareExpunge(parts, queue, box, uids, large)
      return (tx) => {
        expunge(tx)
        return { type: 'expunge', uids, modSeq: box.state.header.highestModSeq }
      }
    }
    case 'setFlags':
      return prepareFlags(parts, queue, op, large)
    default:
      return op satisfies never
  }
}

async function prepareAppend(
  parts: Parts,
  queue: CommitQueue,
  op: Extract<Op, { type: 'append' }>,
  large: Large,
): Promise<Finish> {
  const body = sqlBody(op.body)
  const adds: { box: SqlMailbox; arrival: Arrival; placed: Placed }[] = []
  const counts = new Map<SqlMailbox, number>()
  for (let start = 0; start < op.to.length; start += SLICE) {
    const slice = op.to.slice(start, start + SLICE)
    await queue.submit(
      (tx) => {
        const cid = parts.contents.store(tx, body, slice.length)
        for (const { mailbox, flags, internalDate } of slice) {
          const box = parts.homes.boxOf(mailbox)
          const state = large.draft(box)
          const before = state === box.state ? (counts.get(box) ?? 0) : 0
          counts.set(box, before + 1)
          state.checkRoom(before + 1)
          const resolved = state.table.resolve(flags)
          const uid = state.header.uidNext + before
          const modSeq = box.state.header.highestModSeq + 1
          const code = state.table.codeOf(resolved)
          insertRow(parts.database, box.row, { uid, modSeq, code, date: internalDate, size: body.size, cid })
          const arrival = { flags: resolved, size: body.size }
          if (state !== box.state) state.append([arrival], modSeq)
          adds.push({ box, arrival, placed: { mailbox, uidValidity: state.header.uidValidity, uid, modSeq } })
        }
      },
      { once: true, long: true },
    )
  }
  return (tx) => {
    for (const { box, arrival } of adds) box.state.append([arrival], box.touch(tx))
    return { type: 'append', placed: adds.map(({ placed }) => placed) }
  }
}

async function prepareCopy(
  parts: Parts,
  queue: CommitQueue,
  op: Extract<Op, { type: 'copy' | 'move' }>,
  large: Large,
): Promise<Finish> {
  const source = parts.homes.boxOf(op.from)
  const target = parts.homes.boxOf(op.to)
  const fromState = large.draft(source)
  const toState = large.draft(target)
  const from = await presentOf(fromState, op.uids)
  const { uidValidity, uidNext: first } = toState.header
  const modSeq = target.state.header.highestModSeq + 1
  if (from.length === 0) return () => ({ type: op.type, uidValidity, from, to: [], modSeq: modSeq - 1 })
  toState.checkRoom(from.length)
  const arrivals: Arrival[] = []
  for (let start = 0; start < from.length; start += SLICE) {
    const uids = from.slice(start, start + SLICE)
    const slice = fromState.arrivals(uids, toState.table)
    for (const arrival of slice) arrivals.push(arrival)
    const rows = copiedRows(uids, slice, toState.table, first + start)
    await queue.submit(() => copyRows(parts.database, source.row, target.row, modSeq, rows), { long: true })
    await turn()
  }
  if (toState !== target.state) toState.append(arrivals, modSeq)
  const expunge = op.type === 'move' ? await prepareExpunge(parts, queue, source, from, large) : null
  return (tx) => {
    target.state.append(arrivals, target.touch(tx))
    expunge?.(tx)
    return { type: op.type, uidValidity, from, to: from.map((_, i) => first + i), modSeq }
  }
}

async function prepareExpunge(
  parts: Parts,
  queue: CommitQueue,
  box: SqlMailbox,
  uids: readonly number[],
  large: Large,
): Promise<(tx: Tx) => void> {
  const slice = (start: number): readonly number[] => uids.slice(start, start + SLICE)
  const task = await writeParts(parts, queue, 'expunge', box, uids.length, slice, large)
  const draft = large.draft(box)
  if (draft !== box.state && uids.length > 0) draft.expunge(uids, box.state.header.highestModSeq + 1)
  return (tx) => {
    if (uids.length === 0) return
    const modSeq = box.touch(tx)
    parts.tasks.arm(task, modSeq)
    box.spoil(tx)
    box.state.expunge(uids, modSeq)
    box.draining.set(task.id, { modSeq, uids })
    tx.onUndo(() => box.draining.delete(task.id))
  }
}

async function prepareFlags(
  parts: Parts,
  queue: CommitQueue,
  op: Extract<Op, { type: 'setFlags' }>,
  large: Large,
): Promise<Finish> {
  const box = parts.homes.boxOf(op.mailbox)
  const draft = large.draft(box)
  const operand: Flags = draft.table.resolve(op.flags)
  const changes: FlagChange[] = []
  const modified: number[] = []
  const missing: number[] = []
  for (let start = 0; start < op.uids.length; start += PLAN) {
    if (start > 0) await turn()
    const plan = draft.planFlags(op.uids.slice(start, start + PLAN), op.mode, operand, op.unchangedSince)
    for (const change of plan.changes) changes.push(change)
    for (const uid of plan.modified) modified.push(uid)
    for (const uid of plan.missing) missing.push(uid)
  }
  const slice = (start: number): readonly FlagGroup[] =>
    groupFlags(draft.table, changes.slice(start, start + SLICE))
  const task = await writeParts(parts, queue, 'flags', box, changes.length, slice, large)
  if (draft !== box.state && changes.length > 0) draft.setFlags(changes, box.state.header.highestModSeq + 1)
  return (tx) => {
    if (changes.length === 0) return { type: 'setFlags', changed: [], modified, missing }
    const modSeq = box.touch(tx)
    parts.tasks.arm(task, modSeq)
    box.spoil(tx)
    box.state.setFlags(changes, modSeq)
    return { type: 'setFlags', changed: changes, modified, missing }
  }
}

/** Those of the UIDs that are there; the caller's lock keeps them there. */
async function presentOf(state: MailboxState, wanted: readonly number[]): Promise<readonly number[]> {
  const present: number[] = []
  for (let start = 0; start < wanted.length; start += PLAN) {
    if (start > 0) await turn()
    for (const uid of state.present(wanted.slice(start, start + PLAN))) present.push(uid)
  }
  return present
}

async function writeParts(
  parts: Parts,
  queue: CommitQueue,
  kind: 'expunge' | 'flags',
  box: SqlMailbox,
  count: number,
  slice: (start: number) => readonly unknown[],
  large: Large,
): Promise<Task> {
  const task = await queue.submit(() => parts.tasks.begin(kind, box.row))
  large.tasks.push({ task, box, count })
  for (let first = 0; first < count; first += PARTS * SLICE) {
    await queue.submit(
      () => {
        const end = Math.min(count, first + PARTS * SLICE)
        for (let start = first; start < end; start += SLICE) parts.tasks.addPart(task, start, slice(start))
      },
      { long: true },
    )
  }
  return task
}
