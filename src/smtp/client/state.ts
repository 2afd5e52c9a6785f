/**
 * Where a session stands: waiting for the greeting, for the reply to EHLO, for the go-ahead to TLS, for TLS itself, in
 * an exchange of AUTH, waiting for the host to send something, in a mail transaction, waiting for the reply to QUIT,
 * over.
 */
export type SmtpClientState =
  | 'greeting'
  | 'hello'
  | 'startTls'
  | 'upgrade'
  | 'auth'
  | 'ready'
  | 'transaction'
  | 'quit'
  | 'closed'

/** What comes after EHLO, first match first; `noTls`: TLS is required and not to be had. */
export function afterHello(facts: {
  readonly secure: boolean
  readonly tlsOffered: boolean
  readonly startTls: 'none' | 'opportunistic' | 'required'
  readonly login: boolean
}): 'startTls' | 'noTls' | 'auth' | 'ready' {
  const { secure, tlsOffered, startTls, login } = facts
  if (!secure && startTls !== 'none' && tlsOffered) return 'startTls'
  if (!secure && startTls === 'required') return 'noTls'
  return login ? 'auth' : 'ready'
}
