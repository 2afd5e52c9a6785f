/** What a client logs in with: a password, or an OAuth 2.0 access token. */
export type ClientCredentials =
  | {
      readonly user: string
      readonly password: string
      /** To act as another user; empty or left out for oneself. */
      readonly authorizationId?: string
    }
  | { readonly user: string; readonly accessToken: string }

/** The client's side of one exchange (RFC 4422 section 3). Made anew for each attempt. */
export interface ClientMechanism {
  /** The registered name, in capitals. */
  readonly name: string
  /** Sends the password or token itself, so it is for encrypted connections. */
  readonly plaintext: boolean
  /** The initial response; null where the server speaks first. */
  start(): Uint8Array | null
  /** The response to a challenge; null to cancel, because the server does not prove itself or makes no sense. */
  respond(challenge: Uint8Array): Uint8Array | null
  /** True when success may be believed: a mechanism that has the server prove itself waits for that. */
  readonly satisfied: boolean
}
