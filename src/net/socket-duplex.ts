import { Socket } from 'node:net'
import type { Duplex as Stream } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Duplex, Taken } from '../core/duplex.js'
import type { TlsInfo, UpgradeKind } from '../core/engine.js'
import { UsageError } from '../core/errors.js'
import type { TlsServerContext } from '../tls/index.js'

/** Milliseconds a peer has to close its side after we have ended ours. */
const LINGER = 2_000

/** A copy of so little costs less than a write of several pieces. */
const JOINED_OCTETS = 16_384
const JOINED_CHUNKS = 64

const ignore = (): void => undefined
const NOBODY: readonly (() => void)[] = []

export interface SocketDuplexOptions {
  /** For `upgrade`, where the listener offers TLS. */
  readonly tls: TlsServerContext | null
  /** The protocol's ALPN name (RFC 7301); a client that offers others only is turned away. */
  readonly alpn: string | null
  /** Milliseconds a TLS handshake may take. */
  readonly handshakeTimeoutMs: number
  /** For `upgrade` at the client's side of a connection, in place of `tls`. */
  readonly client?: ClientHandshake | null
  /** Of TLS that is in place already. */
  readonly tlsInfo?: TlsInfo | null
}

/** The client's side of TLS. */
export interface ClientHandshake {
  begin(socket: Socket): TLSSocket
  /** Looks at the peer once the handshake is complete: true where it is proved to be the right one. What it throws ends the connection. */
  check(socket: TLSSocket): Promise<boolean>
}

/** A TCP connection, or another stream, as the driver needs it, of either side. Reads only when asked to, so that the peer feels backpressure. */
export class SocketDuplex implements Duplex {
  readonly #options: SocketDuplexOptions
  #closeListeners: readonly (() => void)[]
  #socket: Stream
  #take: ((taken: Taken) => void) | null
  #early: Buffer | null
  #ended: boolean
  #closed: boolean
  #tlsInfo: TlsInfo | null

