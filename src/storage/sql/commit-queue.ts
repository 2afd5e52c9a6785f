import { MailError } from '../../core/index.js'
import type { Database } from './database.js'
import { toMailError } from './errors.js'
import type { SqlMailbox } from './sql-mailbox-state.js'

/** A commit takes no more jobs, octets or milliseconds than this, so that other work gets its turn. */
const MOST_JOBS = 256
const MOST_OCTETS = 2 * 1024 * 1024
const MOST_MS = 8
/** Milliseconds that a commit waits, at most, for messages that are coming in. */
const MOST_PATIENCE = 4
/** Octets in the write-ahead log after which they are moved to the file, and what a job writes beside its own. */
const CHECKPOINT = 4 * 1024 * 1024
const PAGE = 8 * 1024
/** Milliseconds without a commit after which what is in the log is moved to the file. */
const QUIET = 200

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
 *
 * A commit waits for messages that are on their way in, no longer than the one before it took, since that is what it
 * can save; on a fast disk that is not at all. Whoever did not come in that time is not waited for again.
 */
export class CommitQueue {
  readonly #database: Database
  readonly #folder: string | null
  readonly #waiting: Job[]
  #scheduled: boolean
  #closed: boolean
  #idle: (() => void)[]
  /** Messages on their way in that the next commit would wait for: those expected since the last wait in vain. */
  #expected: number
  #round: number
  #patience: number
  #waitingFor: NodeJS.Timeout | null
  /** Octets in the log, roughly. */
  #logged: number
  #checkpoint: NodeJS.Timeout | null

  constructor(database: Database, folder: string | null) {
    this.#database = database
    this.#folder = folder
    this.#waiting = []
    this.#scheduled = false
    this.#closed = false
    this.#idle = []
    this.#expected = 0
    this.#round = 0
    this.#patience = 0
    this.#waitingFor = null
    this.#logged = 0
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

  /** A job will follow in a moment; what is returned must be given to `arrived` when it is there, or will not come. */
  expect(): number {
    this.#expected++
    return this.#round
  }

  arrived(round: number): void {
    if (round !== this.#round || --this.#expected > 0 || this.#waitingFor === null) return
    clearTimeout(this.#waitingFor)
    this.#waitingFor = null
    // What has arrived is submitted within this turn.
    setImmediate(() => this.#commit())
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
    if (this.#expected === 0 || this.#patience === 0) {
      setImmediate(() => this.#commit())
      return
    }
    this.#waitingFor = setTimeout(() => {
      this.#waitingFor = null
      this.#expected = 0
      this.#round++
      this.#commit()
    }, this.#patience)
  }

  #commit(): void {
    const started = performance.now()
    this.#burst(started)
    this.#patience = Math.min(MOST_PATIENCE, Math.round(performance.now() - started))
    if (this.#waiting.length > 0) {
      setImmediate(() => this.#commit())
      return
    }
    this.#scheduled = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #burst(started: number): void {
    const database = this.#database
    const done: { readonly job: Job; readonly tx: Tx }[] = []
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
      this.#checkpointAfter(octets + PAGE * done.length)
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

  /** Checkpoints come between commits, when those who were in the last one have been told, and in quiet moments. */
  #checkpointAfter(octets: number): void {
    this.#logged += octets
    if (this.#logged > CHECKPOINT) setImmediate(() => this.#checkpointNow())
    else if (this.#checkpoint !== null) this.#checkpoint.refresh()
    else this.#checkpoint = setTimeout(() => this.#checkpointNow(), QUIET).unref()
  }

  #checkpointNow(): void {
    if (this.#closed || this.#logged === 0) return
    this.#logged = 0
    try {
      this.#database.checkpoint()
    } catch {
      // The log holds everything; the next commit or checkpoint tells of a disk that stays broken.
    }
  }
}
