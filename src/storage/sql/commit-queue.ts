import { MailError } from '../../core/index.js'
import type { Database } from './database.js'
import { toMailError } from './errors.js'
import type { SqlMailbox } from './sql-mailbox-state.js'

/** A commit takes no more jobs, octets or milliseconds than this, so that other work gets its turn. */
const MOST_JOBS = 256
const MOST_OCTETS = 2 * 1024 * 1024
const MOST_MS = 8

/** One job's part in a commit: what must be taken back in memory where it fails, and who hears of it afterwards. */
export class Tx {
  readonly #undo: (() => void)[]
  /** Every mailbox that the job changes, with the mod-sequence of its changes there. */
  readonly modSeqs: Map<SqlMailbox, number>

  constructor() {
    this.#undo = []
    this.modSeqs = new Map()
  }

  onUndo(undo: () => void): void {
    this.#undo.push(undo)
  }

  undo(): void {
    for (let step = this.#undo.pop(); step !== undefined; step = this.#undo.pop()) step()
  }
}

interface Job {
  readonly run: (tx: Tx) => void
  readonly octets: number
  readonly reject: (error: MailError) => void
  readonly resolve: () => void
}

/**
 * Group commit. Whoever submits while others wait shares one BEGIN ... COMMIT with them, each in a savepoint of its
 * own; it runs in one synchronous burst, so that nobody ever sees what is not committed; and nobody is told before the
 * commit is on the disk. A failed COMMIT fails everyone in it.
 */
export class CommitQueue {
  readonly #database: Database
  readonly #folder: string | null
  readonly #waiting: Job[]
  #scheduled: boolean
  #closed: boolean
  #idle: (() => void)[]
  #checkpoint: NodeJS.Timeout | null

  constructor(database: Database, folder: string | null) {
    this.#database = database
    this.#folder = folder
    this.#waiting = []
    this.#scheduled = false
    this.#closed = false
    this.#idle = []
    this.#checkpoint = null
  }

  /** Jobs that wait. */
  get length(): number {
    return this.#waiting.length
  }

  /** Resolves with what `run` returned, once it is durable. `octets` is roughly what it writes. */
  submit<T>(run: (tx: Tx) => T, octets = 0): Promise<T> {
    if (this.#closed) return Promise.reject(new MailError('closed', 'the store is closed'))
    return new Promise((resolve, reject) => {
      let value: T
      this.#waiting.push({
        run: (tx) => {
          value = run(tx)
        },
        octets,
        resolve: () => resolve(value),
        reject,
      })
      this.#schedule()
    })
  }

  /** Takes nothing more, and resolves when everything submitted is settled. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#scheduled) await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (this.#checkpoint !== null) clearTimeout(this.#checkpoint)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#burst()
      this.#scheduled = false
      if (this.#waiting.length > 0) {
        this.#schedule()
        return
      }
      for (const resolve of this.#idle.splice(0)) resolve()
    })
  }

  #burst(): void {
    const database = this.#database
    const done: { readonly job: Job; readonly tx: Tx }[] = []
    const started = performance.now()
    let octets = 0
    let current: { readonly job: Job; readonly tx: Tx } | null = null
    try {
      database.run('BEGIN IMMEDIATE')
      do {
        const job = this.#waiting.shift()
        if (job === undefined) break
        current = { job, tx: new Tx() }
        octets += job.octets
        database.run('SAVEPOINT job')
        try {
          job.run(current.tx)
          database.run('RELEASE job')
          done.push(current)
        } catch (error) {
          current.tx.undo()
          if (!this.#undoSavepoint()) throw error
          job.reject(toMailError(error, this.#folder))
        }
        current = null
      } while (done.length < MOST_JOBS && octets < MOST_OCTETS && performance.now() - started < MOST_MS)
      const touched = new Set<SqlMailbox>()
      for (const { tx } of done) for (const mailbox of tx.modSeqs.keys()) touched.add(mailbox)
      for (const mailbox of touched) mailbox.writeHeader(database)
      database.run('COMMIT')
      for (const { job } of done) job.resolve()
      for (const mailbox of touched) mailbox.committed()
      this.#checkpointLater()
    } catch (error) {
      database.rollback()
      this.#fail(current === null ? done : [...done, current], error)
    }
  }

  /** False where SQLite has given up the whole transaction, and with it everyone in it. */
  #undoSavepoint(): boolean {
    try {
      this.#database.run('ROLLBACK TO job')
      this.#database.run('RELEASE job')
      return true
    } catch {
      return false
    }
  }

  #fail(failed: readonly { readonly job: Job; readonly tx: Tx }[], error: unknown): void {
    const reason = toMailError(error, this.#folder)
    for (const { tx } of [...failed].reverse()) tx.undo()
    for (const { job } of failed) job.reject(reason)
    // A BEGIN that fails concerns everyone who waits; trying again for each would only say the same.
    if (failed.length === 0) for (const job of this.#waiting.splice(0)) job.reject(reason)
  }

  /** Checkpoints in a quiet moment keep the one that a commit has to make small. */
  #checkpointLater(): void {
    if (this.#checkpoint !== null) return
    this.#checkpoint = setTimeout(() => {
      this.#checkpoint = null
      if (this.#closed) return
      try {
        this.#database.checkpoint()
      } catch {
        // The log holds everything; the next commit or checkpoint tells of a disk that stays broken.
      }
    }, 200)
    this.#checkpoint.unref()
  }
}
