import { asBuffer, EMPTY } from '../core/bytes.js'
import type { Authenticator, AuthResult } from '../interfaces/index.js'
import { OAuthBearerServer, XOAuth2Server } from './bearer.js'
import { LoginServer } from './login.js'
import type { MechanismDescription, SaslFailure, SaslStep, ServerMechanism } from './mechanism.js'
import { PlainServer } from './plain.js'
import type { AuthAnswer, AuthQuestion } from './question.js'
import { ScramSha256Server } from './scram.js'

/** What the server can do for each mechanism it knows, by its registered name. */
const mechanisms: ReadonlyMap<string, MechanismDescription> = new Map<string, MechanismDescription>([
  ['SCRAM-SHA-256', { plaintext: false, method: 'scram', create: () => new ScramSha256Server() }],
  ['PLAIN', { plaintext: true, method: 'plain', create: () => new PlainServer() }],
  ['LOGIN', { plaintext: true, method: 'plain', create: () => new LoginServer() }],
  ['OAUTHBEARER', { plaintext: true, method: 'bearer', create: () => new OAuthBearerServer() }],
  ['XOAUTH2', { plaintext: true, method: 'bearer', create: () => new XOAuth2Server() }],
])

/** The mechanism of that name, in capitals, or undefined where this library has none. */
export function describeMechanism(name: string): MechanismDescription | undefined {
  return mechanisms.get(name)
}

/** The mechanisms, in capitals, that the authenticator lists, has the method for, and this library knows; in its order. */
export function usableMechanisms(authenticator: Authenticator): readonly string[] {
  return authenticator.mechanisms
    .map((name) => name.toUpperCase())
    .filter((name) => {
      const description = describeMechanism(name)
      return description !== undefined && authenticator[description.method] !== undefined
    })
}

/**
 * A step of an exchange in the base64 lines that SMTP, POP3 and IMAP share: a line for the client, a question for the
 * host, what the exchange came to, or why it came to nothing.
 */
export type ExchangeStep =
  | { readonly type: 'challenge'; readonly text: string }
  | { readonly type: 'question'; readonly question: AuthQuestion }
  | { readonly type: 'outcome'; readonly result: AuthResult }
  | { readonly type: 'failure'; readonly reason: SaslFailure }

/** One authentication exchange in lines of base64 (RFC 4954 section 4, RFC 5034 section 4, RFC 3501 section 6.2.2). */
export class ServerExchange {
  readonly mechanism: string
  readonly #server: ServerMechanism
  #user: string
  #verdict: AuthResult | null

  /** `mechanism` must be one that `describeMechanism` knows. */
  constructor(mechanism: string, description: MechanismDescription) {
    this.mechanism = mechanism
    this.#server = description.create()
    this.#user = ''
    this.#verdict = null
  }

  /** Who the client says it is; empty where it has not said. */
  get user(): string {
    return this.#user
  }

  /** `initialResponse` is base64, `=` for an empty one, or null when the client sent none. */
  begin(initialResponse: string | null): ExchangeStep {
    if (initialResponse === null) return this.#step(this.#server.start(null))
    if (initialResponse === '=') return this.#step(this.#server.start(EMPTY))
    const data = initialResponse === '' ? null : decodeBase64(initialResponse)
    return data === null ? { type: 'failure', reason: 'base64' } : this.#step(this.#server.start(data))
  }

  /** `line` is the client's line without its line end. */
  respond(line: string): ExchangeStep {
    if (this.#verdict !== null) return { type: 'outcome', result: this.#verdict }
    if (line === '*') return { type: 'failure', reason: 'cancelled' }
    const data = decodeBase64(line)
    return data === null ? { type: 'failure', reason: 'base64' } : this.#step(this.#server.respond(data))
  }

  /** The host's answer to the question that the last step was. UsageError `ANSWER` for one to another question. */
  answer(answer: AuthAnswer): ExchangeStep {
    return this.#step(this.#server.answer(answer))
  }

  #step(step: SaslStep): ExchangeStep {
    if (step.type === 'question') this.#user = step.question.credentials.user
    if (step.type !== 'challenge') return step
    this.#verdict = step.verdict
    return { type: 'challenge', text: asBuffer(step.data).toString('base64') }
  }
}

/** RFC 4648 section 4, with its padding and nothing else; null for anything that is not that. */
export function decodeBase64(text: string): Buffer | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  return Buffer.from(text, 'base64')
}
