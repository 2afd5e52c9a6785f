import { mkdirSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { MailError } from '../../core/index.js'
import type { Account, Logger, MailStore, Op, Result, Staged, StoreFeatures } from '../../interfaces/index.js'
import { silentLogger } from '../../interfaces/index.js'
import type { DataFolder } from '../data-folder.js'
import { claimDataFolder } from '../data-folder.js'
import { ExclusiveHolders } from '../exclusive.js'
import type { StoreLimits } from '../limits.js'
import { storeLimits } from '../limits.js'
import { DELIMITER } from '../mailbox-name.js'
import { DiskFiles } from '../messages/disk-files.js'
import type { MessageFiles } from '../messages/files.js'
import { MemoryFiles } from '../messages/memory-files.js'
import { MessageLog } from '../messages/message-log.js'
import { SEGMENT } from '../messages/record.js'
import { syncFolder } from '../messages/sync-folder.js'
import { Applier } from './apply.js'
import { checkMessages } from './check.js'
import type { CommitAmounts, DatabaseFiles } from './commit-queue.js'
import { CommitQueue } from './commit-queue.js'
import { Contents } from './contents.js'
import { Database } from './database.js'
import type { SqlDriverName, SqlDriverOpener } from './driver.js'
import { openDriver } from './driver.js'
import { toMailError } from './errors.js'
import { Homes } from './homes.js'
import { Records } from './records.js'
import { redoCommits } from './redo.js'
import type { AccountDeps } from './sql-account.js'
import { SqlAccount } from './sql-account.js'
import type { SqlMailbox } from './sql-mailbox-state.js'
import { SqlStaged } from './staged.js'
import { SyncedFile } from './synced-file.js'
import { Tasks } from './tasks.js'

const FILE = 'mail.db'
const MESSAGES = 'messages'

export interface SqliteStoreOptions {
  /** The data folder, made where there is none; or `:memory:`. */
  readonly path: string
  /** A way to reach SQLite; without it the first that is there (see `sqlDrivers`). */
  readonly driver?: SqlDriverName | SqlDriverOpener
  readonly limits?: Partial<StoreLimits>
  readonly logger?: Logger
  /** Given every connection that another process makes by `connectDataFolder`; else they are closed. */
  readonly onConnection?: (socket: Socket) => void
}

/**
 * Opens (or makes) a store on SQLite in a data folder, and finishes what a killed process left. Rejects with MailError
 * `inUse` while another process has the folder, `corrupt` for a damaged file or that of another program, `diskFull`,
 * or `unavailable`; each says what to do.
 */
export function openSqliteStore(options: SqliteStoreOptions): Promise<SqlStore> {
  return openStoreOn(
    { files: options.path === ':memory:' ? new MemoryFiles() : new DiskFiles(join(options.path, MESSAGES)) },
    options,
  )
}

/** Where octets go. */
export interface MessageStorage {
  readonly files: MessageFiles
  /** See `MessageLog`. */
  readonly segmentSize?: number
}

/** The same, with the octets of messages where the caller likes. */
export async function openStoreOn(messages: MessageStorage, options: SqliteStoreOptions): Promise<SqlStore> {
  const limits = storeLimits(options.limits)
  const logger = options.logger ?? silentLogger
  const folder = options.path === ':memory:' ? null : options.path
  let claimed: DataFolder | null = null
  let database: Database | null = null
  let files: DatabaseFiles | null = null
  try {
    if (folder !== null) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      claimed = await claimDataFolder(folder, options.onConnection)
      // The folder is ours: a lock that the wasm driver left when it was killed is nobody's.
      rmSync(join(folder, `${FILE}.lock`), { recursive: true, force: true })
    }
    const file = folder === null ? ':memory:' : join(folder, FILE)
    const driver = await openDriver(file, options.driver)
    database = new Database(driver)
    database.prepare()
    files = folder === null ? null : await openFiles(folder, file)
    if (files !== null) database.syncElsewhere()
    const { commits, left } = await redoCommits(database, messages.files)
    if (commits > 0) logger.log('info', 'storage.redone', { commits })
    if (left > 0) logger.log('warn', 'storage.notRedone', { commits: left })
    await files?.log.sync()
    const store = new SqlStore({ database, folder, claimed, files, messages, limits, logger })
    await store.resume()
    logger.log('info', 'storage.opened', { driver: driver.name, path: options.path })
    return store
  } catch (error) {
    try {
      database?.close()
      closeFiles(files)
    } catch {
      // The first error says more.
    }
    await claimed?.close()
    throw startError(error, options.path)
  }
}

/** Null where the driver keeps its log elsewhere. */
async function openFiles(folder: string, path: string): Promise<DatabaseFiles | null> {
  const log = SyncedFile.open(`${path}-wal`)
  const main = log === null ? null : SyncedFile.open(path)
  if (log === null || main === null) {
    log?.close()
    return null
  }
  await syncFolder(folder)
  return { log, main }
}

function closeFiles(files: DatabaseFiles | null): void {
  files?.log.close()
  files?.main.close()
}

function startError(error: unknown, path: string): MailError {
  const reason = toMailError(error, path)
  return new MailError(reason.kind, `cannot open the mail store in ${path}: ${reason.message}`, {
    cause: error,
  })
}

