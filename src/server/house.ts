import {
  ConfigDirectory,
  type ConfigUser,
  DirectoryAuthenticator,
  DirectoryChain,
  PasswordHasher,
  RecordDirectory,
  ScramSecret,
} from '../auth/index.js'
import { canonicalAddress, canonicalDomain, systemClock } from '../core/index.js'
import { LocalDelivery } from '../delivery/index.js'
import type { Authenticator, Delivery, Logger, MailStore } from '../interfaces/index.js'
import { silentLogger } from '../interfaces/index.js'
import { MemoryStore, openSqliteStore } from '../storage/index.js'
import { configError } from './check.js'
import { serveControl } from './control.js'
import type { MailServerOptions } from './options.js'
import { Users } from './users.js'

/** What stands behind the listeners. */
export interface House {
  readonly store: MailStore
  readonly authenticator: Authenticator
  readonly delivery: Delivery
  readonly users: Users | null
  /** Closes the store, unless it is the host's. */
  close(): Promise<void>
}

/** The store's kind of table that holds users. */
export const USER_RECORDS = 'user'
/** The same for what nobody outside is to know. */
const SECRET_RECORDS = 'secret'

/** Opens the store and puts authentication and delivery on it, or what the host plugged in instead. */
export async function composeHouse(options: MailServerOptions): Promise<House> {
  const logger = options.logger ?? silentLogger
  let users: Users | null = null
  const storeOptions = {
    logger,
    limits: options.maxMessageSize === undefined ? {} : { messageSize: options.maxMessageSize },
  }
  const own =
    options.store === undefined && options.data !== undefined
      ? await openSqliteStore({
          ...storeOptions,
          path: options.data,
          onConnection: (socket) => serveControl(socket, () => users),
        })
      : null
  const store = options.store ?? own ?? new MemoryStore(storeOptions)
  const close = async (): Promise<void> => {
    if (options.store === undefined) await store.close()
  }
  try {
    const hasher = new PasswordHasher()
    const configured = configuredUsers(options)
    const scramSecret = own === null ? new ScramSecret() : await ScramSecret.of(own.records(SECRET_RECORDS))
    const config = await ConfigDirectory.create(configured, hasher, scramSecret)
    const database = own === null ? null : new RecordDirectory(own.records(USER_RECORDS), hasher)
    users = database === null ? null : usersOf(options, database)
    const directory = new DirectoryChain(database === null ? [config] : [config, database])
    const clock = options.clock ?? systemClock
    const authenticator =
      options.authenticator ??
      new DirectoryAuthenticator({
        directory,
        hasher,
        clock,
        logger,
        throttle: options.limits?.logins ?? {},
        scramSecret,
      })
    const delivery = options.delivery ?? localDelivery(options, directory, store, logger)
    return { store, authenticator, delivery, users, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The users as their owner manages them. */
export function usersOf(options: MailServerOptions, database: RecordDirectory): Users {
  const configured = configuredUsers(options).flatMap(({ address }) => canonicalAddress(address) ?? [])
  return new Users(configured, database, localDomains(options))
}

/** The local domains in canonical form. */
function localDomains(options: MailServerOptions): readonly string[] {
  return Object.keys(options.domains ?? {}).flatMap((domain) => canonicalDomain(domain) ?? [])
}

function configuredUsers({ domains }: MailServerOptions): readonly ConfigUser[] {
  return Object.entries(domains ?? {}).flatMap(([domain, { users }]) =>
    Object.entries(users ?? {}).map(([localPart, user]) => ({ address: `${localPart}@${domain}`, ...user })),
  )
}

function localDelivery(
  options: MailServerOptions,
  users: DirectoryChain,
  store: MailStore,
  logger: Logger,
): LocalDelivery {
  const domains = Object.entries(options.domains ?? {})
  const aliases = domains.flatMap(([domain, { aliases }]) =>
    Object.entries(aliases ?? {}).map(([localPart, to]) => [`${localPart}@${domain}`, to] as const),
  )
  const catchAll = domains.flatMap(([domain, { catchAll }]) =>
    catchAll === undefined ? [] : [[domain, catchAll] as const],
  )
  try {
    return new LocalDelivery({
      routing: {
        domains: domains.map(([domain]) => domain),
        aliases: Object.fromEntries(aliases),
        catchAll: Object.fromEntries(catchAll),
        ...(options.postmaster === undefined ? {} : { postmaster: options.postmaster }),
      },
      users,
      store,
      logger,
      ...(options.maxMessageSize === undefined ? {} : { maxMessageSize: options.maxMessageSize }),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    })
  } catch (error) {
    throw configError('domains', (error as Error).message)
  }
}
