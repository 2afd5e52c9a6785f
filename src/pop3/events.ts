import type { TlsInfo } from '../core/index.js'
import type { AuthenticateEvent, LoginEvent } from '../sasl/index.js'

/** Why a session ended. `quit`: the client said so; `lost`: the connection is gone or half closed without QUIT. */
export type Pop3CloseReason = 'quit' | 'lost' | 'limit' | 'timeout' | 'shutdown' | 'protocol'

/**
 * What a POP3 server engine has to say. Asks stop the engine until they are answered; any ask may be answered by
 * `refuse`. Tells need nothing.
 *
 * - `authenticate` (ask): PASS or AUTH has something to ask of an Authenticator: `answerAuth(await askAuthenticator(...))`.
 * - `login` (ask): what they came to, and `user` as the client wrote it. Where `result` is a yes there is a maildrop to
 *   lock: `acceptLogin`; else `refuseLogin`.
 * - `retrieve` (ask): RETR, or TOP where `lines` is a number: `acceptMessage`, `body` (many), `endMessage`; or
 *   `breakOff` where the rest cannot be had.
 * - `update` (ask): QUIT after login: remove what is marked, let go of the lock, then `acceptUpdate`.
 * - `tls` (tell): STLS is done, and everything learnt in clear is forgotten.
 * - `busy` (tell): output has piled up; the host may write it before it goes on.
 * - `closed` (tell): the last event.
 */
export type Pop3ServerEvent =
  | AuthenticateEvent
  | LoginEvent
  | {
      readonly type: 'retrieve'
      readonly number: number
      readonly uid: number
      readonly lines: number | null
    }
  | { readonly type: 'update'; readonly uids: readonly number[] }
  | { readonly type: 'tls'; readonly info: TlsInfo | null }
  | { readonly type: 'busy' }
  | { readonly type: 'closed'; readonly reason: Pop3CloseReason }
