import type { TlsInfo, UpgradeKind } from './engine.js'

/** A chunk, null once the peer has ended its side, or why the connection is broken. */
export type Taken = Uint8Array | null | Error

/**
 * A connection as the driver needs it: a socket, or two ends in memory. One reader, one writer.
 */
export interface Duplex {
  /** The next chunk, null once the peer has ended its side. Rejects when the connection breaks. */
  read(): Promise<Uint8Array | null>
  /**
   * As `read`, but calls `take` once: at once where there is something already. A duplex may leave it out; it is there
   * because a promise for each chunk costs a connection more than a function it keeps.
   */
  pull?(take: (taken: Taken) => void): void
  /** Queues the chunks; undefined when the peer keeps up, else a promise that resolves when it has caught up. */
  write(chunks: readonly Uint8Array[]): Promise<void> | undefined
  /** Puts TLS or compression under the conversation. Rejects when the handshake fails. */
  upgrade(kind: UpgradeKind): Promise<TlsInfo | null>
  /**
   * Ends this side once everything written has gone out, then closes: at once where nothing is to come from the peer,
   * else when it has ended its side too, since to close over unread octets could take the last reply with it.
   */
  end(peerHasLeft?: boolean): Promise<void>
  /** Closes at once; what was written may be lost. */
  destroy(): void
  /** Calls `listener` once when the connection is gone, whoever closed it. */
  onClose(listener: () => void): void
}

/** As `Duplex.pull`, of any duplex. */
export function pull(duplex: Duplex, take: (taken: Taken) => void): void {
  if (duplex.pull === undefined) duplex.read().then(take, take)
  else duplex.pull(take)
}
