import { randomUUID } from 'node:crypto'
import { isIP, Socket } from 'node:net'
import { hostname as machineName } from 'node:os'
import type { Duplex as Stream } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { canonicalDomain, Driver, systemClock, type TlsInfo, UsageError } from '../core/index.js'
import type { Logger } from '../interfaces/index.js'
import { silentLogger } from '../interfaces/index.js'
import type { Connection } from '../net/index.js'
import {
  AddressList,
  ConnectionLimits,
  HANDSHAKE_TIMEOUT,
  isLoopback,
  Listener,
  plainAddress,
  SocketDuplex,
  tlsInfoOf,
} from '../net/index.js'
import type { SmtpServerSession } from '../smtp/index.js'
import { SmtpService, smtpHandlers } from '../smtp/index.js'
import type { TlsServerContext } from '../tls/index.js'
import { loadCertificates } from './certificates.js'
import { closeWithin } from './close-within.js'
import { checkSettings, type SmtpServerSettings } from './smtp-server-settings.js'

/** What a connection that the host has taken does not say of itself. */
export interface GivenConnection {
  /** Needed where the stream is no socket of TCP. */
  readonly remoteAddress?: string
  readonly remotePort?: number
  readonly localAddress?: string
  readonly localPort?: number
  /** TLS ended before it came here, at a proxy for example; a TLSSocket says so itself. */
  readonly tls?: TlsInfo | null
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
  /** Connections of `connect` that are not over. */
  readonly #given: Set<Promise<void>>
  #certificates: Promise<TlsServerContext | null> | null
  #listener: Listener | null
  #closing: boolean

  /**
   * UsageError `CONFIG` for settings that there are not, and `CONFIG`, `OPTION` or `LIMIT` for those that cannot work, `ADDRESS`
   * for what is no address.
   */
  constructor(settings: SmtpServerSettings) {
    checkSettings(settings)
    const { features, maxMessageSize } = settings
    this.#settings = settings
    this.#hostname = settings.hostname ?? canonicalDomain(machineName()) ?? 'localhost'
    this.#limits = new ConnectionLimits(settings.connections)
    this.#xclient = new AddressList(settings.xclient ?? [])
    this.#proxy = settings.proxy === undefined ? null : new AddressList(settings.proxy)
    this.#logger = settings.logger ?? silentLogger
    this.#sessions = new Set()
    this.#given = new Set()
    this.#certificates = null
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
        'bareLineEnds',
        'allowNul',
        'greetingDelayMs',
        'tarpitMs',
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
   * UsageError `LISTENING` where it does so already, with `CONFIG` for a certificate that cannot be used, with `LISTEN` for
   * LMTP on port 25 (RFC 2033 section 5), and with node:net's error where the address cannot be had.
   */
  async listen(port = 0, host = '127.0.0.1'): Promise<{ readonly host: string; readonly port: number }> {
    const { secure, service } = this.#settings
    if (this.#listener !== null || this.#closing)
      throw new UsageError('LISTENING', 'this server has been started')
    if (service === 'lmtp' && port === 25)
      throw new UsageError(
        'LISTEN',
        'LMTP must not be on port 25, which is for SMTP; choose another, such as 24',
      )
    const context = await this.#context()
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

  /**
   * Serves a connection that the host has: a socket, or any other stream that is read and written. Resolves when it is
   * over. It is as one that was listened for: it counts towards `connections`, `secure` begins with a handshake where
   * there is no TLS yet, and `close` ends it. UsageError `CONNECTION` where it is not known from where it comes, `CONFIG` for a
   * certificate that cannot be used.
   */
  connect(stream: Stream, given: GivenConnection = {}): Promise<void> {
    const serving = this.#connect(stream, given)
    const over = serving.catch(() => undefined).then(() => void this.#given.delete(over))
    this.#given.add(over)
    return serving
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
    const closed = Promise.all([this.#listener?.close(), ...this.#given])
    for (const session of this.#sessions) session.shutdown('shutdown')
    await closeWithin(closed, this.#settings.shutdownTimeout ?? 10_000, () => {
      for (const session of this.#sessions) session.destroy()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Loaded by `listen` or the first `connect`; after a failure once more. */
  #context(): Promise<TlsServerContext | null> {
    const { tls, clock } = this.#settings
    this.#certificates ??= loadCertificates(
      tls === undefined ? {} : { tls },
      this.#hostname,
      clock ?? systemClock,
    ).catch((error: unknown) => {
      this.#certificates = null
      throw error
    })
    return this.#certificates
  }

  async #connect(stream: Stream, given: GivenConnection): Promise<void> {
    const own: Partial<Socket> = stream instanceof Socket ? stream : {}
    const remoteAddress = plainAddress(given.remoteAddress ?? own.remoteAddress)
    if (isIP(remoteAddress) === 0) {
      const mend = 'give connect(stream, { remoteAddress }) with the IP address of who is at the other end'
      throw new UsageError('CONNECTION', `it is not known from where this stream comes; ${mend}`)
    }
    stream.on('error', () => undefined)
    const tls = await this.#context()
    const tlsInfo = given.tls ?? (stream instanceof TLSSocket ? tlsInfoOf(stream) : null)
    const leave = this.#limits.admit(remoteAddress)
    const duplex = new SocketDuplex(stream, {
      tls,
      alpn: 'smtp',
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT,
      tlsInfo,
    })
    const destroy = (): void => duplex.destroy()
    const handshake = { shutdown: destroy, destroy }
    try {
      if (this.#settings.secure === true && tlsInfo === null) {
        this.#sessions.add(handshake)
        await duplex.upgrade('tls')
      }
      await this.#serve({
        duplex,
        remoteAddress,
        remotePort: given.remotePort ?? own.remotePort ?? 0,
        localAddress: given.localAddress ?? plainAddress(own.localAddress),
        localPort: given.localPort ?? own.localPort ?? 0,
        admitted: leave !== null,
      })
    } catch (error) {
      this.#log('session.error', error)
    } finally {
      this.#sessions.delete(handshake)
      duplex.destroy()
      leave?.()
    }
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
