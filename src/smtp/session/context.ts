import type { TlsInfo } from '../../core/engine.js'
import type { SessionContext } from '../../interfaces/index.js'

/** What is known of a connection before it says anything. */
export interface SmtpConnection {
  /** Unique to the session, letters, digits, `-` and `.`; a random UUID does. */
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** Of implicit TLS, else null. */
  readonly tls: TlsInfo | null
}

/** Whoever knows that a connection is gone. A `Driver` is one; it makes its signal when it is asked for. */
export interface Connected {
  readonly signal: AbortSignal
}

/** What is known of a session, without the signal. */
export type Known = Omit<SessionContext, 'signal'>

/** Before there is a connection to be gone. */
const nowhere: Connected = {
  get signal() {
    return new AbortController().signal
  },
}

/** A session's context at one moment. The signal is asked for when somebody reads it, and not before. */
export class Context implements SessionContext {
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly helo: string
  readonly transmission: string
  readonly tls: TlsInfo | null
  readonly user: string | null
  readonly service: SessionContext['service']
  readonly clientName: string | null
  readonly forwarded?: Readonly<Record<string, string>>
  readonly #connected: Connected

  constructor(known: Known, connected: Connected) {
    this.id = known.id
    this.remoteAddress = known.remoteAddress
    this.remotePort = known.remotePort
    this.localAddress = known.localAddress
    this.localPort = known.localPort
    this.helo = known.helo
    this.transmission = known.transmission
    this.tls = known.tls
    this.user = known.user
    this.service = known.service
    this.clientName = known.clientName ?? null
    if (known.forwarded !== undefined) this.forwarded = known.forwarded
    this.#connected = connected
  }

  /** What is known before the client has said anything. */
  static of(connection: SmtpConnection, service: SessionContext['service']): Context {
    const { id, remoteAddress, remotePort, localAddress, localPort, tls } = connection
    const transmission = service === 'lmtp' ? 'LMTP' : 'SMTP'
    return new Context(
      {
        id,
        remoteAddress,
        remotePort,
        localAddress,
        localPort,
        helo: '',
        transmission,
        tls,
        user: null,
        service,
      },
      nowhere,
    )
  }

  /** Aborted when the connection is gone. */
  get signal(): AbortSignal {
    return this.#connected.signal
  }

  /** The same, but for `change`. */
  with(change: Partial<Known>): Context {
    return Object.assign(new Context(this, this.#connected), change)
  }

  /** The same, forwarded for nobody. */
  withoutForwarded(): Context {
    const { forwarded: _, ...known } = this as Known
    return new Context(known, this.#connected)
  }

  /** The same on a connection that can tell when it is gone. */
  on(connected: Connected): Context {
    return new Context(this, connected)
  }
}
