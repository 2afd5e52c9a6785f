import type { Duplex, TlsInfo, UpgradeKind } from '../../../src/core/index.js'

/** A connection whose peer gets what is written in pieces of other sizes; `next` says how large each may be. */
export class ChoppedDuplex implements Duplex {
  readonly #inner: Duplex
  readonly #next: () => number

  constructor(inner: Duplex, next: () => number) {
    this.#inner = inner
    this.#next = next
  }

  read(): Promise<Uint8Array | null> {
    return this.#inner.read()
  }

  write(chunks: readonly Uint8Array[]): Promise<void> | undefined {
    const all = Buffer.concat(chunks)
    const pieces: Uint8Array[] = []
    for (let at = 0; at < all.length; ) {
      const size = Math.max(1, this.#next())
      pieces.push(all.subarray(at, at + size))
      at += size
    }
    return this.#inner.write(pieces)
  }

  upgrade(kind: UpgradeKind): Promise<TlsInfo | null> {
    return this.#inner.upgrade(kind)
  }

  end(): Promise<void> {
    return this.#inner.end()
  }

  destroy(): void {
    this.#inner.destroy()
  }

  onClose(listener: () => void): void {
    this.#inner.onClose(listener)
  }
}
