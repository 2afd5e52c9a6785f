import type { AuthAnswer, ExchangeStep } from '../sasl/index.js'
import { describeMechanism, ServerExchange } from '../sasl/index.js'
import type { CapabilityFacts } from './capabilities.js'
import { offeredMechanisms } from './capabilities.js'
import { parseAuthenticate } from './grammar/access.js'
import type { Cursor } from './grammar/cursor.js'
import { CommandFault, malformed } from './grammar/cursor.js'

/** A step of an exchange that has not failed. */
export type AuthenticationStep = Exclude<ExchangeStep, { readonly type: 'failure' }>

/** AUTHENTICATE with its lines (RFC 3501 section 6.2.2, RFC 4959). */
export class ServerAuthentication {
  readonly #exchange: ServerExchange
  readonly #initialResponse: string | null

  /** Throws CommandFault where the mechanism is not offered. */
  constructor(cursor: Cursor, facts: CapabilityFacts, secure: boolean) {
    const { mechanism, initialResponse } = parseAuthenticate(cursor)
    const description = describeMechanism(mechanism)
    if (description === undefined || !offeredMechanisms(facts, secure).includes(mechanism)) {
      const hidden = offeredMechanisms(facts, true).includes(mechanism)
      throw new CommandFault('NO', hidden ? 'PRIVACYREQUIRED' : 'CANNOT', 'The mechanism is not available')
    }
    this.#exchange = new ServerExchange(mechanism, description)
    this.#initialResponse = initialResponse
  }

  get mechanism(): string {
    return this.#exchange.mechanism
  }

  /** Who the client says it is. */
  get user(): string {
    return this.#exchange.user
  }

  /** Throws CommandFault, as `respond` does, where the exchange fails. */
  begin(): AuthenticationStep {
    return this.#step(this.#exchange.begin(this.#initialResponse))
  }

  /** `line` is the client's, with its CRLF. */
  respond(line: string): AuthenticationStep {
    return this.#step(this.#exchange.respond(line.endsWith('\r\n') ? line.slice(0, -2) : line))
  }

  /** The session's answer to what the exchange asks. UsageError `ANSWER` for one to another question. */
  answer(answer: AuthAnswer): AuthenticationStep {
    return this.#step(this.#exchange.answer(answer))
  }

  #step(step: ExchangeStep): AuthenticationStep {
    if (step.type === 'failure') {
      throw malformed(step.reason === 'cancelled' ? 'Cancelled' : 'Malformed response')
    }
    return step
  }
}
