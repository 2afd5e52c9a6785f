import { randomUUID } from 'node:crypto'
import { hostname as machineName } from 'node:os'
import type { WireLog } from '../core/index.js'
import { canonicalDomain, Driver, systemClock, UsageError } from '../core/index.js'
import type { Clock, DeliveryFeatures, Logger } from '../interfaces/index.js'
import { silentLogger } from '../interfaces/index.js'
import type { Connection, ConnectionLimitOptions } from '../net/index.js'
import { AddressList, ConnectionLimits, isLoopback, Listener } from '../net/index.js'
import type { SmtpHandlers, SmtpServerLimits, SmtpServerSession } from '../smtp/index.js'
import { SmtpService, smtpHandlers } from '../smtp/index.js'
import type { CertificatePair } from '../tls/index.js'
import { loadCertificates } from './certificates.js'
import { closeWithin } from './close-within.js'

/** The handlers of an SMTP server, and how it behaves. */
export interface SmtpServerSettings extends SmtpHandlers {
  /** The name in the greeting; the machine's by default. */
  readonly hostname?: string
  /** `submission` wants a login before MAIL, `lmtp` speaks LMTP; `smtp` by default. */
  readonly service?: 'smtp' | 'submission' | 'lmtp'
  /** TLS from the first octet, as on port 465; else STARTTLS is offered. */
  readonly secure?: boolean
  /** Certificates as for `createMailServer`: by default one made for development, `false` for no TLS at all. */
  readonly tls?: CertificatePair | readonly CertificatePair[] | false
  /** Refuses everything but what leads to TLS while there is none. */
  readonly requireTls?: boolean
  /** MAIL wants a login first; by default on submission, and there only. */
  readonly requireAuth?: boolean
  /** Passwords are taken without TLS: from loopback by default. */
  readonly plaintextLogin?: 'loopback' | 'always' | 'never'
  /** Octets of the largest message, told by SIZE and held to; 52,428,800 by default. */
  readonly maxMessageSize?: number
  /** What the handlers can do with a message beyond 8BITMIME and SMTPUTF8, such as `dsn` or `binaryMime`. */
  readonly features?: Partial<Omit<DeliveryFeatures, 'maxMessageSize'>>
  /** Offers CHUNKING; true by default. */
  readonly chunking?: boolean
  /** Takes addresses that are written wrong in common ways, such as `MAIL FROM: a@b`. */
  readonly lenient?: boolean
  /** Submission: adds Date, Message-ID and From where missing or empty, and takes Bcc out; false by default, unlike in a mail server. */
  readonly mendHeader?: boolean
  /** Milliseconds to hold back the greeting; 0 by default. */
  readonly greetingDelayMs?: number
  /** What follows the host name in the greeting. */
  readonly greeting?: string
  readonly limits?: Partial<SmtpServerLimits>
  /** Connections at the same time, in all and by network, and new ones a minute. */
  readonly connections?: ConnectionLimitOptions
  /** Every connection comes through proxies at these addresses and begins with a PROXY header. */
  readonly proxy?: readonly string[]
  /** Addresses and networks of those who may use XCLIENT and XFORWARD. */
  readonly xclient?: readonly string[]
  /** Milliseconds that sessions have to finish when the server closes; 10,000 by default. */
  readonly shutdownTimeout?: number
  readonly logger?: Logger
  readonly clock?: Clock
  /** Asked for each connection: a record of its wire traffic, or null for none. */
  readonly wireLog?: (connection: { readonly id: string; readonly remoteAddress: string }) => WireLog | null
}

interface RunningSession {
  shutdown(reason: 'shutdown'): void
  destroy(): void
}

/**
 * An SMTP, submission or LMTP server of handlers, for a host that wants one listener and a function for each step. For
 * mailboxes, POP3 and IMAP see `createMailServer`; for other interfaces to the same engine `SmtpService`.
 */
export class SmtpServer implements AsyncDisposable {
  readonly #settings: SmtpServerSettings
  readonly #hostname: string
  readonly #service: SmtpService
  readonly #limits: ConnectionLimits
  readonly #xclient: AddressList
  readonly #proxy: AddressList | null
  readonly #logger: Logger
  readonly #sessions: Set<RunningSession>
  #listener: Listener | null
  #closing: boolean

