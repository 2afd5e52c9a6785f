import type { SqlDriver, SqlRow, SqlValue } from './driver.js'

type NodeSqlite = typeof import('node:sqlite')

/** SQLite as it is built into Node 22.13 and later; null on an older Node. */
export async function openNodeSqlite(file: string): Promise<SqlDriver | null> {
  const sqlite = loadQuietly()
  if (sqlite === null) return null
  const database = new sqlite.DatabaseSync(file)
  return {
    name: 'node',
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql)
      return {
        run: (...values: readonly SqlValue[]) => Number(statement.run(...values).changes),
        all: (...values: readonly SqlValue[]) => statement.all(...values) as unknown as readonly SqlRow[],
      }
    },
    close: () => database.close(),
  }
}

/** The module, without the warning that it is experimental: a user of a mail server can do nothing about that. */
function loadQuietly(): NodeSqlite | null {
  if (typeof process.getBuiltinModule !== 'function') return null
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).startsWith('SQLite is an experimental feature')) return
    Reflect.apply(emitWarning, process, [warning, ...rest])
  }) as typeof process.emitWarning
  try {
    return (process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined) ?? null
  } finally {
    process.emitWarning = emitWarning
  }
}
