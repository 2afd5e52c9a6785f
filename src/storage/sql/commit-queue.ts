import { MailError } from '../../core/index.js'
import { Awake } from '../awake.js'
import type { Database } from './database.js'
import { toMailError } from './errors.js'
import { LogChanges } from './log-changes.js'
import type { SqlMailbox } from './sql-mailbox-state.js'
import type { Synced } from './synced-file.js'

/** A commit takes no more jobs, octets or milliseconds than this, so that other work gets its turn. */
const MOST_JOBS = 256
const MOST_OCTETS = 2 * 1024 * 1024
const MOST_MS = 8
/** Octets in the write-ahead log after which they are moved to the file. */
const CHECKPOINT = 4 * 1024 * 1024
/** Of a page there; and how many a commit writes, beside one for each mailbox that it changes. */
const PAGE = 8 * 1024
const PAGES = 6
/** Milliseconds without a commit after which what is in the log is moved to the file. */
const QUIET = 200

/** One job's part in a commit: what must be taken back in memory where it fails, and who hears of it afterwards. */
export class Tx {
  readonly #undo: (() => void)[]
  /** Every mailbox that the job changes, with the mod-sequence of its changes there. */
  readonly modSeqs: Map<SqlMailbox, number>
  /** What it changes of the octets that contents refer to. */
  readonly log: LogChanges

  constructor() {
    this.#undo = []
    this.modSeqs = new Map()
    this.log = new LogChanges()
  }

  onUndo(undo: () => void): void {
    this.#undo.push(undo)
  }

  undo(): void {
    for (let step = this.#undo.pop(); step !== undefined; step = this.#undo.pop()) step()
  }
}

/** What the queue may know of a job before it runs. */
export interface JobTraits {
  /** Roughly what it writes. */
  readonly octets?: number
  /** It cannot be run again after all that it did has been undone, since it changes what no `undo` knows. */
  readonly once?: boolean
  /** It takes milliseconds, or writes much. */
  readonly long?: boolean
}

interface Job {
  readonly run: (tx: Tx) => void
  readonly octets: number
  readonly long: boolean
  /** In a savepoint of its own. */
  guarded: boolean
  readonly reject: (error: MailError) => void
  readonly resolve: () => void
}

/** The files of a database, where SQLite leaves it to the queue to sync them. */
export interface DatabaseFiles {
  readonly log: Synced
  readonly main: Synced
}

/** A job within a commit. */
interface Step {
  readonly job: Job
  readonly tx: Tx
}

/** What a commit has written, and who is to be told when it is on the disk. */
interface Written {
  readonly jobs: readonly Job[]
  /** The mailboxes that it changed, with the keywords that each has in it. */
  readonly touched: ReadonlyMap<SqlMailbox, readonly string[]>
  /** Resolves when the octets of its messages are on the disk; null where they are. */
  readonly octets: Promise<void> | null
}

/**
 * Group commit. Whoever submits while others wait shares one BEGIN ... COMMIT with them. It runs in one synchronous
 * burst, so that nobody ever sees what is not committed. A job that fails harms nobody else: each has a savepoint of its
 * own, or, since savepoints are dear, those before it are undone and run once more, with savepoints then.
 *
 * After COMMIT the log is synced, on another thread where it is a file, while the octets of its messages are too: in the
 * meantime others read, and one more commit is made, which is synced next; not of long jobs, for which those who have
 * been synced would wait. Nobody is told of a commit before all of it is on the disk. A failed COMMIT fails everyone in
 * it; after a failed sync nothing is known of what is on the disk, and nothing more is taken.
 */
export class CommitQueue {
  readonly #database: Database
  readonly #folder: string | null
  readonly #files: DatabaseFiles | null
  readonly #awake: Awake
  readonly #waiting: Job[]
  /** Jobs that waited at the last turn. */
  #seen: number
  /** Whether the last commit had a long job in it. */
  #long: boolean
  #scheduled: boolean
  #closed: boolean
  #idle: (() => void)[]
  /** Commits that are not on the disk: the one whose sync goes on, and one after it. */
  #unsynced: number
  /** The last sync, each of which begins when the one before has ended. */
  #synced: Promise<void>
  /** Why a file could not be synced. */
  #failure: MailError | null
  /** Octets in the log, roughly. */
  #logged: number
  #checkpoint: NodeJS.Timeout | null
  #moving: boolean

