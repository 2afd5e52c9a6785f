import type { PlainCredentials } from '../interfaces/index.js'

/** Why an exchange ended without anything to check. `cancelled`: the client sent `*` (RFC 4954 section 4). */
export type SaslFailure = 'cancelled' | 'base64' | 'malformed'

/** What a mechanism wants next: send a challenge, have the credentials checked, or give up. */
export type SaslStep =
  | { readonly type: 'challenge'; readonly data: Uint8Array }
  | { readonly type: 'credentials'; readonly credentials: PlainCredentials }
  | { readonly type: 'failure'; readonly reason: SaslFailure }

/** The server's side of one exchange (RFC 4422 section 3). Made anew for each attempt. */
export interface ServerMechanism {
  /** `initial` is the client's initial response, or null when it sent none. */
  start(initial: Uint8Array | null): SaslStep
  respond(response: Uint8Array): SaslStep
}

/** A mechanism as a host sees it. */
export interface MechanismDescription {
  /** Sends the password itself, so it is refused where the connection is not encrypted. */
  readonly plaintext: boolean
  create(): ServerMechanism
}

export function challenge(data: Uint8Array): SaslStep {
  return { type: 'challenge', data }
}

export function failure(reason: SaslFailure): SaslStep {
  return { type: 'failure', reason }
}
