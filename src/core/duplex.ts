import type { TlsInfo, UpgradeKind } from './engine.js'

/**
 * A connection as the driver needs it: a socket, or two ends in memory. One reader, one writer.
 */
export interface Duplex {
  /** The next chunk, null once the peer has ended its side. Rejects when the connection breaks. */
  read(): Promise<Uint8Array | null>
  /** Queues the chunks; undefined when the peer keeps up, else a promise that resolves when it has caught up. */
  write(chunks: readonly Uint8Array[]): Promise<void> | undefined
  /** Puts TLS or compression under the conversation. Rejects when the handshake fails. */
  upgrade(kind: UpgradeKind): Promise<TlsInfo | null>
  /** Ends this side once everything written has gone out, then closes. */
  end(): Promise<void>
  /** Closes at once; what was written may be lost. */
  destroy(): void
  /** Calls `listener` once when the connection is gone, whoever closed it. */
  onClose(listener: () => void): void
}
