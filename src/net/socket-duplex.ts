import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Duplex } from '../core/duplex.js'
import type { TlsInfo, UpgradeKind } from '../core/engine.js'
import { UsageError } from '../core/errors.js'
import type { TlsServerContext } from '../tls/index.js'

/** Milliseconds a peer has to close its side after we have ended ours. */
const LINGER = 2_000

export interface SocketDuplexOptions {
  /** For `upgrade`, where the listener offers TLS. */
  readonly tls: TlsServerContext | null
  /** The protocol's ALPN name (RFC 7301); a client that offers others only is turned away. */
  readonly alpn: string | null
  /** Milliseconds a TLS handshake may take. */
  readonly handshakeTimeoutMs: number
}

interface Waiting {
  readonly resolve: (chunk: Uint8Array | null) => void
  readonly reject: (error: Error) => void
}

/** A server's TCP connection as the driver needs it. Reads only when asked to, so that the peer feels backpressure. */
export class SocketDuplex implements Duplex {
  readonly #options: SocketDuplexOptions
  readonly #closeListeners: (() => void)[]
  #socket: Socket
  #waiting: Waiting | null
  #ended: boolean
  #closed: boolean
  #tlsInfo: TlsInfo | null

  constructor(socket: Socket, options: SocketDuplexOptions) {
    this.#options = options
    this.#closeListeners = []
    this.#socket = socket
    this.#waiting = null
    this.#ended = false
    this.#closed = false
    this.#tlsInfo = null
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('close', this.#onClose)
    this.#attach()
  }

  /** What is known of the TLS layer, or null in clear. */
  get tlsInfo(): TlsInfo | null {
    return this.#tlsInfo
  }

  read(): Promise<Uint8Array | null> {
    if (this.#closed) return Promise.reject(new Error('the connection is closed'))
    const chunk = this.#socket.read() as Buffer | null
    if (chunk !== null) return Promise.resolve(chunk)
    if (this.#ended) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  write(chunks: readonly Uint8Array[]): Promise<void> | undefined {
    const socket = this.#socket
    if (this.#closed || !socket.writable) return Promise.reject(new Error('the connection is closed'))
    let room = true
    if (chunks.length === 1) {
      room = socket.write(chunks[0] as Uint8Array)
    } else {
      socket.cork()
      for (const chunk of chunks) room = socket.write(chunk)
      socket.uncork()
    }
    return room ? undefined : this.#drained()
  }

  async upgrade(kind: UpgradeKind): Promise<TlsInfo> {
    const { tls, alpn, handshakeTimeoutMs } = this.#options
    if (kind !== 'tls' || tls === null)
      throw new UsageError('UPGRADE', `this connection cannot be upgraded to ${kind}`)
    const raw = this.#socket
    this.#detach()
    const secured = new TLSSocket(raw, {
      isServer: true,
      secureContext: tls.contextFor(null),
      SNICallback: (name, done) => done(null, tls.contextFor(name)),
      ...(alpn === null
        ? {}
        : { ALPNCallback: ({ protocols }) => (protocols.includes(alpn) ? alpn : undefined) }),
    })
    secured.on('error', () => undefined)
    secured.on('close', this.#onClose)
    this.#socket = secured
    await handshake(secured, handshakeTimeoutMs)
    this.#attach()
    this.#tlsInfo = {
      version: secured.getProtocol() ?? '',
      cipher: secured.getCipher().standardName,
      serverName: serverNameOf(secured),
    }
    return this.#tlsInfo
  }

  async end(): Promise<void> {
    if (this.#closed) return
    const socket = this.#socket
    this.#detach()
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), LINGER)
      timer.unref()
      this.onClose(() => {
        clearTimeout(timer)
        resolve()
      })
      socket.once('end', () => socket.destroySoon())
      socket.end()
      // What the peer still sends is read and dropped: closing over unread octets would reset the connection, and
      // the last reply could be lost with it.
      socket.resume()
      if (this.#ended) socket.destroySoon()
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#closeListeners.push(listener)
  }

  #drained(): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.once('drain', done)
      socket.once('close', done)
    })
  }

  #attach(): void {
    this.#socket.on('readable', this.#onReadable)
    this.#socket.on('end', this.#onEnd)
  }

  #detach(): void {
    this.#socket.off('readable', this.#onReadable)
    this.#socket.off('end', this.#onEnd)
  }

  readonly #onReadable = (): void => {
    const waiting = this.#waiting
    if (waiting === null) return
    const chunk = this.#socket.read() as Buffer | null
    if (chunk === null) return
    this.#waiting = null
    waiting.resolve(chunk)
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.resolve(null)
  }

  readonly #onClose = (): void => {
    if (this.#closed) return
    this.#closed = true
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.reject(new Error('the connection is closed'))
    for (const listener of this.#closeListeners.splice(0)) listener()
  }
}

function handshake(socket: TLSSocket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => (): void => {
      clearTimeout(timer)
      socket.off('secure', secure)
      socket.off('error', failed)
      socket.off('close', closed)
      act()
    }
    let reason = 'the peer closed the connection'
    const timer = setTimeout(() => {
      reason = `not complete after ${timeoutMs} ms`
      socket.destroy()
    }, timeoutMs)
    timer.unref()
    const secure = finish(resolve)
    const closed = finish(() => reject(new Error(reason)))
    const failed = (error: Error): void => {
      reason = error.message
      socket.destroy()
    }
    socket.once('secure', secure)
    socket.once('error', failed)
    socket.once('close', closed)
  })
}

function serverNameOf(socket: TLSSocket): string | null {
  const { servername } = socket as TLSSocket & { servername?: string | false | null }
  return typeof servername === 'string' && servername !== '' ? servername : null
}
