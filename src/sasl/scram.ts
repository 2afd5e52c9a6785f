import { createHash, timingSafeEqual } from 'node:crypto'
import { decodeUtf8, EMPTY } from '../core/bytes.js'
import { UsageError } from '../core/errors.js'
import type { AuthResult, ScramCredentials } from '../interfaces/index.js'
import { parseGs2, parseSaslName } from './gs2.js'
import type { SaslStep, ServerMechanism } from './mechanism.js'
import { ask, challenge, failure, outcome } from './mechanism.js'
import { preparePassword } from './prepare-password.js'
import type { AuthAnswer, ScramChallenge } from './question.js'
import { hmac, xor } from './scram-crypto.js'

const MANDATORY_EXTENSION = /^m=|,m=/
/** Attributes that have their place, and are no extensions of it. */
const EXTENSIONS = '((?:,(?![anrcsipvem]=)[A-Za-z]=[^,\\0]+)*)'
const CLIENT_FIRST_BARE = new RegExp(`^n=([^,\\0]+),r=([\\x21-\\x2b\\x2d-\\x7e]+)${EXTENSIONS}$`)
const CLIENT_FINAL = new RegExp(
  `^(c=([A-Za-z0-9+/]+={0,2}),r=([\\x21-\\x2b\\x2d-\\x7e]+)${EXTENSIONS}),p=([A-Za-z0-9+/]{43}=)$`,
)
const REFUSED: AuthResult = { ok: false, failure: 'invalid' }

/** What the client's first message said, for its last one. */
interface First {
  readonly header: string
  readonly bare: string
  readonly nonce: string
  readonly credentials: ScramCredentials
}

/** Where the exchange stands, with what it takes to go on. */
type State =
  | { readonly type: 'begun' }
  /** The host is asked for keys. */
  | { readonly type: 'asked'; readonly first: First }
  | {
      readonly type: 'challenged'
      readonly first: First
      readonly serverFirst: string
      readonly challenge: ScramChallenge
    }
  /** The host is asked what it makes of the proof. */
  | { readonly type: 'proved'; readonly serverFinal: string }
  /** The client has yet to take the server's own proof. */
  | { readonly type: 'finished'; readonly result: AuthResult }

/**
 * SCRAM-SHA-256 without channel binding, RFC 5802 and RFC 7677: the password is not sent, and the server proves that it
 * has the keys to it. A message that is not of the grammar is malformed; one that is and does not fit, such as another
 * nonce, a channel binding or a wrong proof, is a failed login like any other.
 */
export class ScramSha256Server implements ServerMechanism {
  #state: State

  constructor() {
    this.#state = { type: 'begun' }
  }

  start(initial: Uint8Array | null): SaslStep {
    return initial === null ? challenge(EMPTY) : this.respond(initial)
  }

  respond(response: Uint8Array): SaslStep {
    const state = this.#state
    const text = decodeUtf8(response)
    if (text === null) return failure('malformed')
    switch (state.type) {
      case 'begun':
        return this.#receiveFirst(text)
      case 'challenged':
        return this.#receiveFinal(text, state)
      case 'finished':
        return text === '' ? outcome(state.result) : failure('malformed')
      default:
        return failure('malformed')
    }
  }

  answer(answer: AuthAnswer): SaslStep {
    const state = this.#state
    if (state.type === 'asked' && 'attempt' in answer) return this.#challenge(state.first, answer)
    if ('attempt' in answer || !answer.ok) return outcome(answer)
    if (state.type !== 'proved') throw new UsageError('ANSWER', 'nobody has logged in before the proof')
    this.#state = { type: 'finished', result: answer }
    return challenge(Buffer.from(state.serverFinal, 'latin1'))
  }

  /**
   *     client-first-message      = gs2-header client-first-message-bare
   *     client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
   */
  #receiveFirst(text: string): SaslStep {
    const gs2 = parseGs2(text)
    if (gs2 === null) return failure('malformed')
    const { header, bound, authorizationId, rest: bare } = gs2
    // No -PLUS is offered, so that no binding can be asked for, and `y` is what a client that knows of it says.
    if (bound || MANDATORY_EXTENSION.test(bare)) return outcome(REFUSED)
    const [, name = '', nonce = ''] = CLIENT_FIRST_BARE.exec(bare) ?? []
    const user = preparePassword(parseSaslName(name) ?? '')
    if (user === null) return failure('malformed')
    const credentials = { user, authorizationId }
    this.#state = { type: 'asked', first: { header, bare, nonce, credentials } }
    return ask({ type: 'scram', credentials })
  }

  /** `server-first-message = nonce "," salt "," iteration-count` */
  #challenge(first: First, answer: ScramChallenge): SaslStep {
    const { salt, iterations } = answer.attempt.keys
    const nonce = first.nonce + answer.nonce
    const serverFirst = `r=${nonce},s=${Buffer.from(salt).toString('base64')},i=${iterations}`
    this.#state = { type: 'challenged', first: { ...first, nonce }, serverFirst, challenge: answer }
    return challenge(Buffer.from(serverFirst, 'latin1'))
  }

  /**
   *     client-final-message               = client-final-message-without-proof "," proof
   *     client-final-message-without-proof = channel-binding "," nonce ["," extensions]
   */
  #receiveFinal(text: string, state: Extract<State, { readonly type: 'challenged' }>): SaslStep {
    const { first, serverFirst } = state
    const { attempt } = state.challenge
    const [, withoutProof, binding, nonce, , proof = ''] = CLIENT_FINAL.exec(text) ?? []
    if (withoutProof === undefined) {
      return MANDATORY_EXTENSION.test(text) ? outcome(REFUSED) : failure('malformed')
    }
    const { storedKey, serverKey } = attempt.keys
    const authMessage = `${first.bare},${serverFirst},${withoutProof}`
    const clientKey = xor(Buffer.from(proof, 'base64'), hmac(storedKey, authMessage))
    const proved =
      timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey) &&
      binding === Buffer.from(first.header, 'utf8').toString('base64') &&
      nonce === first.nonce
    const serverFinal = `v=${hmac(serverKey, authMessage).toString('base64')}`
    this.#state = { type: 'proved', serverFinal }
    return ask({ type: 'proof', credentials: first.credentials, attempt, proved })
  }
}
