import { MailError, UsageError } from '../../core/index.js'
import { openBetterSqlite } from './driver-better.js'
import { openNodeSqlite } from './driver-node.js'
import { openWasmSqlite } from './driver-wasm.js'

export type SqlValue = number | string | Uint8Array | null
export type SqlRow = Readonly<Record<string, SqlValue>>

/** A prepared statement. Usable again after any error. Nothing stays open between two calls. */
export interface SqlStatement {
  /** Runs a statement that gives no rows; the number of rows it changed. */
  run(...values: readonly SqlValue[]): number
  /** Runs a query to its end. Octets are a copy that nobody else changes. */
  all(...values: readonly SqlValue[]): readonly SqlRow[]
}

/** SQLite, reached in one way or another. Synchronous; throws the errors of the library behind it. */
export interface SqlDriver {
  readonly name: string
  exec(sql: string): void
  prepare(sql: string): SqlStatement
  /** Finishes every statement and lets go of the file. */
  close(): void
}

/** Opens a database file, or `:memory:`. Null where this way to SQLite is not there. */
export type SqlDriverOpener = (file: string) => Promise<SqlDriver | null>

/**
 * `node`: node:sqlite of Node 22.13 and later. `better`: better-sqlite3, where the host has installed it.
 * `wasm`: node-sqlite3-wasm, which runs everywhere.
 */
export type SqlDriverName = 'node' | 'better' | 'wasm'

/** Every driver by its name, the one to be preferred first. */
export const sqlDrivers: Readonly<Record<SqlDriverName, SqlDriverOpener>> = {
  node: openNodeSqlite,
  better: openBetterSqlite,
  wasm: openWasmSqlite,
}

/** Opens the file with the driver asked for, or with the first that is there. MailError `unavailable`. */
export async function openDriver(file: string, choice?: SqlDriverName | SqlDriverOpener): Promise<SqlDriver> {
  if (typeof choice === 'string' && !Object.hasOwn(sqlDrivers, choice)) {
    throw new UsageError('DRIVER', `unknown driver "${choice}"; known: ${Object.keys(sqlDrivers).join(', ')}`)
  }
  const openers =
    choice === undefined
      ? Object.values(sqlDrivers)
      : [typeof choice === 'string' ? sqlDrivers[choice] : choice]
  for (const open of openers) {
    const driver = await open(file)
    if (driver !== null) return driver
  }
  throw new MailError('unavailable', `SQLite cannot be reached through "${String(choice ?? 'any driver')}"`)
}
