import { asBuffer, EMPTY } from '../core/bytes.js'
import type { PlainCredentials } from '../interfaces/index.js'
import { LoginServer } from './login.js'
import type { MechanismDescription, SaslFailure, SaslStep, ServerMechanism } from './mechanism.js'
import { PlainServer } from './plain.js'

/** What the server can do for each mechanism it knows, by its registered name. */
const mechanisms: ReadonlyMap<string, MechanismDescription> = new Map([
  ['PLAIN', { plaintext: true, create: () => new PlainServer() }],
  ['LOGIN', { plaintext: true, create: () => new LoginServer() }],
])

/** The mechanism of that name, in capitals, or undefined where this library has none. */
export function describeMechanism(name: string): MechanismDescription | undefined {
  return mechanisms.get(name)
}

/** A step of an exchange in the base64 lines that SMTP, POP3 and IMAP share. */
export type ExchangeStep =
  | { readonly type: 'challenge'; readonly text: string }
  | { readonly type: 'credentials'; readonly credentials: PlainCredentials }
  | { readonly type: 'failure'; readonly reason: SaslFailure }

/** One authentication exchange in lines of base64 (RFC 4954 section 4, RFC 5034 section 4, RFC 3501 section 6.2.2). */
export class ServerExchange {
  readonly mechanism: string
  readonly #server: ServerMechanism

  /** `mechanism` must be one that `describeMechanism` knows. */
  constructor(mechanism: string, description: MechanismDescription) {
    this.mechanism = mechanism
    this.#server = description.create()
  }

  /** `initialResponse` is base64, `=` for an empty one, or null when the client sent none. */
  begin(initialResponse: string | null): ExchangeStep {
    if (initialResponse === null) return encode(this.#server.start(null))
    if (initialResponse === '=') return encode(this.#server.start(EMPTY))
    const data = initialResponse === '' ? null : decodeBase64(initialResponse)
    return data === null ? { type: 'failure', reason: 'base64' } : encode(this.#server.start(data))
  }

  /** `line` is the client's line without its line end. */
  respond(line: string): ExchangeStep {
    if (line === '*') return { type: 'failure', reason: 'cancelled' }
    const data = decodeBase64(line)
    return data === null ? { type: 'failure', reason: 'base64' } : encode(this.#server.respond(data))
  }
}

function encode(step: SaslStep): ExchangeStep {
  return step.type === 'challenge'
    ? { type: 'challenge', text: asBuffer(step.data).toString('base64') }
    : step
}

/** RFC 4648 section 4, with its padding and nothing else; null for anything that is not that. */
export function decodeBase64(text: string): Buffer | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  return Buffer.from(text, 'base64')
}
