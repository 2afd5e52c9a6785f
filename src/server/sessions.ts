import { randomUUID } from 'node:crypto'
import type { Clock, WireLog } from '../core/index.js'
import { Driver } from '../core/index.js'
import { ImapServerEngine, ImapServerSession } from '../imap/index.js'
import type { Authenticator, Delivery, Logger, MailStore, Policy } from '../interfaces/index.js'
import { type AddressList, type Connection, isLoopback, type TlsMode } from '../net/index.js'
import { Pop3ServerEngine, Pop3ServerSession } from '../pop3/index.js'
import { usableMechanisms } from '../sasl/index.js'
import { SmtpService } from '../smtp/index.js'
import type { LimitOptions, ListenerName, MailServerOptions, SessionLabel, SmtpOptions } from './options.js'
import { services } from './services.js'

/** What every session of a server shares. */
export interface SessionParts {
  readonly hostname: string
  readonly store: MailStore
  readonly authenticator: Authenticator
  readonly delivery: Delivery
  readonly policy: Policy | null
  readonly logger: Logger
  readonly clock: Clock
  readonly limits: LimitOptions
  readonly smtp: SmtpOptions
  /** Who may use XCLIENT and XFORWARD. */
  readonly xclient: AddressList
  readonly plaintextLogin: NonNullable<MailServerOptions['plaintextLogin']>
  readonly wireLog: (session: SessionLabel) => WireLog | null
}

/** A session that is ready to run. */
export interface Session {
  readonly id: string
  /** Runs until the connection is over; never rejects. */
  run(): Promise<void>
  /** Ends it in the protocol's own words, after the answer that is pending. */
  shutdown(): void
  /** Ends it at once. */
  destroy(): void
}

/** What puts engine, session and driver on each connection of a listener. UsageError for options that cannot work. */
export function sessionStarter(
  parts: SessionParts,
  listener: ListenerName,
  tlsMode: TlsMode,
): (connection: Connection) => Session {
  const startTls = tlsMode === 'starttls'
  const begin = beginner(parts, listener, tlsMode)
  const mechanisms = usableMechanisms(parts.authenticator)
  return (connection) => {
    const id = randomUUID()
    const wireLog = parts.wireLog({ id, listener, remoteAddress: connection.remoteAddress })
    const driver = begin({ parts, listener, connection, id, wireLog, startTls, mechanisms })
    if (!connection.admitted) driver.shutdown('tooManyConnections')
    return {
      id,
      run: () => driver.run(),
      shutdown: () => driver.shutdown('shutdown'),
      destroy: () => connection.duplex.destroy(),
    }
  }
}

function beginner(
  parts: SessionParts,
  listener: ListenerName,
  tlsMode: TlsMode,
): (beginning: Beginning) => RunningDriver {
  const { protocol } = services[listener]
  if (protocol !== 'smtp') return protocol === 'pop3' ? pop3Driver : imapDriver
  const service = smtpService(parts, listener, tlsMode)
  return (beginning) => smtpDriver(beginning, service)
}

interface Beginning {
  readonly parts: SessionParts
  readonly listener: ListenerName
  readonly connection: Connection
  readonly id: string
  readonly wireLog: WireLog | null
  readonly startTls: boolean
  /** Those that the authenticator can check. */
  readonly mechanisms: readonly string[]
}

/** What the driver of any protocol needs of us. */
interface RunningDriver {
  run(): Promise<void>
  shutdown(reason: 'shutdown' | 'tooManyConnections'): void
}

function mayLogInInClear({ plaintextLogin }: SessionParts, remoteAddress: string): boolean {
  return plaintextLogin === 'always' || (plaintextLogin === 'loopback' && isLoopback(remoteAddress))
}

function driverOptions({ parts, id, listener, connection }: Beginning) {
  return {
    clock: parts.clock,
    onError: (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      const handshake = (error as { code?: unknown }).code === 'TLS_HANDSHAKE'
      parts.logger.log(handshake ? 'info' : 'error', handshake ? 'tls.failed' : 'session.error', {
        session: id,
        listener,
        remote: connection.remoteAddress,
        message,
      })
    },
  }
}

function smtpService(parts: SessionParts, listener: ListenerName, tlsMode: TlsMode): SmtpService {
  const { smtp } = parts
  const { service } = services[listener]
  return new SmtpService({
    hostname: parts.hostname,
    service,
    ...(service === 'smtp' ? { greetingDelayMs: smtp.greetingDelay ?? 0 } : {}),
    tarpitMs: smtp.tarpit ?? 0,
    checkSender: smtp.checkSender ?? true,
    mendHeader: smtp.mendHeader ?? true,
    bareLineEnds: smtp.bareLineEnds ?? 'refuse',
    allowNul: smtp.allowNul ?? false,
    lenient: smtp.lenient ?? false,
    secure: tlsMode === 'implicit',
    startTls: tlsMode === 'starttls',
    delivery: parts.delivery,
    authenticator: parts.authenticator,
    policy: parts.policy,
    logger: parts.logger,
    clock: parts.clock,
    limits: parts.limits.smtp ?? {},
  })
}

function smtpDriver(beginning: Beginning, service: SmtpService): RunningDriver {
  const { parts, connection, id, wireLog } = beginning
  const { duplex, remoteAddress, remotePort, localAddress, localPort } = connection
  const trusted = parts.xclient.has(remoteAddress)
  const session = service.start(
    { id, remoteAddress, remotePort, localAddress, localPort, tls: duplex.tlsInfo },
    {
      xclient: trusted,
      xforward: trusted,
      allowPlaintext: mayLogInInClear(parts, remoteAddress),
      wireLog,
    },
  )
  const driver = new Driver(session.engine, duplex, session, driverOptions(beginning))
  session.attach(driver)
  return driver
}

function imapDriver(beginning: Beginning): RunningDriver {
  const { parts, connection, id, wireLog, startTls, mechanisms } = beginning
  const { duplex, remoteAddress } = connection
  const { store, authenticator, logger, clock, hostname } = parts
  const engine = new ImapServerEngine({
    hostname,
    mechanisms,
    allowPlaintext: mayLogInInClear(parts, remoteAddress),
    startTls,
    secure: duplex.tlsInfo !== null,
    limits: parts.limits.imap ?? {},
    wireLog,
  })
  const context = { id, remoteAddress, secure: () => duplex.tlsInfo !== null }
  const session = new ImapServerSession({ engine, store, authenticator, context, logger, clock })
  const driver = new Driver(engine, duplex, session, driverOptions(beginning))
  session.attach(driver)
  return driver
}

function pop3Driver(beginning: Beginning): RunningDriver {
  const { parts, connection, id, wireLog, startTls, mechanisms } = beginning
  const { duplex, remoteAddress } = connection
  const { store, authenticator, logger, hostname } = parts
  const engine = new Pop3ServerEngine({
    hostname,
    mechanisms,
    allowPlaintext: mayLogInInClear(parts, remoteAddress),
    startTls,
    secure: duplex.tlsInfo !== null,
    limits: parts.limits.pop3 ?? {},
    wireLog,
  })
  const session = new Pop3ServerSession(engine, { store, authenticator, remoteAddress, id, logger })
  const driver = new Driver(engine, duplex, session, driverOptions(beginning))
  session.attach(driver)
  return driver
}
