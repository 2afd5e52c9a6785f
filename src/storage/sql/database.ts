import { MailError } from '../../core/index.js'
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from './driver.js'
import { APPLICATION_ID, migrations, UNRELEASED, VERSION } from './schema.js'

/** On wasm `locking_mode` must stand before every other, or the file cannot be opened a second time. */
const pragmas = `
  PRAGMA locking_mode=EXCLUSIVE;
  PRAGMA page_size=8192;
  PRAGMA journal_mode=WAL;
  PRAGMA synchronous=FULL;
  PRAGMA cache_size=-16384;
  PRAGMA wal_autocheckpoint=1024;
  PRAGMA temp_store=MEMORY;
`

/** A statement that was run, and what it was given. */
export interface Run {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** A driver, its prepared statements, and a schema that is known to be ours and of this version. */
export class Database {
  readonly driver: SqlDriver
  /**
   * To be done before anything is read or written: the transaction is not what it was, and could not be made again yet.
   * Throws where it still cannot be. Null where all is well.
   */
  repair: (() => void) | null
  readonly #statements: Map<string, SqlStatement>
  #runs: Run[]
  #failures: number

  constructor(driver: SqlDriver) {
    this.driver = driver
    this.repair = null
    this.#statements = new Map()
    this.#runs = []
    this.#failures = 0
  }

  /** What was run since `forget`, but for queries by their first word and `control`. */
  get runs(): readonly Run[] {
    return this.#runs
  }

  /** Statements that have failed; after some errors SQLite gives up the transaction, whatever they were about. */
  get failures(): number {
    return this.#failures
  }

  /** Forgets what was run; all but the first `kept` of it. */
  forget(kept = 0): void {
    if (kept === 0) this.#runs = []
    else this.#runs.length = kept
  }

  /**
   * Sets the database up and brings its schema to this version. MailError `corrupt` for a file of another program,
   * `unavailable` for one of a newer version of this package.
   */
  prepare(): void {
    this.driver.exec(pragmas)
    const version = this.#pragma('user_version')
    const owner = this.#pragma('application_id')
    const tables = this.all('SELECT count(*) AS n FROM sqlite_schema')[0]?.n ?? 0
    if (owner !== APPLICATION_ID && (owner !== 0 || tables !== 0)) {
      throw new MailError('corrupt', 'mail.db is the database of another program; choose another data folder')
    }
    if (version > VERSION) {
      throw new MailError(
        'unavailable',
        `mail.db has schema version ${version}, and this version of mailwright knows ${VERSION} and older; ` +
          'install the version that wrote it, or a newer one',
      )
    }
    if (version > 0 && version <= UNRELEASED) {
      throw new MailError(
        'unavailable',
        `mail.db has schema version ${version}, of a mailwright from before its first release; fetch the mail with the ` +
          'version that wrote it, or choose another data folder',
      )
    }
    for (let next = Math.max(version, UNRELEASED); next < VERSION; next++) {
      this.driver.exec('BEGIN IMMEDIATE')
      try {
        this.driver.exec(migrations[next - UNRELEASED] ?? '')
        this.driver.exec(`PRAGMA user_version=${next + 1}; PRAGMA application_id=${APPLICATION_ID}`)
        this.driver.exec('COMMIT')
      } catch (error) {
        this.rollback()
        throw error
      }
    }
  }

  /** Runs a statement that gives no rows; the number of rows it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    this.#runs.push({ sql, values })
    try {
      return this.#statement(sql).run(...values)
    } catch (error) {
      this.#failures++
      throw error
    }
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly SqlRow[] {
    if (!sql.startsWith('SELECT')) this.#runs.push({ sql, values })
    try {
      return this.#statement(sql).all(...values)
    } catch (error) {
      this.#failures++
      throw error
    }
  }

  /** Runs what begins or ends a transaction or a savepoint. */
  control(sql: string): void {
    this.#statement(sql).run()
  }

  /** Runs again what was run. */
  rerun({ sql, values }: Run): void {
    if (sql.includes(' RETURNING ')) this.#statement(sql).all(...values)
    else this.#statement(sql).run(...values)
  }

  /** The only row of a query, or undefined. */
  row(sql: string, ...values: readonly SqlValue[]): SqlRow | undefined {
    return this.all(sql, ...values)[0]
  }

  rollback(): void {
    try {
      this.control('ROLLBACK')
    } catch {
      // After some errors SQLite has rolled back already.
    }
  }

  /** Ends with the problems found, none for a sound file. Reads the whole file at once: not while others wait. */
  check(thorough: boolean): readonly string[] {
    const rows = this.driver.prepare(`PRAGMA ${thorough ? 'integrity_check' : 'quick_check'}(20)`).all()
    return rows.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok')
  }

  /**
   * Moves what is in the write-ahead log to the file, as far as it goes without waiting. Unless it is `synced` the log
   * must be on the disk before, and the file before the next commit.
   */
  checkpoint(synced: boolean): void {
    if (!synced) this.driver.exec('PRAGMA synchronous=OFF')
    try {
      this.all('PRAGMA wal_checkpoint(PASSIVE)')
    } finally {
      if (!synced) this.driver.exec('PRAGMA synchronous=NORMAL')
    }
  }

  /** From now on a commit is not synced: whoever calls this syncs the log. What SQLite does by itself is, as it must be. */
  syncElsewhere(): void {
    this.driver.exec('PRAGMA synchronous=NORMAL')
  }

  close(): void {
    this.#statements.clear()
    this.driver.close()
  }

  #pragma(name: string): number {
    return Number(Object.values(this.all(`PRAGMA ${name}`)[0] ?? {})[0] ?? 0)
  }

  #statement(sql: string): SqlStatement {
    this.repair?.()
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.driver.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** A value of a row that is known to be a number. */
export function num(value: SqlValue | undefined): number {
  return value as number
}

/** A value of a row that is known to be text. */
export function text(value: SqlValue | undefined): string {
  return value as string
}
