export type { DataFolder } from './data-folder.js'
export { claimDataFolder, connectDataFolder } from './data-folder.js'
export type { StoreLimits } from './limits.js'
export { DELIMITER } from './mailbox-name.js'
export type { MemoryStoreOptions } from './memory/index.js'
export { MemoryStore } from './memory/index.js'
export type {
  Records,
  SqlDriver,
  SqlDriverName,
  SqlDriverOpener,
  SqliteStoreOptions,
  SqlRow,
  SqlStatement,
  SqlStore,
  SqlValue,
} from './sql/index.js'
export { openSqliteStore, sqlDrivers } from './sql/index.js'
