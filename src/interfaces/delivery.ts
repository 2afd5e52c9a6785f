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
  /** Takes messages that are no lines, with bare CR, bare LF and NUL (BINARYMIME, RFC 3030). */
  readonly binaryMime?: boolean
  /** Acts on RET, ENVID, NOTIFY and ORCPT (RFC 3461). */
  readonly dsn?: boolean
  /** Hands a message on only where TLS and its peer's name are sure, if the envelope asks for it (RFC 8689). */
  readonly requireTls?: boolean
  /** Holds to a time of delivery (RFC 2852); `minimumSeconds` is the shortest it can promise, 0 for any. */
  readonly deliverBy?: { readonly minimumSeconds: number }
  /** Keeps submitted messages back for up to so many seconds (RFC 4865). */
  readonly futureRelease?: { readonly maximumSeconds: number }
  /** Sorts by priority (RFC 6710); `profile` is the registered name of the assignment policy, or empty. */
  readonly mtPriority?: { readonly profile: string }
  /** Knows since when a recipient's mailbox has belonged to whom it does (RFC 7293). */
  readonly rrvs?: boolean
  /**
   * Solicitation class keywords of messages that are not wanted (RFC 3865): they are refused at MAIL, or after the message
   * by its Solicitation field. An empty list offers the extension too.
   */
  readonly noSoliciting?: readonly string[]
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
  /** The client's host name as a trusted proxy told it by XCLIENT; null or absent where none did. */
  readonly clientName?: string | null
  /** What a trusted proxy told of the client it forwards for by XFORWARD, by attribute in capitals. For the log. */
  readonly forwarded?: Readonly<Record<string, string>>
  /** Aborted when the connection is gone. A copy made by `{ ...context }` does not hold it. */
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
  /** RET= (RFC 3461 section 4.3): what of the message a failure notice brings back. */
  readonly ret?: 'FULL' | 'HDRS'
  /** ENVID= (RFC 3461 section 4.4), decoded: printable ASCII. */
  readonly envelopeId?: string
  /**
   * AUTH= (RFC 4954 section 5), decoded: the mailbox that has submitted the message, or empty where that is not known, and
   * where nobody is logged in or the login may not speak for it. To be relayed only to those whom that tells something.
   */
  readonly auth?: string
  /** REQUIRETLS (RFC 8689). */
  readonly requireTls?: boolean
  /** BY= (RFC 2852). `return` gives up after the time, `notify` tells of the delay; `trace` wants each relay told of. */
  readonly deliverBy?: {
    readonly seconds: number
    readonly mode: 'return' | 'notify'
    readonly trace: boolean
  }
  /** HOLDFOR= or HOLDUNTIL= (RFC 4865): seconds from now, or milliseconds since 1970. */
  readonly hold?: { readonly seconds: number } | { readonly until: number }
  /** MT-PRIORITY= (RFC 6710), -9 to 9. */
  readonly priority?: number
  /** SOLICIT= (RFC 3865): solicitation class keywords. */
  readonly solicitation?: readonly string[]
}

/** NOTIFY= (RFC 3461 section 4.1). `NEVER` stands alone. */
export type Notify = 'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY'

export interface Recipient {
  /** The forward-path's mailbox without angle brackets and source route, for example `alice@example.test`. */
  readonly address: string
  /** The local-part with its quoting removed. */
  readonly localPart: string
  /** Lower case; empty only for `<Postmaster>`. An address literal keeps its brackets. */
  readonly domain: string
  readonly notify?: readonly Notify[]
  /** ORCPT= (RFC 3461 section 4.2, RFC 6533 section 3), decoded, for example `rfc822;alice@example.test`. */
  readonly originalRecipient?: string
  /** RRVS= (RFC 7293): the mailbox must not have changed hands since, milliseconds since 1970; `continue` only wants to be told. */
  readonly validSince?: { readonly since: number; readonly otherwise: 'reject' | 'continue' }
}

/** Where the library's SMTP session puts messages. */
export interface Delivery {
  readonly features: DeliveryFeatures
  /** MAIL: takes the reverse-path, or refuses it with the Reply. */
  begin(envelope: EnvelopeStart, context: SessionContext): Promise<Transaction | Reply>
  /**
   * Whether that user may send from the address. Where it is there, a submission session asks it for each reverse-path but
   * the null one.
   */
  owns?(sender: Recipient, user: string): Promise<boolean>
  /** VRFY (RFC 5321 section 3.5): 250 with the mailbox, 252, 550, 551 or 553. Without it every VRFY gets 252. */
  verify?(name: string, context: SessionContext): Promise<Reply>
  /** EXPN: 250 with a mailbox a line, or a refusal. Offered only where it is there. */
  expand?(list: string, context: SessionContext): Promise<Reply>
  /**
   * ETRN (RFC 1985): starts the queue for a host name, `@` and a domain, or `#` and a queue's name: 250 to 253, 458, 459.
   * Not on submission (RFC 6409 section 7).
   */
  startQueue?(node: string, context: SessionContext): Promise<Reply>
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
   * recipient that was taken, in order. `tags` where the features name one of the extensions that it is of.
   */
  commit(received: Uint8Array, tags?: MessageTags): Promise<CommitResult>
  /** The transaction will not be finished. Never called after `commit`. */
  abort(reason: AbortReason): Promise<void>
}

/** What a message asks of those who carry it, by its header too. */
export interface MessageTags {
  /** `TLS-Required: No` (RFC 8689 section 3), and no REQUIRETLS: deliver it, whatever the recipient's policy is on TLS. */
  readonly tlsOptional: boolean
  /** Solicitation class keywords, of SOLICIT= or else of the Solicitation field (RFC 3865 section 2.7). */
  readonly solicitation: readonly string[]
  /** Require-Recipient-Valid-Since of recipients that have no RRVS= (RFC 7293): milliseconds since 1970. */
  readonly validSince: readonly { readonly address: string; readonly since: number }[]
}

export type CommitResult = { readonly reply: Reply } | { readonly recipients: readonly Reply[] }

/** RSET or QUIT or EHLO; the connection is gone; the message broke a rule of the session; the server stops. */
export type AbortReason = 'reset' | 'lost' | 'refused' | 'shutdown'
