import { PasswordHasher, RecordDirectory } from '../auth/index.js'
import { MailError } from '../core/index.js'
import { connectDataFolder, openSqliteStore } from '../storage/index.js'
import { configError } from './check.js'
import { RemoteUsers } from './control.js'
import { USER_RECORDS, usersOf } from './house.js'
import type { MailServerOptions } from './options.js'
import type { UserListing } from './users.js'

/** The users of a data folder, as its owner manages them. */
export interface UserAdministration {
  list(): Promise<readonly UserListing[]>
  /** MailError `exists`, `forbidden` for a user of the configuration, `invalidName` for what is no local address. */
  add(address: string, password: string): Promise<void>
  /** MailError `notFound` or `forbidden`. */
  setPassword(address: string, password: string): Promise<void>
  /** MailError `notFound` or `forbidden`. */
  remove(address: string): Promise<void>
  close(): Promise<void>
}

/** Through the server that runs on the data folder where there is one, else by opening the database. */
export async function openUsers(options: MailServerOptions): Promise<UserAdministration> {
  const { data } = options
  if (data === undefined)
    throw configError('data', 'is missing: users are kept in the database in that folder')
  const socket = await connectDataFolder(data)
  if (socket !== null) return new RemoteUsers(socket)
  try {
    const store = await openSqliteStore({ path: data })
    const users = usersOf(options, new RecordDirectory(store.records(USER_RECORDS), new PasswordHasher()))
    return {
      list: () => users.list(),
      add: (address, password) => users.add(address, password),
      setPassword: (address, password) => users.setPassword(address, password),
      remove: (address) => users.remove(address),
      close: () => store.close(),
    }
  } catch (error) {
    if (error instanceof MailError && error.kind === 'inUse') {
      throw new MailError('inUse', `${error.message}; a server that started just now has it: try again`)
    }
    throw error
  }
}