  constructor(socket: Stream, options: SocketDuplexOptions) {
    this.#options = options
    this.#closeListeners = NOBODY
    this.#socket = socket
    this.#take = null
    this.#early = null
    this.#ended = false
    this.#closed = false
    this.#tlsInfo = options.tlsInfo ?? null
    if (socket instanceof Socket) socket.setNoDelay(true)
    socket.on('error', ignore)
    socket.on('close', this.#onClose)
    this.#attach()
  }

  /** What is known of the TLS layer, or null in clear. */
  get tlsInfo(): TlsInfo | null {
    return this.#tlsInfo
  }

  read(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.pull((taken) => (taken instanceof Error ? reject(taken) : resolve(taken)))
    })
  }

  pull(take: (taken: Taken) => void): void {
    const chunk = this.#early
    if (chunk !== null) {
      this.#early = null
      take(chunk)
    } else if (this.#closed) take(new Error('the connection is closed'))
    else if (this.#ended) take(null)
    else {
      this.#take = take
      if (this.#socket.isPaused()) this.#socket.resume()
    }
  }

  write(chunks: readonly Uint8Array[]): Promise<void> | undefined {
    const socket = this.#socket
    if (this.#closed || !socket.writable) return Promise.reject(new Error('the connection is closed'))
    let room = true
    if (chunks.length === 1) {
      room = socket.write(chunks[0] as Uint8Array)
    } else if (chunks.length <= JOINED_CHUNKS && sizeOf(chunks) <= JOINED_OCTETS) {
      room = socket.write(Buffer.concat(chunks))
    } else {
      socket.cork()
      for (const chunk of chunks) room = socket.write(chunk)
      socket.uncork()
    }
    return room ? undefined : this.#drained()
  }

  async upgrade(kind: UpgradeKind): Promise<TlsInfo> {
    const { tls, client = null, handshakeTimeoutMs } = this.#options
    if (kind !== 'tls' || (tls === null && client === null))
      throw new UsageError('UPGRADE', `this connection cannot be upgraded to ${kind}`)
    const raw = this.#socket
    this.#detach()
    raw.pause()
    if (this.#early !== null) raw.unshift(this.#early)
    this.#early = null
    const secured = client?.begin(raw as Socket) ?? this.#serve(raw, tls as TlsServerContext)
    secured.on('error', ignore)
    secured.on('close', this.#onClose)
    this.#socket = secured
    await handshake(secured, handshakeTimeoutMs)
    const peerVerified = await client?.check(secured)
    this.#attach()
    this.#tlsInfo = { ...tlsInfoOf(secured), ...(peerVerified === undefined ? {} : { peerVerified }) }
    return this.#tlsInfo
  }

  async end(peerHasLeft = false): Promise<void> {
    if (this.#closed) return
    const socket = this.#socket
    this.#detach()
    // The system sends what was written. TLS has something of its own to say yet.
    const plain = socket instanceof Socket && this.#tlsInfo === null
    if (plain && peerHasLeft && this.#early === null && socket.writableLength === 0) {
      socket.destroy()
      return
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), LINGER)
      timer.unref()
      this.onClose(() => {
        clearTimeout(timer)
        resolve()
      })
      socket.once('end', () => destroySoon(socket))
      socket.end()
      // What the peer still sends is read and dropped: closing over unread octets would reset the connection, and
      // the last reply could be lost with it.
      socket.resume()
      if (this.#ended) destroySoon(socket)
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  onClose(listener: () => void): void {
    if (this.#closed) listener()
    else this.#closeListeners = this.#closeListeners.concat(listener)
  }

  #serve(raw: Stream, tls: TlsServerContext): TLSSocket {
    const { alpn } = this.#options
    return new TLSSocket(raw, {
      isServer: true,
      secureContext: tls.contextFor(null),
      SNICallback: (name, done) => done(null, tls.contextFor(name)),
      ...(alpn === null
        ? {}
        : { ALPNCallback: ({ protocols }) => (protocols.includes(alpn) ? alpn : undefined) }),
    })
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
    this.#socket.on('data', this.#onData)
    this.#socket.on('end', this.#onEnd)
    this.#socket.resume()
  }

  #detach(): void {
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
  }

  /** A socket that flows costs less than one that is asked. One chunk may come before it is asked for. */
  readonly #onData = (chunk: Buffer): void => {
    const take = this.#take
    if (take === null) {
      this.#socket.pause()
      this.#early = this.#early === null ? chunk : Buffer.concat([this.#early, chunk])
      return
    }
    this.#take = null
    take(chunk)
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    const take = this.#take
    this.#take = null
    take?.(null)
  }

  readonly #onClose = (): void => {
    if (this.#closed) return
    this.#closed = true
    const take = this.#take
    this.#take = null
    take?.(new Error('the connection is closed'))
    const listeners = this.#closeListeners
    this.#closeListeners = NOBODY
    for (const listener of listeners) listener()
  }
}

/** What a handshake that is complete has come to. */
export function tlsInfoOf(socket: TLSSocket): TlsInfo {
  return {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().standardName,
    serverName: serverNameOf(socket),
  }
}

/** Once what was written has gone out. */
function destroySoon(stream: Stream): void {
  if (stream.writableFinished) stream.destroy()
  else stream.once('finish', () => stream.destroy())
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  let size = 0
  for (const chunk of chunks) size += chunk.length
  return size
}

function handshake(socket: TLSSocket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => (): void => {
      clearTimeout(timer)
      socket.off('secure', secure)
      socket.off('error', failed)
      socket.off('end', ended)
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
    // A socket that may be half open outlives the end of its peer.
    const ended = (): void => {
      socket.destroy()
    }
    socket.once('secure', secure)
    socket.once('end', ended)
    socket.once('error', failed)
    socket.once('close', closed)
  })
}

function serverNameOf(socket: TLSSocket): string | null {
  const { servername } = socket as TLSSocket & { servername?: string | false | null }
  return typeof servername === 'string' && servername !== '' ? servername : null
}
