import { hostname as machineName } from 'node:os'
import type { Clock } from '../../core/clock.js'
import { PeerError } from '../../core/errors.js'
import type { ConnectTlsOptions } from '../../net/index.js'
import { connect } from '../../net/index.js'
import type { SmtpClientOptions } from '../../smtp/index.js'
import { isDomainOrLiteral, SmtpClientSession } from '../../smtp/index.js'

/** Where a server is, and how to talk to it. */
export interface SmtpConnectOptions
  extends Omit<SmtpClientOptions, 'hostname' | 'startTls' | 'secure' | 'peerVerified'> {
  /** A name or an address; `localhost` by default. */
  readonly host?: string
  /** 25 by default, 465 with implicit TLS, 24 with LMTP. */
  readonly port?: number
  /** Of a socket in the file system, or a named pipe on Windows, in place of `host` and `port`. */
  readonly path?: string
  /** The address to connect from. */
  readonly localAddress?: string
  /** The name to say in EHLO; the machine's by default, where that can be said. */
  readonly hostname?: string
  /**
   * `opportunistic`: STARTTLS where it is offered and works, whatever the certificate, since the alternative is no
   * encryption at all (RFC 7435). `required`: STARTTLS or nothing; `implicit`: TLS from the first octet (RFC 8314
   * section 3.3); both want a certificate that is trusted. `none`: never.
   *
   * By default `required` with `credentials`, lest a password go to whoever answers, unless `allowPlaintext` is set;
   * `opportunistic` without. TLSA records and an MTA-STS policy to be enforced (`tlsOptions`) make TLS required where
   * it is opportunistic.
   */
  readonly tls?: 'none' | 'opportunistic' | 'required' | 'implicit'
  /** What to ask of the server in the handshake: `dane` (RFC 7672), `mtaSts` (RFC 8461), or a check of one's own. */
  readonly tlsOptions?: ConnectTlsOptions
  /** Milliseconds until the connection stands; 30,000 by default. */
  readonly connectTimeoutMs?: number
  /** Milliseconds a TLS handshake may take; 60,000 by default. */
  readonly handshakeTimeoutMs?: number
  readonly clock?: Clock
}

/**
 * Connects, greets, puts TLS under the session and logs in: resolves when messages can be sent. Rejects with
 * node:net's error, a PeerError (`CONNECT_TIMEOUT`, `TLS_HANDSHAKE`, `TLS_REQUIRED`, `AUTH_UNAVAILABLE`, `TIMEOUT` ...),
 * an SmtpRefusal with the server's reply, or the signal's reason.
 */
export async function connectSmtp(
  options: SmtpConnectOptions = {},
  signal?: AbortSignal,
): Promise<SmtpClientSession> {
  const { tlsOptions: { dane, mtaSts } = {}, credentials, allowPlaintext = false } = options
  const { tls = credentials == null || allowPlaintext ? 'opportunistic' : 'required' } = options
  const verify = tls === 'opportunistic' ? 'any' : 'trusted'
  const demanded = (dane !== undefined && dane.records.length > 0) || mtaSts?.mode === 'enforce'
  try {
    return await attempt(options, tls === 'opportunistic' && demanded ? 'required' : tls, verify, signal)
  } catch (error) {
    const handshake = error instanceof PeerError && error.code === 'TLS_HANDSHAKE'
    if (!handshake || tls !== 'opportunistic' || demanded) throw error
    return attempt(options, 'none', verify, signal)
  }
}

async function attempt(
  options: SmtpConnectOptions,
  tls: NonNullable<SmtpConnectOptions['tls']>,
  verify: 'any' | 'trusted',
  signal: AbortSignal | undefined,
): Promise<SmtpClientSession> {
  const { host, path, localAddress, tlsOptions, connectTimeoutMs, handshakeTimeoutMs, clock } = options
  const implicitTls = tls === 'implicit'
  const duplex = await connect({
    port: options.port ?? (options.lmtp === true ? 24 : implicitTls ? 465 : 25),
    implicitTls,
    tls: { verify, ...tlsOptions },
    ...(host === undefined ? {} : { host }),
    ...(path === undefined ? {} : { path }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...(handshakeTimeoutMs === undefined ? {} : { handshakeTimeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  })
  const session = new SmtpClientSession(
    duplex,
    {
      ...options,
      hostname: options.hostname ?? defaultHostname(),
      secure: implicitTls,
      peerVerified: duplex.tlsInfo?.peerVerified ?? false,
      startTls: implicitTls ? 'none' : tls,
    },
    clock === undefined ? {} : { clock },
  )
  const aborted = (): void => session.destroy()
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    await session.ready
    return session
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', aborted)
  }
}

/** RFC 5321 section 4.1.4: a client without a name says its address; the loopback's says that much. */
function defaultHostname(): string {
  const name = machineName()
  return isDomainOrLiteral(name) ? name : '[127.0.0.1]'
}
