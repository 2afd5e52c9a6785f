import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TlsServerContext } from '../tls/index.js'
import { plainAddress } from './address.js'
import type { AddressList } from './address-list.js'
import type { ConnectionLimits } from './connection-limits.js'
import { takeProxyHeader } from './proxy.js'
import type { ProxyAddresses } from './proxy-header.js'
import { SocketDuplex } from './socket-duplex.js'

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

const HANDSHAKE_TIMEOUT = 60_000

/** Takes connections at one address. */
export class Listener {
  readonly #server: Server
  readonly #options: ListenOptions
  readonly #open: Set<Promise<void>>
  /** Connections that are not served yet: a handshake is under way, or a PROXY header to come. */
  readonly #handshakes: Set<SocketDuplex>
  readonly #arriving: Set<Socket>

  private constructor(options: ListenOptions) {
    this.#options = options
    this.#open = new Set()
    this.#handshakes = new Set()
    this.#arriving = new Set()
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) =>
      this.#accept(socket),
    )
  }

  /** Rejects with node:net's error where the address cannot be had (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
  static async listen(options: ListenOptions): Promise<Listener> {
    const listener = new Listener(options)
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject)
      listener.#server.listen({ host: options.host, port: options.port }, () => {
        listener.#server.off('error', reject)
        listener.#server.on('error', options.onError)
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
    await Promise.all([closed, ...this.#open])
  }

  #accept(socket: Socket): void {
    const connection = this.#serve(socket).catch((error: unknown) => {
      socket.destroy()
      this.#options.onError(error)
    })
    this.#open.add(connection)
    void connection.then(() => this.#open.delete(connection))
  }

  async #serve(socket: Socket): Promise<void> {
    const { tls, alpn, limits, tlsMode } = this.#options
    const addresses = await this.#addressesOf(socket)
    if (addresses === null) {
      socket.destroy()
      return
    }
    const leave = limits.admit(addresses.remoteAddress)
    const duplex = new SocketDuplex(socket, {
      tls,
      alpn,
      handshakeTimeoutMs: this.#options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT,
    })
    try {
      if (tlsMode === 'implicit' && !(await this.#secure(duplex, leave !== null))) return
      await this.#options.serve({
        duplex,
        ...addresses,
        admitted: leave !== null,
      })
    } finally {
      duplex.destroy()
      leave?.()
    }
  }

  /** Who is connected to whom, as a trusted proxy says where there is to be one; null for a connection to be closed. */
  async #addressesOf(socket: Socket): Promise<ProxyAddresses | null> {
    const own = {
      remoteAddress: plainAddress(socket.remoteAddress),
      remotePort: socket.remotePort ?? 0,
      localAddress: plainAddress(socket.localAddress),
      localPort: socket.localPort ?? 0,
    }
    const { proxy } = this.#options
    if (proxy == null) return own
    socket.on('error', () => undefined)
    if (!proxy.trusted.has(own.remoteAddress)) return null
    this.#arriving.add(socket)
    const told = await takeProxyHeader(socket, this.#options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT)
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
