import type { Database, Statement } from 'node-sqlite3-wasm'
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from './driver.js'

type WasmModule = { readonly Database: new (file: string) => Database }

/** SQLite through node-sqlite3-wasm, a dependency of this package: slower, and there on every machine. */
export async function openWasmSqlite(file: string): Promise<SqlDriver> {
  const loaded = (await import('node-sqlite3-wasm')) as unknown as WasmModule & { default?: WasmModule }
  const { Database } = loaded.default ?? loaded
  const database = new Database(file)
  const statements = new Set<WasmStatement>()
  return {
    name: 'wasm',
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = new WasmStatement(database, sql)
      statements.add(statement)
      return statement
    },
    close: () => {
      // A statement that is not finalized keeps the lock on the file.
      for (const statement of statements) statement.finalize()
      database.close()
    },
  }
}

/** After an error the library cannot reset a statement, and it would keep its locks: it is prepared anew. */
class WasmStatement implements SqlStatement {
  readonly #database: Database
  readonly #sql: string
  #statement: Statement | null

  constructor(database: Database, sql: string) {
    this.#database = database
    this.#sql = sql
    this.#statement = database.prepare(sql)
  }

  run(...values: readonly SqlValue[]): number {
    try {
      return this.#ready().run(bindable(values)).changes
    } catch (error) {
      this.finalize()
      throw error
    }
  }

  all(...values: readonly SqlValue[]): readonly SqlRow[] {
    try {
      return this.#ready().all(bindable(values)) as SqlRow[]
    } catch (error) {
      this.finalize()
      throw error
    }
  }

  finalize(): void {
    try {
      this.#statement?.finalize()
    } catch {
      // It repeats the error of the last step.
    }
    this.#statement = null
  }

  #ready(): Statement {
    this.#statement ??= this.#database.prepare(this.#sql)
    return this.#statement
  }
}

/** The library would end a text at its first NUL, without a word. */
function bindable(values: readonly SqlValue[]): SqlValue[] {
  for (const value of values) {
    if (typeof value === 'string' && value.includes('\0'))
      throw new Error('text for the database holds a NUL')
  }
  return [...values]
}
