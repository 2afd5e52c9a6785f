/** What PLAIN and LOGIN carry, and USER and PASS, and LOGIN of IMAP. */
export interface PlainCredentials {
  /** The authentication identity as the client wrote it, UTF-8. */
  readonly user: string
  readonly password: string
  /** The authorization identity, empty when it is the same. */
  readonly authorizationId: string
}

/** Who SCRAM's first message says that the client is. */
export interface ScramCredentials {
  /** The authentication identity, UTF-8, prepared by SASLprep (RFC 4013). */
  readonly user: string
  /** The authorization identity, empty when it is the same. */
  readonly authorizationId: string
}

/** What OAUTHBEARER and XOAUTH2 carry. */
export interface BearerCredentials {
  /** Who the client says it is; empty where it leaves that to the token. A token of another's is to be refused. */
  readonly user: string
  /** An access token (RFC 6750). It is as secret as a password. */
  readonly token: string
  /** The server's name and port as the client has them, null where it has not said: OAUTHBEARER alone can. */
  readonly host: string | null
  readonly port: number | null
}

export interface AuthContext {
  readonly protocol: 'smtp' | 'pop3' | 'imap'
  readonly mechanism: string
  readonly remoteAddress: string
  /** The `id` of the session's context, where the protocol has one. */
  readonly session?: string
  /** The connection is encrypted. */
  readonly secure: boolean
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal
}

/**
 * `invalid`: wrong user or password, and nothing more is said; `unavailable`: cannot be checked now;
 * `throttled`: too many failures from there, try later; `disabled`: may not log in here.
 */
export type AuthFailure = 'invalid' | 'unavailable' | 'throttled' | 'disabled'

export interface AuthRefusal {
  readonly ok: false
  readonly failure: AuthFailure
}

/** Whose mail it is, or why not. */
export type AuthResult = { readonly ok: true; readonly user: string } | AuthRefusal

/** RFC 5802 section 3: what a server keeps instead of a password. */
export interface ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
  /** 32 octets, as the next. */
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** One attempt of a client to prove by SCRAM that it knows a password. */
export interface ScramAttempt {
  readonly keys: ScramKeys
  /** The server's part of the nonce, for tests: printable ASCII without a comma. Left out it is random, as it must be. */
  readonly nonce?: string
  /** Takes note of what the client's proof is worth, and says who has logged in. Not called where the client gives up. */
  finish(proved: boolean): Promise<AuthResult>
}

/** Who may log in. A mechanism is offered only where it is listed and the method it needs is there. */
export interface Authenticator {
  /** The SASL mechanisms to offer, in order of preference, for example `SCRAM-SHA-256`, `PLAIN`, `LOGIN`. */
  readonly mechanisms: readonly string[]
  /** For `PLAIN` and `LOGIN`, USER and PASS of POP3, and LOGIN of IMAP. */
  plain?(credentials: PlainCredentials, context: AuthContext): Promise<AuthResult>
  /**
   * For `SCRAM-SHA-256` (RFC 7677). For an unknown user an attempt too, with keys that look real, are the same each time
   * and that no proof matches: a refusal would tell a stranger which users there are.
   */
  scram?(credentials: ScramCredentials, context: AuthContext): Promise<ScramAttempt | AuthRefusal>
  /** For `OAUTHBEARER` (RFC 7628) and `XOAUTH2`: whose token it is. */
  bearer?(credentials: BearerCredentials, context: AuthContext): Promise<AuthResult>
}
