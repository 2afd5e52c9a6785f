/**
 * Why `next()` returned null.
 *
 * - `input`: every octet received is used up; the engine waits for the peer.
 * - `answer`: the event before this one was an ask, and the host has not replied yet.
 * - `data`: the peer is ready and the host supplies octets (a client engine sending a body).
 * - `upgrade`: the go-ahead for TLS or compression is in the output; once it is written, upgrade the transport.
 * - `closed`: nothing more will happen; write what is left and close.
 */
export type Need = 'input' | 'answer' | 'data' | 'upgrade' | 'closed'

/** The transport layer that an engine in need of `upgrade` asks for. */
export type UpgradeKind = 'tls' | 'deflate'

/** What the host knows of the layer it has put under the engine. Every field is for trace and policy only. */
export interface TlsInfo {
  /** As OpenSSL names it, for example `TLSv1.3`. */
  readonly version: string
  /** As OpenSSL names it, for example `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /** The name the client asked for by SNI, or null. */
  readonly serverName: string | null
  /** At the client's side: the server's certificate was checked, and is the right one. */
  readonly peerVerified?: boolean
}

/**
 * A time limit that is running. The engine has no clock: the driver starts a wait when this object's identity
 * changes and calls `timedOut()` when it expires.
 *
 * A wait without `minRate` expires `ms` after it began, whatever trickles in: a peer that sends one octet every
 * ten seconds gains nothing. A wait with `minRate` is for a body of unknown length: it expires `ms` after the
 * last octet, or as soon as `ms` plus the time its octets would take at `minRate` have gone by since it began.
 */
export interface Wait {
  readonly kind: string
  /** Milliseconds; Infinity for no limit. */
  readonly ms: number
  /** Octets a second. */
  readonly minRate?: number
}

/**
 * A protocol engine: octets in, events out; decisions in, octets out. It owns no socket, timer or promise.
 *
 * Events are pulled with `next()`. A tell needs nothing. An ask stops the engine: `need` is `answer` until the
 * host has called the reply method that the event's documentation names.
 */
export interface Engine<E extends { readonly type: string }> {
  /** Takes the chunk, whose memory the caller must not reuse. While `need` is `upgrade` the chunk is discarded. */
  receive(chunk: Uint8Array): void
  /** The peer will send no more. What was received before is still answered. */
  receiveEnd(): void
  next(): E | null
  readonly need: Need
  /** The octets to write, in order; large bodies are views of the host's own memory. Empties the output. */
  takeOutput(): readonly Uint8Array[]
  /** Octets waiting in the output. */
  readonly outputSize: number
  /** The layer asked for by need `upgrade` is in place. Everything learnt in clear is forgotten. */
  upgraded(kind: UpgradeKind, info: TlsInfo | null): void
  /** Ends the session in the protocol's own words (421, `* BYE`, `-ERR`). Legal in any state. */
  shutdown(reason: ShutdownReason): void
  /**
   * With need `closed`: the peer has taken its leave (QUIT) and nothing that it has sent is unread, so that the connection
   * can be closed without waiting for its end. An engine may leave it out.
   */
  readonly peerHasLeft?: boolean
  /** The connection is gone; an answer that is still pending is void, and replying to it is harmless. */
  lost(): void
  readonly wait: Wait
  timedOut(): void
}

/** Why a host ends a session: it stops, it has too many sessions, it forbids this peer, or something broke inside. */
export type ShutdownReason = 'shutdown' | 'tooManyConnections' | 'forbidden' | 'internalError'
