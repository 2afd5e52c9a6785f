import { describeMechanism } from '../sasl/index.js'

/** What decides what the server offers. */
export interface CapabilityFacts {
  /** The `usableMechanisms` of the host's Authenticator. */
  readonly mechanisms: readonly string[]
  /** Passwords may be sent without encryption: on loopback, for instance. */
  readonly allowPlaintext: boolean
  /** STARTTLS can be done. */
  readonly startTls: boolean
}

const ALWAYS = [
  'IMAP4rev1',
  'LITERAL+',
  'ID',
  'ENABLE',
  'IDLE',
  'NAMESPACE',
  'UIDPLUS',
  'MOVE',
  'UNSELECT',
  'CHILDREN',
] as const

/** The mechanisms that AUTHENTICATE takes now: those both sides of this library know and the encryption allows. */
export function offeredMechanisms(facts: CapabilityFacts, secure: boolean): readonly string[] {
  return facts.mechanisms.filter((name) => {
    const description = describeMechanism(name)
    return description !== undefined && (secure || facts.allowPlaintext || !description.plaintext)
  })
}

/** True where the LOGIN command works: a password can be checked, and may be sent as it is. */
export function loginAllowed(facts: CapabilityFacts, secure: boolean): boolean {
  return offeredMechanisms(facts, secure).some((name) => describeMechanism(name)?.method === 'plain')
}

/** The capabilities to tell (RFC 3501 section 7.2.1): what is useful for login only before it. */
export function capabilities(facts: CapabilityFacts, loggedIn: boolean, secure: boolean): readonly string[] {
  if (loggedIn) return ALWAYS
  const list: string[] = [...ALWAYS, 'SASL-IR']
  if (facts.startTls && !secure) list.push('STARTTLS')
  if (!loginAllowed(facts, secure)) list.push('LOGINDISABLED')
  for (const mechanism of offeredMechanisms(facts, secure)) list.push(`AUTH=${mechanism}`)
  return list
}
