/** What PLAIN and LOGIN carry, and USER and PASS, and LOGIN of IMAP. */
export interface PlainCredentials {
  /** The authentication identity as the client wrote it, UTF-8. */
  readonly user: string
  readonly password: string
  /** The authorization identity, empty when it is the same. */
  readonly authorizationId: string
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

/** Whose mail it is, or why not. */
export type AuthResult =
  | { readonly ok: true; readonly user: string }
  | { readonly ok: false; readonly failure: AuthFailure }

/** RFC 5802 section 3: what a server keeps instead of a password. */
export interface ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** Who may log in. A mechanism is offered only where the method it needs is there. */
export interface Authenticator {
  /** The SASL mechanisms to offer, in order of preference, for example `PLAIN`, `LOGIN`. */
  readonly mechanisms: readonly string[]
  plain?(credentials: PlainCredentials, context: AuthContext): Promise<AuthResult>
  /** Keys for `SCRAM-SHA-256`; for an unknown user keys that look real and never match. */
  scram?(user: string, mechanism: string, context: AuthContext): Promise<ScramKeys>
}