/** What a store is made of. */
export interface SqlStoreParts {
  /** Prepared. */
  readonly database: Database
  /** Where it lies, or null. */
  readonly folder: string | null
  readonly claimed: DataFolder | null
  /** See `CommitQueue`. */
  readonly files: DatabaseFiles | null
  readonly messages: MessageStorage
  readonly limits: StoreLimits
  readonly logger: Logger
  /** Others than the usual ones. */
  readonly amounts?: CommitAmounts
}

/** A mail store on an SQL database. Made by `openSqliteStore`. */
export class SqlStore implements MailStore {
  readonly features: StoreFeatures
  /** The driver in use: `node`, `better`, `wasm`, or the name of the host's own. */
  readonly driver: string
  readonly #database: Database
  readonly #folder: string | null
  readonly #claimed: DataFolder | null
  readonly #files: DatabaseFiles | null
  readonly #limits: StoreLimits
  readonly #queue: CommitQueue
  readonly #contents: Contents
  readonly #tasks: Tasks
  readonly #homes: Homes
  readonly #applier: Applier
  readonly #accountDeps: AccountDeps
  readonly #active: Set<Promise<unknown>>
  #closing: Promise<void> | null

  constructor(parts: SqlStoreParts) {
    const { database, folder, claimed, files, messages, limits, logger } = parts
    this.features = { changes: true, maxMessageSize: limits.messageSize, delimiter: DELIMITER }
    this.driver = database.driver.name
    this.#database = database
    this.#folder = folder
    this.#claimed = claimed
    this.#files = files
    this.#limits = limits
    const log = new MessageLog({
      files: messages.files,
      segmentSize: messages.segmentSize ?? SEGMENT,
      letGo: (segment) => this.#contents.removeUnused(segment),
      fatal: (error) => this.#queue.fail(error),
    })
    this.#queue = new CommitQueue(database, folder, files, log.queue, parts.amounts)
    this.#contents = new Contents(database, this.#queue, log, logger)
    this.#tasks = new Tasks(database, this.#queue, logger, limits.tombstones)
    this.#homes = new Homes(database, this.#queue, limits, logger)
    const changing = {
      database,
      contents: this.#contents,
      homes: this.#homes,
      tasks: this.#tasks,
      wroteTombstones: (box: SqlMailbox, runs: number) => this.#wroteTombstones(box, runs),
    }
    this.#applier = new Applier(changing, this.#queue, folder)
    this.#accountDeps = {
      database,
      queue: this.#queue,
      contents: this.#contents,
      folder,
      homes: this.#homes,
      tasks: this.#tasks,
      holders: new ExclusiveHolders(),
      check: () => this.#check(),
      apply: (ops) => this.apply(ops),
    }
    this.#active = new Set()
    this.#closing = null
  }

  /** Finishes what an earlier process left; before anything else. */
  async resume(): Promise<void> {
    await this.#tasks.resume()
    await this.#contents.start()
  }

  async open(user: string): Promise<Account> {
    this.#check()
    try {
      return new SqlAccount(await this.#homes.open(user), this.#accountDeps)
    } catch (error) {
      throw toMailError(error, this.#folder)
    }
  }

  async stage(sizeHint = 0): Promise<Staged> {
    this.#check()
    const limit = this.#limits.messageSize
    if (sizeHint > limit) throw new MailError('tooLarge', `a message has at most ${limit} octets`)
    return new SqlStaged(this.#contents, limit, this.#folder)
  }

  async apply(ops: readonly Op[]): Promise<readonly Result[]> {
    this.#check()
    const applied = this.#applier.apply(ops)
    this.#active.add(applied)
    try {
      return await applied
    } catch (error) {
      throw toMailError(error, this.#folder)
    } finally {
      this.#active.delete(applied)
    }
  }

  /** Text by key, apart from mail: what the host's own parts keep beside it. Each write is one durable commit. */
  records(kind: string): Records {
    return new Records(this.#database, this.#queue, this.#folder, kind)
  }

  /**
   * The problems found in the database file, none when it is sound. `thorough` also checks every index, and that every
   * message is where the database says. Reads the database at once, and everyone waits: for the start, or for a command
   * of its own.
   */
  async check(thorough = false): Promise<readonly string[]> {
    this.#check()
    try {
      const problems = this.#database.check(thorough)
      if (!thorough || problems.length > 0) return problems
      return await checkMessages(this.#database, this.#contents.log.segments)
    } catch (error) {
      throw toMailError(error, this.#folder)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#active)
    await this.#tasks.close()
    await this.#contents.close()
    await this.#queue.close()
    try {
      this.#database.checkpoint(true)
    } catch {
      // What is in the log stays there, and is read at the next start.
    }
    this.#database.close()
    closeFiles(this.#files)
    await this.#claimed?.close()
  }

  #wroteTombstones(box: SqlMailbox, runs: number): void {
    this.#contents.collectSoon()
    this.#tasks.tidySoon(box.row, runs, (floor) =>
      this.#queue.submit((tx) => {
        box.check()
        box.mark(tx)
        box.state.header.floor = floor
      }),
    )
  }

  #check(): void {
    if (this.#closing !== null) throw new MailError('closed', 'the store is closed')
  }
}
