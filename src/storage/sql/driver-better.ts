import type { SqlDriver, SqlRow, SqlValue } from './driver.js'

/** The part of better-sqlite3 that is used here. */
interface BetterStatement {
  run(...values: readonly SqlValue[]): { readonly changes: number }
  all(...values: readonly SqlValue[]): readonly unknown[]
}
interface BetterDatabase {
  exec(sql: string): unknown
  prepare(sql: string): BetterStatement
  close(): unknown
}
type BetterModule = { readonly default: new (file: string) => BetterDatabase }

/** SQLite through better-sqlite3, which is no dependency of this package; null where the host has not installed it. */
export async function openBetterSqlite(file: string): Promise<SqlDriver | null> {
  const name = 'better-sqlite3'
  let better: BetterModule
  try {
    better = (await import(/* @vite-ignore */ name)) as BetterModule
  } catch {
    return null
  }
  const database = new better.default(file)
  return {
    name: 'better',
    exec: (sql) => {
      database.exec(sql)
    },
    prepare: (sql) => {
      const statement = database.prepare(sql)
      return {
        run: (...values: readonly SqlValue[]) => statement.run(...values).changes,
        all: (...values: readonly SqlValue[]) => statement.all(...values) as readonly SqlRow[],
      }
    },
    close: () => {
      database.close()
    },
  }
}
