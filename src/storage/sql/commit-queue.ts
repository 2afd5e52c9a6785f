import { MailError } from '../../core/index.js'
import { Awake } from '../awake.js'
import type { LogQueue } from '../messages/log-queue.js'
import type { Database } from './database.js'
import { toMailError } from './errors.js'
import { LogChanges } from './log-changes.js'
import type { SqlMailbox } from './sql-mailbox-state.js'
import type { Synced } from './synced-file.js'
import { Transaction } from './transaction.js'

/** A commit takes no more jobs, octets or milliseconds than this, so that other work gets its turn. */
const MOST_JOBS = 256
const MOST_OCTETS = 2 * 1024 * 1024
const MOST_MS = 8
/** In octets. */
export interface CommitAmounts {
  /** Of redo records, after which SQLite commits what they are about; 0 where none are written. */
  readonly redo: number
  /** In SQLite's log, after which they are moved to the file. */
  readonly checkpoint: number
}

const usual: CommitAmounts = { redo: 256 * 1024, checkpoint: 4 * 1024 * 1024 }
/** Of a page there; and how many SQLite's commit writes, beside one for each mailbox that it changes. */
const PAGE = 8 * 1024
const PAGES = 6
/** Milliseconds without a commit after which everything is moved to the file. */
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
  /** Whether it is good as soon as the message log is on the disk; else SQLite's log has to be, too. */
  readonly redo: boolean
  /** Whether octets in the message log are part of it. */
  readonly octets: boolean
}

/**
 * Group commit. Whoever submits while others wait shares one commit with them. It runs in one synchronous burst, so that
 * nobody ever sees what is not committed. A job that fails harms nobody else: each has a savepoint of its own, or, since
 * savepoints are dear, those before it are undone and run once more, with savepoints then.
 *
 * A commit is good with a redo record in the message log, which is synced on another thread, together with the octets of
 * its messages; one that is long or large, with SQLite's COMMIT, and its log is synced too. In the meantime others read,
 * and one more commit is made, which is synced next; not of long jobs, for which those who have been synced would wait.
 * Nobody is told of a commit before all of it, and all before it, is on the disk. A commit that fails, fails everyone in
 * it; after a failed sync nothing is known of what is on the disk, and nothing more is taken.
 */
export class CommitQueue {
  readonly #database: Database
  readonly #folder: string | null
  readonly #files: DatabaseFiles | null
  readonly #log: LogQueue
  readonly #amounts: CommitAmounts
  readonly #transaction: Transaction
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
  /** Resolves when all of them are. */
  #synced: Promise<void>
  /** Why a file could not be synced. */
  #failure: MailError | null
  /** Mailboxes that are changed by commits which SQLite has not committed. */
  readonly #changed: Set<SqlMailbox>
  /** Octets in SQLite's log, roughly. */
  #logged: number
  #checkpoint: NodeJS.Timeout | null
  /** While what is in SQLite's log is moved to the file. */
  #moving: Promise<void> | null

