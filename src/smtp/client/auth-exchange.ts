import { asBuffer } from '../../core/bytes.js'
import { PeerError, UsageError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'
import type { ClientMechanism } from '../../sasl/index.js'
import { clientMechanisms, decodeBase64 } from '../../sasl/index.js'
import type { ResolvedSmtpClientOptions } from './options.js'
import { refusal } from './refusal.js'

/** A line to send, and what a log may have of it. */
interface AuthLine {
  readonly line: string
  readonly shown: string
}

/** Mechanism unknown, or too weak for this user: another may do (RFC 4954 section 6). */
const tryAnother: ReadonlySet<number> = new Set([504, 534])
/** Octets of a command line without its CRLF (RFC 5321 section 4.5.3.1.4). */
const LONGEST_COMMAND = 510

/** Logs in with the best mechanism that both sides know (RFC 4954). */
export class AuthExchange {
  readonly #choices: ReturnType<typeof clientMechanisms>
  readonly #allowPlaintext: boolean
  readonly #turnedDown: Set<string>
  #current: ClientMechanism | null
  /** An initial response that was too long for the command: the answer to the first challenge, which is empty. */
  #initial: Uint8Array | null

  /** UsageError `CREDENTIALS` for credentials that no mechanism can carry. */
  constructor(options: ResolvedSmtpClientOptions) {
    const { credentials, mechanisms, allowPlaintext } = options
    if (credentials === null) throw new UsageError('CREDENTIALS', 'there are no credentials')
    this.#choices = clientMechanisms(credentials).filter(({ name }) => mechanisms?.includes(name) ?? true)
    this.#allowPlaintext = allowPlaintext
    this.#turnedDown = new Set()
    this.#current = null
    this.#initial = null
  }

  /** The mechanism in use; empty before `begin`. */
  get mechanism(): string {
    return this.#current?.name ?? ''
  }

  /** The AUTH command, or why there can be none. */
  begin(offered: readonly string[], secure: boolean): AuthLine | PeerError {
    const common = this.#choices.filter(({ name }) => offered.includes(name) && !this.#turnedDown.has(name))
    const choice = common.find(({ plaintext }) => secure || this.#allowPlaintext || !plaintext)
    if (choice === undefined) {
      if (common.length > 0) {
        return new PeerError(
          'AUTH_INSECURE',
          'the peer offers only mechanisms that would send the password in clear',
        )
      }
      const list = offered.length === 0 ? 'none' : offered.join(' ')
      return new PeerError('AUTH_UNAVAILABLE', `the peer offers no mechanism that could be used: ${list}`)
    }
    this.#current = choice.create()
    const initial = this.#current.start()
    const line = `AUTH ${choice.name}`
    if (initial === null) return { line, shown: line }
    const command = `${line} ${initial.length === 0 ? '=' : base64(initial)}`
    if (command.length <= LONGEST_COMMAND) return { line: command, shown: `${line} ***` }
    this.#initial = initial
    return { line, shown: line }
  }

  #respond(current: ClientMechanism, challenge: Buffer): Uint8Array | null {
    const initial = this.#initial
    if (initial === null) return current.respond(challenge)
    this.#initial = null
    return challenge.length === 0 ? initial : null
  }

  /** What follows from the peer's reply; `again`: another mechanism may do. */
  replied(said: Reply): AuthLine | 'done' | 'again' | PeerError {
    const current = this.#current
    if (current === null) return new PeerError('OUT_OF_TURN', 'nobody logs in')
    if (said.code === 334) {
      const challenge = decodeBase64(said.lines[0] ?? '')
      const response = challenge === null ? null : this.#respond(current, challenge)
      if (response !== null) return { line: base64(response), shown: '***' }
      return new PeerError('AUTH_FAILED', `the peer does not keep to ${current.name}`)
    }
    if (said.code === 235) {
      return current.satisfied
        ? 'done'
        : new PeerError('AUTH_FAILED', 'the peer did not prove that it knows the password')
    }
    if (tryAnother.has(said.code)) {
      this.#turnedDown.add(current.name)
      return 'again'
    }
    if (said.code < 400) return new PeerError('OUT_OF_TURN', `${said.code} is no reply to AUTH`)
    return refusal('the peer refuses the login', said)
  }
}

function base64(octets: Uint8Array): string {
  return asBuffer(octets).toString('base64')
}
