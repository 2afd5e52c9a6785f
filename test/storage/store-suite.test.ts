import { describe, it } from 'vitest'
import type { MailStore } from '../../src/interfaces/index.js'
import { MemoryStore, openSqliteStore, type SqlDriverName } from '../../src/storage/index.js'
import { storeSuite } from '../../src/testing/store-suite.js'
import { availableDrivers } from './drivers.js'
import { temporaryFolders } from './folders.js'

/** Small, so that a message over it is made quickly. */
const limits = { messageSize: 24 * 1024 * 1024 }
const newFolder = temporaryFolders()
const folders = new Map<MailStore, string>()

async function openIn(folder: string, driver: SqlDriverName): Promise<MailStore> {
  const store = await openSqliteStore({ path: folder, driver, limits })
  folders.set(store, folder)
  return store
}

storeSuite('memory', { open: async () => new MemoryStore({ limits }) }, { describe, it })

for (const driver of availableDrivers) {
  storeSuite(
    `sql over ${driver}`,
    {
      open: () => openIn(newFolder(), driver),
      reopen: (closed) => openIn(folders.get(closed) ?? '', driver),
    },
    { describe, it },
  )
}