  /** UsageError `OPTION` for settings that cannot work, `ADDRESS` for what is no address. */
  constructor(settings: SmtpServerSettings) {
    const { features, maxMessageSize } = settings
    this.#settings = settings
    this.#hostname = settings.hostname ?? canonicalDomain(machineName()) ?? 'localhost'
    this.#limits = new ConnectionLimits(settings.connections)
    this.#xclient = new AddressList(settings.xclient ?? [])
    this.#proxy = settings.proxy === undefined ? null : new AddressList(settings.proxy)
    this.#logger = settings.logger ?? silentLogger
    this.#sessions = new Set()
    this.#listener = null
    this.#closing = false
    if (settings.secure === true && settings.tls === false) {
      throw new UsageError('OPTION', 'secure needs TLS, and tls is false')
    }
    this.#service = new SmtpService({
      ...pick(
        settings,
        'service',
        'requireTls',
        'requireAuth',
        'chunking',
        'lenient',
        'greetingDelayMs',
        'greeting',
        'limits',
        'clock',
      ),
      ...smtpHandlers(settings, {
        ...features,
        ...(maxMessageSize === undefined ? {} : { maxMessageSize }),
      }),
      mendHeader: settings.mendHeader ?? false,
      hostname: this.#hostname,
      secure: settings.secure ?? false,
      startTls: settings.secure !== true && settings.tls !== false,
      logger: this.#logger,
    })
  }

  /**
   * Takes connections; port 0, the default, picks a free one, and the host is loopback by default. Rejects with
   * UsageError `LISTENING` where it does so already, with `CONFIG` for a certificate that cannot be used, and with
   * node:net's error where the address cannot be had.
   */
  async listen(port = 0, host = '127.0.0.1'): Promise<{ readonly host: string; readonly port: number }> {
    const { tls, secure, clock } = this.#settings
    if (this.#listener !== null || this.#closing)
      throw new UsageError('LISTENING', 'this server has been started')
    const context = await loadCertificates(
      tls === undefined ? {} : { tls },
      this.#hostname,
      clock ?? systemClock,
    )
    this.#listener = await Listener.listen({
      host,
      port,
      tlsMode: context === null ? 'none' : secure === true ? 'implicit' : 'starttls',
      tls: context,
      alpn: 'smtp',
      limits: this.#limits,
      proxy: this.#proxy === null ? null : { trusted: this.#proxy },
      onError: (error) => this.#log('listener.error', error),
      serve: (connection) => this.#serve(connection),
    })
    return this.#listener.address
  }

  /** Where it listens; null before. */
  get address(): { readonly host: string; readonly port: number } | null {
    return this.#listener?.address ?? null
  }

  /**
   * Takes nothing more and lets sessions finish what they are at (421) for `shutdownTimeout`, then cuts them off. A
   * handler that does not come to an end even then is not waited for.
   */
  async close(): Promise<void> {
    this.#closing = true
    const closed = this.#listener?.close() ?? Promise.resolve()
    for (const session of this.#sessions) session.shutdown('shutdown')
    await closeWithin(closed, this.#settings.shutdownTimeout ?? 10_000, () => {
      for (const session of this.#sessions) session.destroy()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #serve(connection: Connection): Promise<void> {
    const { duplex } = connection
    const session = this.#begin(connection)
    const driver = new Driver(session.engine, duplex, session, {
      ...(this.#settings.clock === undefined ? {} : { clock: this.#settings.clock }),
      onError: (error) => this.#log('session.error', error),
    })
    session.attach(driver)
    const running = {
      shutdown: (reason: 'shutdown') => driver.shutdown(reason),
      destroy: () => duplex.destroy(),
    }
    this.#sessions.add(running)
    if (!connection.admitted) driver.shutdown('tooManyConnections')
    else if (this.#closing) driver.shutdown('shutdown')
    await driver.run()
    this.#sessions.delete(running)
  }

  #begin(connection: Connection): SmtpServerSession {
    const { plaintextLogin = 'loopback', wireLog } = this.#settings
    const { remoteAddress, remotePort, localAddress, localPort, duplex } = connection
    const id = randomUUID()
    const trusted = this.#xclient.has(remoteAddress)
    const loopback = plaintextLogin === 'loopback' && isLoopback(remoteAddress)
    return this.#service.start(
      { id, remoteAddress, remotePort, localAddress, localPort, tls: duplex.tlsInfo },
      {
        allowPlaintext: plaintextLogin === 'always' || loopback,
        xclient: trusted,
        xforward: trusted,
        wireLog: wireLog?.({ id, remoteAddress }) ?? null,
      },
    )
  }

  #log(event: string, error: unknown): void {
    this.#logger.log('error', event, { message: error instanceof Error ? error.message : String(error) })
  }
}

/** Those of the settings that were given. */
function pick<T, K extends keyof T>(settings: T, ...names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    names.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])),
  ) as Pick<T, K>
}