  /**
   * `files` is null where a COMMIT is on the disk when it returns, or where there is no disk; `log` is where the octets
   * of messages are.
   */
  constructor(
    database: Database,
    folder: string | null,
    files: DatabaseFiles | null,
    log: LogQueue,
    amounts: CommitAmounts = usual,
  ) {
    this.#database = database
    this.#folder = folder
    this.#files = files
    this.#log = log
    this.#amounts = amounts
    this.#transaction = new Transaction(database, log, files !== null && amounts.redo > 0)
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
    this.#changed = new Set()
    this.#logged = 0
    this.#checkpoint = null
    this.#moving = null
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

  /** Resolves when everything committed so far is on the disk in the database itself: without any redo record. */
  async settle(): Promise<void> {
    await this.durable()
    while (this.#moving !== null) await this.#moving
    this.#flush()
    try {
      await this.#syncLog()
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** Takes nothing more, and resolves when everything submitted is settled. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#busy) await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (this.#checkpoint !== null) clearTimeout(this.#checkpoint)
    try {
      if (this.#failure === null) this.#flush()
    } catch {
      // The next start does it.
    }
  }

  get #busy(): boolean {
    return this.#waiting.length > 0 || this.#unsynced > 0 || this.#moving !== null
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  /** What is next. Whatever ends later schedules another turn. */
  #turn(): void {
    this.#scheduled = false
    if (this.#moving !== null || this.#unsynced > 1) return
    const full = this.#logged > this.#amounts.checkpoint
    const next = this.#waiting[0]
    if (this.#unsynced === 1) {
      if (full || next === undefined || next.long || this.#long) return
      // While others still come, the disk is at work anyway: they share the commit.
      const seen = this.#seen
      this.#seen = this.#waiting.length
      if (this.#seen > seen) this.#schedule()
      else this.#commit()
    } else if (full) {
      this.#move()
    } else if (next !== undefined) {
      this.#commit()
    } else {
      for (const resolve of this.#idle.splice(0)) resolve()
    }
  }

  #commit(): void {
    const written = this.#burst(performance.now())
    this.#seen = 0
    if (written !== null) this.#sync(written)
    this.#schedule()
  }

  /** Tells of a commit when it is on the disk. */
  #sync(written: Written): void {
    const syncs = this.#syncsOf(written)
    if (syncs.length === 0) {
      tell(written)
      return
    }
    this.#unsynced++
    this.#synced = all(syncs)
    void this.#tellWhen(this.#synced, written)
  }

  /** What a commit waits for; none where it is on the disk. Whatever is before it is, too. */
  #syncsOf({ redo, octets }: Written): readonly Promise<void>[] {
    const before = this.#unsynced > 0 ? this.#synced : null
    const log = redo || octets ? this.#log.sync.now() : null
    const commit = redo || this.#files === null ? null : after(before, () => this.#syncLog())
    return [before, log, commit].filter((each) => each !== null)
  }

  async #tellWhen(synced: Promise<void>, written: Written): Promise<void> {
    try {
      await this.#awake.wait(synced)
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
      if (this.#transaction.octets > this.#amounts.redo) this.#flush()
      this.#transaction.begin()
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
      for (const mailbox of touched.keys()) {
        mailbox.writeHeader(database)
        this.#changed.add(mailbox)
      }
      log.write(database)
      this.#long = done.some(({ job }) => job.long)
      const redo = this.#transaction.end(this.#long)
      if (!redo) this.#committed(octets)
      this.#checkSoon()
      if (done.length === 0) return null
      return { jobs: done.map(({ job }) => job), touched, redo, octets: log.added }
    } catch (error) {
      this.#takeBack()
      this.#fail(current === null ? done : [...done, current], error)
      return null
    }
  }

  /** Whether the job is part of the commit. Throws where SQLite has given up the whole transaction. */
  #runGuarded({ job, tx }: Step): boolean {
    const database = this.#database
    const before = database.runs.length
    database.control('SAVEPOINT job')
    try {
      job.run(tx)
      database.control('RELEASE job')
      return true
    } catch (error) {
      tx.undo()
      if (!this.#undoSavepoint()) throw error
      database.forget(before)
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
    const before = database.runs.length
    try {
      job.run(tx)
      return true
    } catch (error) {
      tx.undo()
      job.reject(toMailError(error, this.#folder))
      if (database.runs.length === before) return false
      this.#takeBack()
      const undone = done.splice(0)
      for (const step of [...undone].reverse()) step.tx.undo()
      for (const step of undone) step.job.guarded = true
      this.#waiting.unshift(...undone.map((step) => step.job))
      this.#transaction.begin()
      return false
    }
  }

  #undoSavepoint(): boolean {
    try {
      this.#database.control('ROLLBACK TO job')
      this.#database.control('RELEASE job')
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

  /** Takes back what was done in the burst. */
  #takeBack(): void {
    try {
      this.#transaction.takeBack()
    } catch {
      // Whoever reads or writes next tries again.
    }
  }

  /** Has SQLite commit what only redo records have made good. */
  #flush(): void {
    const { octets } = this.#transaction
    if (octets === 0) return
    this.#transaction.flush()
    this.#committed(2 * octets)
  }

  /** After SQLite's commit, of so many octets in rows. */
  #committed(octets: number): void {
    this.#logged += octets + PAGE * (PAGES + this.#changed.size)
    this.#changed.clear()
  }

  /** What is in SQLite's log is moved to the file when it has become much, and in quiet moments. */
  #checkSoon(): void {
    if (this.#checkpoint !== null) this.#checkpoint.refresh()
    else this.#checkpoint = setTimeout(() => this.#quiet(), QUIET).unref()
  }

  #quiet(): void {
    if ((this.#logged > 0 || this.#transaction.octets > 0) && !this.#busy && !this.#closed) this.#move()
  }

  #move(): void {
    this.#moving = this.#moveLog().finally(() => {
      this.#moving = null
      this.#schedule()
    })
  }

  /**
   * Between two commits: everything in SQLite's log is brought to the disk, and the next commit, which may begin the log
   * anew, waits until the file is, too.
   */
  async #moveLog(): Promise<void> {
    this.#logged = 0
    if (this.#failure !== null) return
    try {
      this.#flush()
    } catch {
      // Redo records hold everything; the next commits tell of a disk that stays full.
      return
    }
    try {
      await this.#syncLog()
      this.#checkpointNow()
      await this.#files?.main.sync()
    } catch (error) {
      this.fail(error)
    }
  }

  #checkpointNow(): void {
    try {
      this.#database.checkpoint(this.#files === null)
    } catch {
      // The log holds everything; the next commit or checkpoint tells of a disk that stays broken.
    }
  }
}

async function all(works: readonly Promise<void>[]): Promise<void> {
  await Promise.all(works)
}

async function after(before: Promise<void> | null, work: () => Promise<void>): Promise<void> {
  await before
  await work()
}

function tell({ jobs, touched }: Written): void {
  for (const job of jobs) job.resolve()
  for (const [mailbox, keywords] of touched) mailbox.committed(keywords)
}
