import type { TlsInfo } from '../../core/engine.js'
import type { AbortReason, EnvelopeStart, Recipient, Reply } from '../../interfaces/index.js'
import type { AuthenticateEvent, LoginEvent } from '../../sasl/index.js'
import type { SmtpHostVerb } from './options.js'

/** Why a session ended. `quit`: the client said so; `lost`: the connection is gone or half closed without QUIT. */
export type SmtpCloseReason = 'quit' | 'lost' | 'refused' | 'limit' | 'timeout' | 'shutdown' | 'protocol'

/**
 * What an SMTP server engine has to say. Asks stop the engine until `accept()` or `reply()`; tells need nothing.
 *
 * - `connect` (ask): before the greeting; a refusal is said as 421 where it is a 4yz, as 554 else, and closes.
 * - `helo` (ask): HELO or EHLO. Once it is accepted an open transaction is over, which a `reset` tells.
 * - `mail`, `rcpt` (asks); `data` (ask): before 354, or before the first octet of a BDAT. A refusal ends the transaction.
 * - `body` (tell): the next octets of the message, dot-stuffing undone; a view of the chunk received where possible.
 * - `chunkEnd` (ask): a BDAT that was not the last is complete; a refusal ends the transaction.
 * - `dataEnd` (ask): the message is complete and broke no rule; the reply is final for all recipients. In LMTP
 *   `replyEach` gives each its own.
 * - `query` (ask): VRFY, EXPN or ETRN, where the options leave it to the host; the reply is the answer.
 * - `tarpit` (ask): the client makes too many errors; `accept()` after so many milliseconds.
 * - `xclient` (tell): the client speaks for another, whose attributes these are, in capitals; those it does not know are
 *   null. The session starts anew with `connect`. `xforward` (tell): the same for the log, until the next message ends.
 * - `authenticate` (ask): AUTH has something to ask of an Authenticator: `answerAuth(await askAuthenticator(...))`.
 * - `login` (ask): what AUTH came to, and `user` as the client wrote it; `accept()` says so.
 * - `tls` (tell): STARTTLS is done, and everything learnt in clear is forgotten.
 * - `busy` (tell): many commands of one flood are answered; a host may serve others before it goes on.
 * - `reset` (tell): the transaction is over without a message; `refusal` is why, where the message broke a rule of the
 *   engine's own, and what the client is told of it, unless the rest of the message breaks one that weighs more.
 * - `closed` (tell): the last event.
 */
export type SmtpServerEvent =
  | { readonly type: 'connect' }
  | { readonly type: 'helo'; readonly name: string; readonly extended: boolean }
  | { readonly type: 'mail'; readonly envelope: EnvelopeStart }
  | { readonly type: 'rcpt'; readonly recipient: Recipient }
  | { readonly type: 'data' }
  | { readonly type: 'body'; readonly chunk: Uint8Array }
  | { readonly type: 'chunkEnd'; readonly size: number }
  | { readonly type: 'dataEnd'; readonly size: number }
  | {
      readonly type: 'query'
      readonly verb: SmtpHostVerb
      readonly argument: string
      /** The client takes UTF-8 in the reply (RFC 6531 section 3.7.4.2). */
      readonly smtpUtf8: boolean
    }
  | { readonly type: 'tarpit'; readonly ms: number }
  | { readonly type: 'xclient' | 'xforward'; readonly attributes: ReadonlyMap<string, string | null> }
  | AuthenticateEvent
  | LoginEvent
  | { readonly type: 'tls'; readonly info: TlsInfo | null }
  | { readonly type: 'busy' }
  | { readonly type: 'reset'; readonly reason: AbortReason; readonly refusal: Reply | null }
  | { readonly type: 'closed'; readonly reason: SmtpCloseReason }
