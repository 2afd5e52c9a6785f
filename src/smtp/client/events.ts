import type { TlsInfo } from '../../core/engine.js'
import type { PeerError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'
import type { SmtpExtensions } from './extensions.js'

/**
 * Where in a transaction a recipient's outcome was decided; `local`: the peer was not asked, or the session was over
 * before it got to the message.
 */
export type SmtpStage = 'local' | 'mail' | 'rcpt' | 'data' | 'message'

/** What became of a message for one recipient. */
export interface RecipientOutcome {
  readonly address: string
  /** The peer has taken responsibility for it. */
  readonly accepted: boolean
  /** The peer's words, or ours where it said nothing: a code from 400 to 499 means to try again. */
  readonly reply: Reply
  readonly stage: SmtpStage
}

/** What became of a message. */
export interface MessageOutcome {
  /** One for each recipient of the envelope, in its order. */
  readonly recipients: readonly RecipientOutcome[]
  /** The connection broke after the end of the message: the peer may have it, and another try may make two of it. */
  readonly inDoubt: boolean
  /** What ended the session before the transaction was over; null where nothing did, or the host. */
  readonly error: PeerError | null
  /** What the peer offered: without `dsn`, nothing of what was asked for by DSN was passed on. */
  readonly extensions: SmtpExtensions
}

/**
 * Why a session is over: we said QUIT; the host stopped it; the peer refused to serve (its reply tells) or said 421;
 * it broke the protocol; what was required is not to be had (TLS, a mechanism); it was too slow; the connection broke.
 */
export type SmtpClientCloseReason =
  | 'quit'
  | 'shutdown'
  | 'refused'
  | 'protocol'
  | 'policy'
  | 'timeout'
  | 'lost'

/**
 * All events are tells.
 *
 * - `greeting`, `hello`: what the server says; `hello` comes again after TLS.
 * - `tls`, `authenticated`: where the session has got to.
 * - `ready`: `send` may be called; later each `message` says so again unless `closed` follows.
 * - `body`: need is `data`: call `write` until it is not, or `end`. Comes again when the peer has caught up.
 * - `sent`: the message is out whole, and its outcome due; `send` may be called for the next one, whose commands then go
 *   out in the same group (RFC 2920 section 3.1). Only where the peer takes that.
 * - `message`: the transaction is over, and how; those of two messages come in the order of `send`.
 * - `closed`: the last event. `error` says what went wrong; null after QUIT and after a shutdown.
 */
export type SmtpClientEvent =
  | { readonly type: 'greeting'; readonly reply: Reply }
  | { readonly type: 'hello'; readonly extensions: SmtpExtensions }
  | { readonly type: 'tls'; readonly info: TlsInfo | null }
  | { readonly type: 'authenticated'; readonly mechanism: string }
  | { readonly type: 'ready' }
  | { readonly type: 'body' }
  | { readonly type: 'sent' }
  | { readonly type: 'message'; readonly outcome: MessageOutcome }
  | { readonly type: 'closed'; readonly reason: SmtpClientCloseReason; readonly error: PeerError | null }
