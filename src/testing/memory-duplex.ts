import type { Duplex } from '../core/duplex.js'
import type { TlsInfo, UpgradeKind } from '../core/engine.js'
import { UsageError } from '../core/errors.js'

const HIGH_WATER_MARK = 65_536

/** A TLS layer that only exists in name: octets pass unchanged, and both ends know of it. */
const memoryTls: TlsInfo = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: null }

/**
 * One end of a connection in memory. What one end writes the other reads, in the same chunks, and a writer whose
 * peer does not read is held back as by a socket.
 */
export class MemoryDuplex implements Duplex {
  #peer: MemoryDuplex | null
  #queue: Uint8Array[]
  /** The older part of the queue, the oldest last, so that taking one costs the same however many there are. */
  #oldest: Uint8Array[]
  #queued: number
  #ended: boolean
  #finished: boolean
  #closed: boolean
  #reader: { resolve: (chunk: Uint8Array | null) => void; reject: (error: Error) => void } | null
  #drained: (() => void)[]
  #upgrading: (() => void) | null
  #listeners: (() => void)[]
  #idle: (() => void)[]

  constructor() {
    this.#peer = null
    this.#queue = []
    this.#oldest = []
    this.#queued = 0
    this.#ended = false
    this.#finished = false
    this.#closed = false
    this.#reader = null
    this.#drained = []
    this.#upgrading = null
    this.#listeners = []
    this.#idle = []
  }

  /** Two ends joined to each other. */
  static pair(): [MemoryDuplex, MemoryDuplex] {
    const a = new MemoryDuplex()
    const b = new MemoryDuplex()
    a.#peer = b
    b.#peer = a
    return [a, b]
  }

  /** The other end. */
  get peer(): MemoryDuplex {
    if (this.#peer === null) throw new UsageError('DUPLEX', 'this end has no peer: use MemoryDuplex.pair()')
    return this.#peer
  }

  /** The connection is gone. */
  get closed(): boolean {
    return this.#closed
  }

  /** Waits for TLS from the other end. */
  get upgrading(): boolean {
    return this.#upgrading !== null
  }

  read(): Promise<Uint8Array | null> {
    if (this.#oldest.length === 0 && this.#queue.length > 0) {
      this.#oldest = this.#queue.reverse()
      this.#queue = []
    }
    const chunk = this.#oldest.pop()
    if (chunk !== undefined) {
      this.#queued -= chunk.length
      if (this.#queued < HIGH_WATER_MARK) {
        for (const drained of this.#drained.splice(0)) drained()
      }
      return Promise.resolve(chunk)
    }
    if (this.#ended) return Promise.resolve(null)
    if (this.#closed) return Promise.reject(new Error('the connection is closed'))
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
      this.#settle()
    })
  }

  write(chunks: readonly Uint8Array[]): Promise<void> | undefined {
    const peer = this.#peer
    if (peer === null || this.#closed) return Promise.reject(new Error('the connection is closed'))
    for (const chunk of chunks) if (chunk.length > 0) peer.#deliver(chunk)
    if (peer.#queued < HIGH_WATER_MARK) return undefined
    return new Promise((resolve) => {
      peer.#drained.push(resolve)
    })
  }

  /**
   * Waits until both ends have asked for it. What was sent in clear and not read by then is lost, as a handshake
   * would fail on it.
   */
  async upgrade(_kind: UpgradeKind): Promise<TlsInfo> {
    const peer = this.#peer
    const other = peer === null ? null : peer.#upgrading
    if (peer !== null && other !== null) {
      peer.#upgrading = null
      peer.#discard()
      this.#discard()
      other()
      return memoryTls
    }
    await new Promise<void>((resolve) => {
      this.#upgrading = resolve
      this.#settle()
    })
    return memoryTls
  }

  async end(): Promise<void> {
    this.#finished = true
    this.#settle()
    const peer = this.#peer
    if (peer !== null && !peer.#ended) {
      peer.#ended = true
      const reader = peer.#reader
      peer.#reader = null
      reader?.resolve(null)
    }
    if (this.#ended) this.destroy()
  }

  destroy(): void {
    if (this.#closed) return
    this.#close()
    const peer = this.#peer
    if (peer !== null) {
      peer.#ended = true
      const reader = peer.#reader
      peer.#reader = null
      reader?.resolve(null)
      peer.#close()
    }
  }

  onClose(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Resolves when this end waits for octets or TLS, or is gone: whatever it was sent has been acted upon. */
  settled(): Promise<void> {
    if (this.#isSettled()) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }

  #isSettled(): boolean {
    return this.#closed || this.#finished || this.#reader !== null || this.#upgrading !== null
  }

  #settle(): void {
    if (this.#isSettled()) for (const idle of this.#idle.splice(0)) idle()
  }

  #deliver(chunk: Uint8Array): void {
    const reader = this.#reader
    if (reader !== null) {
      this.#reader = null
      reader.resolve(chunk)
      return
    }
    this.#queue.push(chunk)
    this.#queued += chunk.length
  }

  #discard(): void {
    this.#queue = []
    this.#oldest = []
    this.#queued = 0
    for (const drained of this.#drained.splice(0)) drained()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    const reader = this.#reader
    this.#reader = null
    reader?.reject(new Error('the connection is closed'))
    for (const drained of this.#drained.splice(0)) drained()
    for (const listener of this.#listeners.splice(0)) listener()
    this.#settle()
  }
}
