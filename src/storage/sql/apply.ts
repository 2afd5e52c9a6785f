import { isMailError } from '../../core/index.js'
import type { MailboxId, Op, Result } from '../../interfaces/index.js'
import { applyLarge } from './apply-large.js'
import type { Parts } from './apply-small.js'
import { applyOp, NotLoaded, sqlBody } from './apply-small.js'
import type { CommitQueue } from './commit-queue.js'
import type { SqlHome } from './homes.js'
import type { LockMode } from './mailbox-lock.js'
import type { SqlMailbox } from './sql-mailbox-state.js'

/** Messages that an apply may touch and still be one job of a commit. */
const SMALL = 1_000
/** Messages that take less than a millisecond. */
const SHORT = 50

/** What an apply needs before it can begin: the locks, and the mailboxes whose columns it reads. */
interface Demand {
  readonly locks: Map<SqlMailbox, LockMode>
  readonly columns: Set<SqlMailbox>
}

/** Applies ops: small ones as one job of the next commit, large ones in slices under stricter locks. */
export class Applier {
  readonly #parts: Parts
  readonly #queue: CommitQueue
  readonly #folder: string | null

  constructor(parts: Parts, queue: CommitQueue, folder: string | null) {
    this.#parts = parts
    this.#queue = queue
    this.#folder = folder
  }

  async apply(ops: readonly Op[]): Promise<readonly Result[]> {
    const { homes } = this.#parts
    const count = rows(ops)
    const large = count > SMALL
    const demand = this.#demand(ops, large)
    const homesUsed = new Set<SqlHome>([...demand.locks.keys()].map((box) => homes.ownerOf(box.id)))
    for (const home of homesUsed) homes.pin(home)
    const held: (readonly [SqlMailbox, LockMode])[] = []
    const release = (): void => {
      for (const [box, mode] of held) box.lock.release(mode)
      for (const home of homesUsed) homes.unpin(home)
    }
    // The work that is left of a large apply keeps the locks; nobody waits for it.
    let rest: Promise<void> | null = null
    try {
      const inOrder = [...demand.locks].sort(([a], [b]) => a.row - b.row)
      for (const [box, mode] of inOrder) {
        const waiting = box.lock.acquire(mode)
        if (waiting !== null) await waiting
        held.push([box, mode])
        box.check()
      }
      if (!large) return await this.#small(ops, demand, count > SHORT)
      await this.#load(demand)
      const outcome = await applyLarge(this.#parts, this.#queue, ops, (left) => {
        rest = left
      })
      rest = outcome.rest
      return outcome.results
    } finally {
      if (rest === null) release()
      else void (rest as Promise<void>).finally(release)
    }
  }

  async #small(ops: readonly Op[], demand: Demand, long: boolean): Promise<readonly Result[]> {
    for (const op of ops) if (op.type === 'append') sqlBody(op.body)
    for (let attempt = 0; ; attempt++) {
      if (demand.columns.size > 0) await this.#load(demand)
      try {
        return await this.#queue.submit((tx) => ops.map((op) => applyOp(this.#parts, tx, op)), {
          octets: octets(ops),
          long,
        })
      } catch (error) {
        const again = isMailError(error) && error.cause instanceof NotLoaded && attempt < 5
        if (!again) throw error
      }
    }
  }

  async #load(demand: Demand): Promise<void> {
    for (const box of demand.columns) {
      if (box.state.loaded === null) await box.load(this.#parts.database, this.#folder)
    }
  }

  #demand(ops: readonly Op[], large: boolean): Demand {
    const locks = new Map<SqlMailbox, LockMode>()
    const columns = new Set<SqlMailbox>()
    const need = (mailbox: MailboxId, mode: 'append' | 'change', reads: boolean): void => {
      const box = this.#parts.homes.boxOf(mailbox)
      if (reads) columns.add(box)
      const mine: LockMode = !large ? mode : ops.length === 1 && mode === 'change' ? 'stable' : 'exclusive'
      const known = locks.get(box)
      // A mailbox that is both gets what is stricter; small steps never ask for more than `change`.
      if (known === undefined || known === 'append' || mine === 'exclusive') locks.set(box, mine)
    }
    for (const op of ops) {
      switch (op.type) {
        case 'append':
          for (const { mailbox } of op.to) need(mailbox, 'append', false)
          break
        case 'copy':
        case 'move':
          need(op.from, 'change', true)
          need(op.to, 'append', false)
          break
        case 'expunge':
        case 'setFlags':
          need(op.mailbox, 'change', true)
          break
        default:
          op satisfies never
      }
    }
    return { locks, columns }
  }
}

function rows(ops: readonly Op[]): number {
  return ops.reduce((sum, op) => sum + (op.type === 'append' ? op.to.length : op.uids.length), 0)
}

function octets(ops: readonly Op[]): number {
  return ops.reduce((sum, op) => {
    if (op.type !== 'append') return sum
    return sum + sqlBody(op.body).facts.length
  }, 0)
}
