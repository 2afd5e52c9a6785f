import { type SqlDriverName, sqlDrivers } from '../../src/storage/sql/index.js'

/** The drivers that this machine has: wasm always, node:sqlite on Node 22.13 and later. */
export const availableDrivers: readonly SqlDriverName[] = await probe()

async function probe(): Promise<SqlDriverName[]> {
  const found: SqlDriverName[] = []
  for (const name of Object.keys(sqlDrivers) as SqlDriverName[]) {
    const driver = await sqlDrivers[name](':memory:')
    driver?.close()
    if (driver !== null) found.push(name)
  }
  return found
}