  /** `files` is null where a COMMIT is on the disk when it returns, or where there is no disk. */
  constructor(database: Database, folder: string | null, files: DatabaseFiles | null) {
    this.#database = database
    this.#folder = folder
    this.#files = files
    this.#awake = new Awake()
    this.#waiting = []
    this.#seen = 0
    this.#long = false
    this.#scheduled = false
    this.#closed = false
    this.#idle = []
    this.#unsynced = 0
    this.#synced = Promise.resolve()
    this.#failure = null
    this.#logged = 0
    this.#checkpoint = null
    this.#moving = false
  }

  /** Jobs that wait. */
  get length(): number {
    return this.#waiting.length
  }

  /** Resolves with what `run` returned, once it is durable. */
  submit<T>(run: (tx: Tx) => T, { octets = 0, once = false, long = false }: JobTraits = {}): Promise<T> {
    if (this.#closed) return Promise.reject(new MailError('closed', 'the store is closed'))
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      let value: T
      this.#waiting.push({
        run: (tx) => {
          value = run(tx)
        },
        octets,
        long,
        guarded: once,
        resolve: () => resolve(value),
        reject,
      })
      this.#schedule()
    })
  }

  /**
   * Resolves when everything committed so far is on the disk. Whoever tells of a UID, a UIDVALIDITY or a mod-sequence
   * waits for that: after a power loss another message, or another change, could have the same.
   */
  async durable(): Promise<void> {
    if (this.#unsynced > 0) await this.#synced.catch(() => undefined)
    if (this.#failure !== null) throw this.#failure
  }

  /** Takes nothing more, and resolves when everything submitted is settled. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#busy) await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (this.#checkpoint !== null) clearTimeout(this.#checkpoint)
  }

  get #busy(): boolean {
    return this.#waiting.length > 0 || this.#unsynced > 0 || this.#moving
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  /** What is next. Whatever ends later schedules another turn. */
  #turn(): void {
    this.#scheduled = false
    if (this.#moving || this.#unsynced > 1) return
    const full = this.#logged > CHECKPOINT
    const next = this.#waiting[0]
    if (this.#unsynced === 1) {
      if (full || next === undefined || next.long || this.#long) return
      // While others still come, the disk is at work anyway: they share the commit.
      const seen = this.#seen
      this.#seen = this.#waiting.length
      if (this.#seen > seen) this.#schedule()
      else this.#commit()
    } else if (full) {
      void this.#moveLog()
    } else if (next !== undefined) {
      this.#commit()
    } else {
      for (const resolve of this.#idle.splice(0)) resolve()
    }
  }

  #commit(): void {
    const written = this.#burst(performance.now())
    this.#seen = 0
    if (written !== null && (this.#files !== null || written.octets !== null)) void this.#sync(written)
    else if (written !== null) tell(written)
    this.#schedule()
  }

  /** The next sync begins before anybody acts on what this one has made durable. */
  async #sync(written: Written): Promise<void> {
    this.#unsynced++
    const log = this.#unsynced === 1 ? this.#syncLog() : this.#synced.then(() => this.#syncLog())
    this.#synced = written.octets === null ? log : both(log, written.octets)
    try {
      await this.#awake.wait(this.#synced)
    } catch (error) {
      const reason = this.fail(error)
      for (const job of written.jobs) job.reject(reason)
    }
    this.#unsynced--
    if (this.#failure === null) tell(written)
    this.#schedule()
  }

  async #syncLog(): Promise<void> {
    await this.#files?.log.sync()
  }

  /** After a sync that failed: takes nothing more. Returns what everyone is told. */
  fail(error: unknown): MailError {
    this.#failure ??= new MailError(
      'unavailable',
      `${toMailError(error, this.#folder).message}; the disk may have lost mail: see that it is sound, then start again`,
      { cause: error },
    )
    for (const job of this.#waiting.splice(0)) job.reject(this.#failure)
    return this.#failure
  }

  /** Null where nothing was committed. Jobs with and without savepoints do not share a commit. */
  #burst(started: number): Written | null {
    const database = this.#database
    const guarded = this.#waiting[0]?.guarded ?? false
    const done: Step[] = []
    let octets = 0
    let current: Step | null = null
    try {
      database.run('BEGIN IMMEDIATE')
      do {
        const job = this.#waiting[0]
        if (job === undefined || job.guarded !== guarded || (job.long && this.#unsynced > 0)) break
        this.#waiting.shift()
        current = { job, tx: new Tx() }
        octets += job.octets
        if (guarded ? this.#runGuarded(current) : this.#runFreely(current, done)) done.push(current)
        current = null
      } while (done.length < MOST_JOBS && octets < MOST_OCTETS && performance.now() - started < MOST_MS)
      const touched = new Map<SqlMailbox, readonly string[]>()
      const log = new LogChanges()
      for (const { tx } of done) {
        log.addAll(tx.log)
        for (const mailbox of tx.modSeqs.keys()) touched.set(mailbox, mailbox.state.table.keywords)
      }
      for (const mailbox of touched.keys()) mailbox.writeHeader(database)
      log.write(database)
      database.run('COMMIT')
      this.#long = done.some(({ job }) => job.long)
      this.#logGrew(octets + PAGE * (PAGES + touched.size))
      return done.length === 0 ? null : { jobs: done.map(({ job }) => job), touched, octets: log.synced }
    } catch (error) {
      database.rollback()
      this.#fail(current === null ? done : [...done, current], error)
      return null
    }
  }

  /** Whether the job is part of the commit. Throws where SQLite has given up the whole transaction. */
  #runGuarded({ job, tx }: Step): boolean {
    const database = this.#database
    database.run('SAVEPOINT job')
    try {
      job.run(tx)
      database.run('RELEASE job')
      return true
    } catch (error) {
      tx.undo()
      if (!this.#undoSavepoint()) throw error
      job.reject(toMailError(error, this.#folder))
      return false
    }
  }

  /**
   * Whether the job is part of the commit. Where it fails and may have left something behind, everything is taken back,
   * and those who were `done` before it go back to the queue, to be run with savepoints.
   */
  #runFreely({ job, tx }: Step, done: Step[]): boolean {
    const database = this.#database
    const { writes } = database
    try {
      job.run(tx)
      return true
    } catch (error) {
      tx.undo()
      job.reject(toMailError(error, this.#folder))
      if (database.writes === writes) return false
      database.rollback()
      const undone = done.splice(0)
      for (const step of [...undone].reverse()) step.tx.undo()
      for (const step of undone) step.job.guarded = true
      this.#waiting.unshift(...undone.map((step) => step.job))
      database.run('BEGIN IMMEDIATE')
      return false
    }
  }

  #undoSavepoint(): boolean {
    try {
      this.#database.run('ROLLBACK TO job')
      this.#database.run('RELEASE job')
      return true
    } catch {
      return false
    }
  }

  #fail(failed: readonly Step[], error: unknown): void {
    const reason = toMailError(error, this.#folder)
    for (const { tx } of [...failed].reverse()) tx.undo()
    for (const { job } of failed) job.reject(reason)
    // A BEGIN that fails concerns everyone who waits; trying again for each would only say the same.
    if (failed.length === 0) for (const job of this.#waiting.splice(0)) job.reject(reason)
  }

  /** What is in the log is moved to the file when it has become much, and in quiet moments. */
  #logGrew(octets: number): void {
    this.#logged += octets
    if (this.#checkpoint !== null) this.#checkpoint.refresh()
    else this.#checkpoint = setTimeout(() => this.#quiet(), QUIET).unref()
  }

  #quiet(): void {
    if (this.#logged > 0 && !this.#busy && !this.#closed) void this.#moveLog()
  }

  /**
   * Between two commits: everything in the log is on the disk, and the next commit, which may begin the log anew, waits
   * until the file is too.
   */
  async #moveLog(): Promise<void> {
    this.#logged = 0
    if (this.#failure !== null) return this.#schedule()
    this.#moving = true
    try {
      this.#database.checkpoint(this.#files === null)
    } catch {
      // The log holds everything; the next commit or checkpoint tells of a disk that stays broken.
    }
    try {
      await this.#files?.main.sync()
    } catch (error) {
      this.fail(error)
    }
    this.#moving = false
    this.#schedule()
  }
}

async function both(first: Promise<void>, second: Promise<void>): Promise<void> {
  await Promise.all([first, second])
}

function tell({ jobs, touched }: Written): void {
  for (const job of jobs) job.resolve()
  for (const [mailbox, keywords] of touched) mailbox.committed(keywords)
}
