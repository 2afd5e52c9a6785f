import { X509Certificate } from 'node:crypto'
import { connect as connectSocket, isIP, type Socket } from 'node:net'
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import { PeerError } from '../core/errors.js'
import type { MtaStsPolicy, TlsaRecord } from '../tls/index.js'
import { checkDane, checkMtaSts } from '../tls/index.js'
import { SocketDuplex } from './socket-duplex.js'

/** What a server showed in its TLS handshake. */
export interface TlsPeer {
  /** The certificate is for the name and comes from an authority that is trusted. */
  readonly trusted: boolean
  /** Why it is not trusted, as OpenSSL says it; null when it is. */
  readonly problem: string | null
  /** The server's certificate first; empty where it showed none. */
  readonly chain: readonly X509Certificate[]
}

/** Null takes the peer as the right one; a sentence says why it is turned away. Certificate pinning fits in here. */
export type TlsVerifier = (peer: TlsPeer) => string | null | Promise<string | null>

export interface ConnectTlsOptions {
  /** The name to ask for (SNI) and to find in the certificate; the host by default. */
  readonly serverName?: string
  /** `trusted`, the default: authority and name must be right; `any`: encryption only; or a check of one's own. */
  readonly verify?: 'trusted' | 'any' | TlsVerifier
  /**
   * The server's TLSA records, proved by DNSSEC, and the names that a certificate under DANE-TA may have, `serverName`
   * by default. Where one of them can be used they decide on the certificate (RFC 7672), and else the rest does.
   */
  readonly dane?: { readonly records: readonly TlsaRecord[]; readonly names?: readonly string[] }
  /** The policy of the domain whose mail the server takes (RFC 8461): `enforce` decides on the certificate. */
  readonly mtaSts?: MtaStsPolicy
  /** PEM of the authorities to trust in place of the ones that Node knows. */
  readonly ca?: string | readonly string[]
  /** PEM of a certificate to show to the server, and its key. */
  readonly cert?: string
  readonly key?: string
}

export interface ConnectOptions {
  /** A name or an address; ignored where `path` is given. */
  readonly host?: string
  readonly port?: number
  /** Of a socket in the file system, or a named pipe on Windows. */
  readonly path?: string
  /** The address to connect from. */
  readonly localAddress?: string
  /** TLS before the first octet. */
  readonly implicitTls?: boolean
  /** For implicit TLS and for `upgrade`. */
  readonly tls?: ConnectTlsOptions
  /** Milliseconds until the connection stands; 30,000 by default. */
  readonly connectTimeoutMs?: number
  /** Milliseconds a TLS handshake may take; 60,000 by default. */
  readonly handshakeTimeoutMs?: number
  /** Gives up connecting; the connection, once it stands, is not touched by it. */
  readonly signal?: AbortSignal
}

/** The oldest TLS version that is spoken: RFC 8996 and RFC 8314 section 4.1. */
const MIN_VERSION = 'TLSv1.2'

/**
 * Connects to a server. Rejects with node:net's error (ECONNREFUSED, ENOTFOUND ...), PeerError `CONNECT_TIMEOUT` or
 * `TLS_HANDSHAKE`, or the signal's reason.
 */
export async function connect(options: ConnectOptions): Promise<SocketDuplex> {
  const { signal, implicitTls = false, tls = {}, handshakeTimeoutMs = 60_000 } = options
  signal?.throwIfAborted()
  const socket = await open(options)
  const name = tls.serverName ?? options.host ?? 'localhost'
  const duplex = new SocketDuplex(socket, {
    tls: null,
    alpn: null,
    handshakeTimeoutMs,
    client: {
      begin: (raw) => begin(raw, name, tls),
      check: (secured) => check(secured, name, tls),
    },
  })
  if (!implicitTls) return duplex
  const aborted = (): void => duplex.destroy()
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    await duplex.upgrade('tls')
    return duplex
  } catch (error) {
    duplex.destroy()
    signal?.throwIfAborted()
    throw new PeerError('TLS_HANDSHAKE', `the TLS handshake failed: ${(error as Error).message}`)
  } finally {
    signal?.removeEventListener('abort', aborted)
  }
}

function open(options: ConnectOptions): Promise<Socket> {
  const { host = 'localhost', port = 0, path, localAddress, connectTimeoutMs = 30_000, signal } = options
  return new Promise((resolve, reject) => {
    const socket = connectSocket(
      path === undefined ? { host, port, ...(localAddress === undefined ? {} : { localAddress }) } : { path },
    )
    const finish = (act: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
      socket.off('error', failed)
      act()
    }
    const giveUp = (error: unknown): void => {
      finish(() => reject(error))
      socket.on('error', () => undefined)
      socket.destroy()
    }
    const timer = setTimeout(
      () =>
        giveUp(
          new PeerError('CONNECT_TIMEOUT', `no connection to ${path ?? host} after ${connectTimeoutMs} ms`),
        ),
      connectTimeoutMs,
    )
    const aborted = (): void => giveUp(signal?.reason)
    const failed = (error: Error): void => giveUp(error)
    signal?.addEventListener('abort', aborted, { once: true })
    socket.once('error', failed)
    socket.once('connect', () => finish(() => resolve(socket)))
  })
}

function begin(socket: Socket, name: string, options: ConnectTlsOptions): TLSSocket {
  const { ca, cert, key } = options
  return connectTls({
    socket,
    host: name,
    // RFC 6066 section 3: an address is no server name.
    servername: isIP(name) === 0 ? name : '',
    minVersion: MIN_VERSION,
    // Whether the peer is taken is decided when the handshake is complete.
    rejectUnauthorized: false,
    ...(ca === undefined ? {} : { ca: ca as string | string[] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  })
}

/** True where the peer is proved to be the right one; throws, and closes, where it must not be used. */
async function check(socket: TLSSocket, name: string, options: ConnectTlsOptions): Promise<boolean> {
  const problem = socket.authorized ? null : String(socket.authorizationError ?? 'no certificate')
  const { dane, mtaSts, verify } = options
  const asked = dane !== undefined || mtaSts !== undefined || typeof verify === 'function'
  const peer: TlsPeer = { trusted: socket.authorized, problem, chain: asked ? chainOf(socket) : [] }
  const verdict = await judge(peer, name, options)
  if (typeof verdict === 'boolean') return verdict
  socket.destroy()
  throw new Error(verdict)
}

/** DANE comes first: no policy makes up for a record that does not match (RFC 8461 section 2). */
async function judge(peer: TlsPeer, name: string, options: ConnectTlsOptions): Promise<boolean | string> {
  const { dane, mtaSts, verify = 'trusted' } = options
  if (dane !== undefined) {
    const { records, names = [name] } = dane
    const outcome = checkDane(peer.chain, { records, names, now: Date.now() })
    if (outcome === 'authenticated') return true
    if (outcome === 'mismatch') return 'no TLSA record matches the certificate'
  }
  if (mtaSts?.mode === 'enforce') return checkMtaSts(mtaSts, name, peer) ?? true
  if (verify === 'any') return peer.trusted
  return (verify === 'trusted' ? peer.problem : await verify(peer)) ?? true
}

/** A chain ends with a certificate that is its own issuer, or where the server left off. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && chain.length < 16) {
    chain.push(new X509Certificate(next.raw))
    if (next.issuerCertificate === next) break
    next = next.issuerCertificate
  }
  return chain
}
