import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { plainAddress } from '../core/plain-address.js'
import type { TlsServerContext } from '../tls/index.js'
import type { AddressList } from './address-list.js'
import type { ConnectionLimits } from './connection-limits.js'
import { takeProxyHeader } from './proxy.js'
import type { ProxyAddresses } from './proxy-header.js'
import { SocketDuplex, type SocketDuplexOptions } from './socket-duplex.js'

/** How a listener's connections come by TLS. */
export type TlsMode = 'none' | 'starttls' | 'implicit'

/** A connection that has been taken, with TLS in place already where it is implicit. */
export interface Connection {
  readonly duplex: SocketDuplex
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** False when it is one too many: tell the peer so and close. */
  readonly admitted: boolean
}

export interface ListenOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  readonly tlsMode: TlsMode
  readonly tls: TlsServerContext | null
  readonly alpn: string | null
  readonly limits: ConnectionLimits
  readonly handshakeTimeoutMs?: number
  /**
   * Every connection comes through a proxy that says for whom it speaks (PROXY protocol, version 1 or 2), and the proxies
   * are at these addresses: a connection from anywhere else, or without a good header, is closed.
   */
  readonly proxy?: { readonly trusted: AddressList } | null
  /** Serves one connection until it is over. A rejection goes to `onError`. */
  readonly serve: (connection: Connection) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Milliseconds a TLS handshake may take, by default. */
export const HANDSHAKE_TIMEOUT = 60_000

/** Takes connections at one address. */
export class Listener {
  readonly #server: Server
  readonly #options: ListenOptions
  readonly #duplexOptions: SocketDuplexOptions
  /** Where connections arrive; the host is null where that can be any of the machine's. */
  #own: { readonly host: string | null; readonly port: number }
  /** Connections that are not over, and who waits for the last of them. */
  #open: number
  #onIdle: () => void
  /** Connections that are not served yet: a handshake is under way, or a PROXY header to come. */
  readonly #handshakes: Set<SocketDuplex>
  readonly #arriving: Set<Socket>

  private constructor(options: ListenOptions) {
    this.#options = options
    this.#duplexOptions = {
      tls: options.tls,
      alpn: options.alpn,
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT,
    }
    this.#own = { host: null, port: options.port }
    this.#open = 0
    this.#onIdle = () => undefined
    this.#handshakes = new Set()
    this.#arriving = new Set()
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      void this.#accept(socket)
    })
  }

  /** Rejects with node:net's error where the address cannot be had (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
  static async listen(options: ListenOptions): Promise<Listener> {
    const listener = new Listener(options)
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject)
      listener.#server.listen({ host: options.host, port: options.port }, () => {
        listener.#server.off('error', reject)
        listener.#server.on('error', options.onError)
        const { address, port } = listener.#server.address() as AddressInfo
        listener.#own = { host: isWildcard(address) ? null : plainAddress(address), port }
        resolve()
      })
    })
    return listener
  }

  /** Where it listens in fact. */
  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  /** Takes no more connections; resolves when those that run are over. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    for (const duplex of this.#handshakes) duplex.destroy()
    for (const socket of this.#arriving) socket.destroy()
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
    if (this.#open > 0) await idle
    await closed
  }

  /** From the first moment of a connection to its last. Never rejects. */
  async #accept(socket: Socket): Promise<void> {
    const { limits, proxy, tlsMode } = this.#options
    let duplex: SocketDuplex | null = null
    let leave: (() => void) | null = null
    this.#open++
    try {
      const own = this.#addressesOf(socket)
      const addresses = proxy == null ? own : await this.#toldBy(proxy.trusted, socket, own)
      if (addresses === null) return
      leave = limits.admit(addresses.remoteAddress)
      duplex = new SocketDuplex(socket, this.#duplexOptions)
      if (tlsMode === 'implicit' && !(await this.#secure(duplex, leave !== null))) return
      const { remoteAddress, remotePort, localAddress, localPort } = addresses
      const admitted = leave !== null
      await this.#options.serve({ duplex, remoteAddress, remotePort, localAddress, localPort, admitted })
    } catch (error) {
      this.#options.onError(error)
    } finally {
      duplex?.destroy()
      socket.destroy()
      leave?.()
      this.#open--
      if (this.#open === 0) this.#onIdle()
    }
  }

  /** Our own is asked for where it is not known: each question to the system is a call of it, for every connection. */
  #addressesOf(socket: Socket): ProxyAddresses {
    const { host, port } = this.#own
    return {
      remoteAddress: plainAddress(socket.remoteAddress),
      remotePort: socket.remotePort ?? 0,
      localAddress: host ?? plainAddress(socket.localAddress),
      localPort: port,
    }
  }

  /** Who is connected to whom as a trusted proxy says; null for a connection to be closed. */
  async #toldBy(trusted: AddressList, socket: Socket, own: ProxyAddresses): Promise<ProxyAddresses | null> {
    socket.on('error', () => undefined)
    if (!trusted.has(own.remoteAddress)) return null
    this.#arriving.add(socket)
    const told = await takeProxyHeader(socket, this.#duplexOptions.handshakeTimeoutMs)
    this.#arriving.delete(socket)
    return told === 'bad' ? null : (told ?? own)
  }

  /** False when the handshake failed, or was not worth its cost for a connection that is one too many. */
  async #secure(duplex: SocketDuplex, admitted: boolean): Promise<boolean> {
    if (!admitted) return false
    this.#handshakes.add(duplex)
    try {
      await duplex.upgrade('tls')
      return true
    } catch {
      return false
    } finally {
      this.#handshakes.delete(duplex)
    }
  }
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}
