import type { TlsInfo } from '../core/engine.js'
import type { Reply } from './reply.js'

/** What a delivery can do, known before a session begins, since the EHLO keywords follow from it. */
export interface DeliveryFeatures {
  /** Octets of the largest message it takes; told by SIZE (RFC 1870). */
  readonly maxMessageSize: number
  /** Takes messages with octets above 127 (RFC 6152). */
  readonly eightBitMime: boolean
  /** Takes internationalized addresses and headers (RFC 6531). */
  readonly smtpUtf8: boolean
}

/** Who is at the other end and how the session came about. */
export interface SessionContext {
  /** Unique to the session; goes into the log and into Received. */
  readonly id: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  /** The argument of HELO, EHLO or LHLO; empty before it. */
  readonly helo: string
  /** RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, ESMTPSA, LMTP ... */
  readonly transmission: string
  readonly tls: TlsInfo | null
  /** The authenticated user, or null. */
  readonly user: string | null
  /** What the listener is for. */
  readonly service: 'smtp' | 'submission' | 'lmtp'
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal
}

/** RFC 5321 section 2.3.1, with what the parameters of MAIL said. */
export interface EnvelopeStart {
  /** Without angle brackets; empty for the null reverse-path. */
  readonly reversePath: string
  /** SIZE=, octets; null when not given. */
  readonly size: number | null
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME'
  readonly smtpUtf8: boolean
}

export interface Recipient {
  /** The forward-path's mailbox without angle brackets and source route, for example `alice@example.test`. */
  readonly address: string
  /** The local-part with its quoting removed. */
  readonly localPart: string
  /** Lower case; empty only for `<Postmaster>`. An address literal keeps its brackets. */
  readonly domain: string
}

/** Where the library's SMTP session puts messages. */
export interface Delivery {
  readonly features: DeliveryFeatures
  /** MAIL: takes the reverse-path, or refuses it with the Reply. */
  begin(envelope: EnvelopeStart, context: SessionContext): Promise<Transaction | Reply>
}

/** One mail transaction. Called in this order: recipient (many), ready, write (many), commit; abort at any point before commit. */
export interface Transaction {
  /** RCPT: takes the recipient (void), or refuses it with the Reply. */
  recipient(recipient: Recipient): Promise<Reply | undefined>
  /** Before 354: a last chance to refuse, with the Reply. */
  ready(): Promise<Reply | undefined>
  /** The next octets of the message, dot-stuffing undone. A promise slows the sender down. */
  write(chunk: Uint8Array): void | Promise<void>
  /**
   * The message is complete: resolves when it is kept so that power loss cannot undo it. `received` is the trace
   * field to stand before it (RFC 5321 section 4.4), with its CRLF. Either one reply for all, or one for each
   * recipient that was taken, in order.
   */
  commit(received: Uint8Array): Promise<CommitResult>
  /** The transaction will not be finished. Never called after `commit`. */
  abort(reason: AbortReason): Promise<void>
}

export type CommitResult = { readonly reply: Reply } | { readonly recipients: readonly Reply[] }

/** RSET or QUIT or EHLO; the connection is gone; the message broke a rule of the session; the server stops. */
export type AbortReason = 'reset' | 'lost' | 'refused' | 'shutdown'
