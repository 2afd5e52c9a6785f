import type { Reply } from '../../interfaces/index.js'
import type { Conversation } from './conversation.js'
import type { SmtpCommandName } from './state.js'

/** One verb of the protocol. The engine has checked the sequence, TLS and AUTH before it is received. */
export interface Command {
  readonly name: SmtpCommandName
  /** What its argument is nearly always, printable ASCII without exception; for a command that is read faster then. */
  readonly usual?: RegExp
  /**
   * `argument` is the rest of the line after the verb's space, trailing blanks removed, one octet a character; `usual`
   * where it is as the pattern says.
   */
  receive(conversation: Conversation, argument: string, usual: boolean): void
}

/** A question to the host, and what follows from its answer. */
export interface Ask {
  /** What `accept()` says. */
  readonly acceptance: Reply
  /** Says the reply and moves on. */
  answered(conversation: Conversation, reply: Reply): void
  /** Says one reply for each recipient of the message, where that can be the answer (RFC 2033). */
  answeredEach?(conversation: Conversation, replies: readonly Reply[]): void
}
