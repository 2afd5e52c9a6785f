import { systemClock, UsageError } from '../core/index.js'
import type { MailStore, Reply } from '../interfaces/index.js'
import { silentLogger } from '../interfaces/index.js'
import { AddressList, ConnectionLimits, Listener, type TlsMode } from '../net/index.js'
import { loadCertificates } from './certificates.js'
import { configError } from './check.js'
import { closeWithin } from './close-within.js'
import { deliverMessage, type OutgoingMessage } from './deliver-message.js'
import { composeHouse, type House } from './house.js'
import type { ListenAddress } from './listen-address.js'
import { formatListenAddress } from './listen-address.js'
import {
  checkOptions,
  hostnameOf,
  type ListenerName,
  listenAddresses,
  type MailServerOptions,
} from './options.js'
import { services } from './services.js'
import { type Session, type SessionParts, sessionStarter } from './sessions.js'
import type { Users } from './users.js'

/** One address the server listens at. */
export interface ListenerInfo {
  readonly protocol: ListenerName
  readonly host: string
  readonly port: number
  readonly tls: TlsMode
}

/** A running mail server. */
export interface MailServer extends AsyncDisposable {
  /** In the order smtp, lmtp, submission, submissions, pop3, pop3s, imap, imaps. */
  readonly listeners: readonly ListenerInfo[]
  readonly store: MailStore
  /** The users that can be changed while it runs; null where the host plugged in an authenticator or a store without records. */
  readonly users: Users | null
  /**
   * Delivers a message from inside the process, as SMTP would. Resolves to one reply for each recipient, in order;
   * never rejects for what a delivery refuses.
   */
  deliver(message: OutgoingMessage): Promise<readonly Reply[]>
  /**
   * Takes nothing more, lets sessions finish (421, `* BYE`) for `shutdownTimeout` and cuts them off, then closes the
   * store if it is its own.
   */
  close(): Promise<void>
}

const DEFAULT_SHUTDOWN_TIMEOUT = 10_000

/**
 * Starts a mail server. Throws UsageError `CONFIG` for a setting that cannot be, `LISTEN` for an address that cannot
 * be had, MailError `inUse`, `corrupt` or `unavailable` for a database that cannot be opened; nothing runs then.
 */
export async function createMailServer(options: MailServerOptions): Promise<MailServer> {
  checkOptions(options)
  const hostname = hostnameOf(options)
  const clock = options.clock ?? systemClock
  const house = await composeHouse(options)
  try {
    const tls = await loadCertificates(options, hostname, clock)
    const server = new RunningServer(options, house, {
      hostname,
      clock,
      store: house.store,
      authenticator: house.authenticator,
      delivery: house.delivery,
      policy: options.policy ?? null,
      logger: options.logger ?? silentLogger,
      limits: options.limits ?? {},
      smtp: options.smtp ?? {},
      xclient: new AddressList(options.smtp?.xclient ?? []),
      plaintextLogin: options.plaintextLogin ?? 'loopback',
      wireLog: options.wireLog ?? (() => null),
    })
    await server.listen(tls)
    return server
  } catch (error) {
    await house.close()
    throw error
  }
}

class RunningServer implements MailServer {
  readonly store: MailStore
  readonly users: Users | null
  readonly #options: MailServerOptions
  readonly #house: House
  readonly #parts: SessionParts
  readonly #limits: ConnectionLimits
  readonly #sessions: Set<Session>
  readonly #listeners: { readonly info: ListenerInfo; readonly listener: Listener }[]
  #closing: Promise<void> | null

  constructor(options: MailServerOptions, house: House, parts: SessionParts) {
    this.store = house.store
    this.users = house.users
    this.#options = options
    this.#house = house
    this.#parts = parts
    this.#limits = new ConnectionLimits({
      ...(options.maxConnections === undefined ? {} : { total: options.maxConnections }),
      ...(options.limits?.connections === undefined ? {} : { byPrefix: options.limits.connections }),
      ...(options.limits?.connectionsPerMinute === undefined
        ? {}
        : { perMinute: options.limits.connectionsPerMinute }),
    })
    this.#sessions = new Set()
    this.#listeners = []
    this.#closing = null
  }

  get listeners(): readonly ListenerInfo[] {
    return this.#listeners.map(({ info }) => info)
  }

  async listen(tls: Awaited<ReturnType<typeof loadCertificates>>): Promise<void> {
    try {
      for (const { name, address } of listenAddresses(this.#options)) {
        const service = services[name]
        if (tls === null && service.tlsMode === 'implicit') {
          throw configError(
            `listen.${name}`,
            'needs TLS, and "tls" is false; leave this listener out or give a certificate',
          )
        }
        const tlsMode = tls === null ? 'none' : service.tlsMode
        const listener = await this.#listen(name, address, tlsMode, tls)
        this.#listeners.push({ info: { protocol: name, ...listener.address, tls: tlsMode }, listener })
      }
    } catch (error) {
      await Promise.all(this.#listeners.map(({ listener }) => listener.close()))
      throw error
    }
  }

  deliver(message: OutgoingMessage): Promise<readonly Reply[]> {
    return deliverMessage(this.#parts.delivery, message, this.#parts.hostname)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #listen(
    name: ListenerName,
    address: ListenAddress,
    tlsMode: TlsMode,
    tls: Awaited<ReturnType<typeof loadCertificates>>,
  ): Promise<Listener> {
    const proxies = this.#options.proxy?.[name]
    const start = sessionStarter(this.#parts, name, tlsMode)
    try {
      return await Listener.listen({
        ...address,
        tlsMode,
        tls,
        alpn: services[name].protocol,
        limits: this.#limits,
        proxy: proxies === undefined ? null : { trusted: new AddressList(proxies) },
        onError: (error) => {
          const message = error instanceof Error ? error.message : String(error)
          this.#parts.logger.log('error', 'listener.error', { listener: name, message })
        },
        serve: async (connection) => {
          const session = start(connection)
          this.#sessions.add(session)
          if (this.#closing !== null) session.shutdown()
          try {
            await session.run()
          } finally {
            this.#sessions.delete(session)
          }
        },
      })
    } catch (error) {
      throw listenError(name, address, error)
    }
  }

  async #close(): Promise<void> {
    const listeners = this.#listeners.map(({ listener }) => listener.close())
    for (const session of this.#sessions) session.shutdown()
    const timeout = this.#options.shutdownTimeout ?? DEFAULT_SHUTDOWN_TIMEOUT
    await closeWithin(Promise.all(listeners), timeout, () => {
      for (const session of this.#sessions) session.destroy()
    })
    await this.#house.close()
  }
}

function listenError(name: ListenerName, address: ListenAddress, error: unknown): UsageError {
  const where = formatListenAddress(address)
  const { code } = error as NodeJS.ErrnoException
  const mend =
    code === 'EADDRINUSE'
      ? 'is taken by another program; stop that one or choose another port'
      : code === 'EACCES'
        ? 'may not be used by this user; choose a port from 1024 on, or allow low ports to Node.js'
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND'
          ? 'is not an address of this machine; write one that is, or 0.0.0.0 for all'
          : `cannot be used: ${(error as Error).message}`
  return new UsageError('LISTEN', `listen.${name}: ${where} ${mend}`)
}
