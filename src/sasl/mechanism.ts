import { UsageError } from '../core/errors.js'
import type { AuthResult } from '../interfaces/index.js'
import type { AuthAnswer, AuthQuestion } from './question.js'

/** Why an exchange ended without anything to check. `cancelled`: the client sent `*` (RFC 4954 section 4). */
export type SaslFailure = 'cancelled' | 'base64' | 'malformed'

/**
 * What a mechanism wants next: send a challenge, have the host asked, or come to an end. Where a challenge has a
 * `verdict`, that is the outcome once the client has answered, whatever it says: a failure that the protocol tells in
 * a challenge is not undone by cancelling.
 */
export type SaslStep =
  | { readonly type: 'challenge'; readonly data: Uint8Array; readonly verdict: AuthResult | null }
  | { readonly type: 'question'; readonly question: AuthQuestion }
  | { readonly type: 'outcome'; readonly result: AuthResult }
  | { readonly type: 'failure'; readonly reason: SaslFailure }

/** The server's side of one exchange (RFC 4422 section 3). Made anew for each attempt. */
export interface ServerMechanism {
  /** `initial` is the client's initial response, or null when it sent none. */
  start(initial: Uint8Array | null): SaslStep
  respond(response: Uint8Array): SaslStep
  /** The host's answer to the question that the last step was. */
  answer(answer: AuthAnswer): SaslStep
}

/** A mechanism as a host sees it. */
export interface MechanismDescription {
  /** Sends the password or token itself, so it is refused where the connection is not encrypted. */
  readonly plaintext: boolean
  /** The method of the host's Authenticator that it needs. */
  readonly method: 'plain' | 'scram' | 'bearer'
  create(): ServerMechanism
}

export function challenge(data: Uint8Array, verdict: AuthResult | null = null): SaslStep {
  return { type: 'challenge', data, verdict }
}

export function ask(question: AuthQuestion): SaslStep {
  return { type: 'question', question }
}

/** The host's verdict ends the exchange. UsageError `ANSWER` where the question was no SCRAM's, and the answer is. */
export function outcome(answer: AuthAnswer): SaslStep {
  if ('attempt' in answer) throw new UsageError('ANSWER', 'that is no answer to what the exchange has asked')
  return { type: 'outcome', result: answer }
}

export function failure(reason: SaslFailure): SaslStep {
  return { type: 'failure', reason }
}
