import type { Flags } from '../interfaces/index.js'
import type { AuthAnswer, AuthenticateEvent, LoginEvent } from '../sasl/index.js'
import type { Command, Status } from './command.js'

/**
 * What the server engine tells and asks. Every event but `appendData` and `closed` is an ask: the engine stands
 * still until the session has called the method named with it.
 */
export type ImapServerEvent =
  /** Answer with `complete`; responses before it with `respond`. For IDLE first `idling()`, then see `idleDone`. */
  | { readonly type: 'command'; readonly tag: string; readonly command: Command }
  /** AUTHENTICATE has something to ask of an Authenticator: `answerAuth(await askAuthenticator(...))`. */
  | (AuthenticateEvent & { readonly tag: string })
  /** AUTHENTICATE came to its end, and `user` is as the client wrote it: answer with `complete`. */
  | (LoginEvent & { readonly tag: string })
  /** One message of APPEND is announced: answer with `acceptAppend()`, or refuse with `complete`. */
  | {
      readonly type: 'append'
      readonly tag: string
      readonly mailbox: string
      readonly flags: Flags
      /** Milliseconds since 1970, or null for now. */
      readonly internalDate: number | null
      /** Octets of the literal. */
      readonly size: number
    }
  /** A tell: the next octets of the message. */
  | { readonly type: 'appendData'; readonly chunk: Uint8Array }
  /** The message and the command are complete: answer with `complete`. */
  | { readonly type: 'appendEnd'; readonly tag: string }
  /** A tell: the rest of APPEND is malformed, or the connection was lost within it; drop what was received. */
  | { readonly type: 'appendAbort' }
  /** The client ended IDLE: answer with `complete`. */
  | { readonly type: 'idleDone'; readonly tag: string }
  /** A tell, the last one. */
  | { readonly type: 'closed' }

/**
 * Not authenticated, authenticated, selected, logout: RFC 3501 section 3. The engine refuses a command that the
 * state does not allow; the session moves it on as commands succeed.
 */
export type ImapState = 'notAuthenticated' | 'authenticated' | 'selected' | 'logout'

/** What the session calls on the engine, beside the Engine interface. */
export interface ImapServerReplies {
  readonly state: ImapState
  /**
   * Adds to the output: whole untagged responses or parts of them, one octet a character. The session composes them
   * with the functions of `responses.ts`, which quote and encode; nothing from a client goes in raw.
   */
  respond(text: string): void
  /** Adds the octets of a literal, uncopied. */
  respondBytes(chunk: Uint8Array): void
  /** The tagged reply of the command under way. `code` is a response code without brackets, or null. */
  complete(status: Status, code: string | null, text: string): void
  /** What the Authenticator says to `authenticate`. UsageError `ANSWER` where that is not what was asked. */
  answerAuth(answer: AuthAnswer): void
  /** Takes the announced message: the continuation request goes out where the client waits for one. */
  acceptAppend(): void
  /** IDLE begins: the continuation request goes out, and untagged responses may be sent at any time. */
  idling(): void
  /**
   * The state after the command under way, to be set before `complete`. With `logout` the session ends after that
   * reply; where no command waits for one, during IDLE, it ends at once, after what is in the output.
   */
  enter(state: ImapState): void
}
