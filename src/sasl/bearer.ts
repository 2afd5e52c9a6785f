import { decodeUtf8, EMPTY, fromLatin1 } from '../core/bytes.js'
import type { AuthResult, BearerCredentials } from '../interfaces/index.js'
import { parseGs2 } from './gs2.js'
import type { SaslStep, ServerMechanism } from './mechanism.js'
import { ask, challenge, failure, outcome } from './mechanism.js'
import type { AuthAnswer } from './question.js'

/** RFC 6750 section 2.1: `"Bearer" 1*SP b64token`; the scheme's name in any case. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i
const REFUSED: AuthResult = { ok: false, failure: 'invalid' }

/** What a first message says; without `token` where it has another kind of authorization, or none. */
type Claim = Omit<BearerCredentials, 'token'> & { readonly token: string | null }

/** The mechanisms of bearer tokens: one message, and where the token is refused a challenge that says so. */
abstract class BearerServer implements ServerMechanism {
  /** What the challenge says: JSON. */
  protected abstract readonly refusal: string

  /** Null for a message that is malformed. */
  protected abstract parse(message: string): Claim | null

  start(initial: Uint8Array | null): SaslStep {
    return initial === null ? challenge(EMPTY) : this.respond(initial)
  }

  respond(response: Uint8Array): SaslStep {
    const claim = this.parse(decodeUtf8(response) ?? '')
    if (claim === null) return failure('malformed')
    const { token } = claim
    // RFC 7628 section 4.3: without a token a client asks what it would need.
    return token === null
      ? challenge(fromLatin1(this.refusal), REFUSED)
      : ask({ type: 'bearer', credentials: { ...claim, token } })
  }

  /** Another token may do where this one is refused, and none where the server cannot tell or does not want to. */
  answer(answer: AuthAnswer): SaslStep {
    const refused =
      'ok' in answer && !answer.ok && (answer.failure === 'invalid' || answer.failure === 'disabled')
    return refused ? challenge(fromLatin1(this.refusal), answer) : outcome(answer)
  }
}

/**
 * OAUTHBEARER, RFC 7628 section 3.1.
 *
 *     client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
 *     kvpair      = key "=" value kvsep        ; kvsep = %x01
 */
export class OAuthBearerServer extends BearerServer {
  protected readonly refusal = '{"status":"invalid_token"}'

  protected parse(message: string): Claim | null {
    const gs2 = parseGs2(message)
    if (gs2 === null || gs2.bound) return null
    const values = parsePairs(gs2.rest)
    const authorization = values?.get('auth')
    const port = values?.get('port') ?? null
    if (authorization === undefined || (port !== null && !/^[1-9]\d{0,4}$/.test(port))) return null
    return {
      user: gs2.authorizationId,
      token: BEARER.exec(authorization)?.[1] ?? null,
      host: values?.get('host') ?? null,
      port: port === null ? null : Number(port),
    }
  }
}

/** XOAUTH2, which large providers had before RFC 7628: `user=name ^A auth=Bearer token ^A ^A`. */
export class XOAuth2Server extends BearerServer {
  protected readonly refusal = '{"status":"401","schemes":"bearer"}'

  protected parse(message: string): Claim | null {
    const [, user, authorization] = /^user=([^\x01\0]+)\x01auth=([^\x01\0]*)\x01\x01$/.exec(message) ?? []
    if (user === undefined || authorization === undefined) return null
    return { user, token: BEARER.exec(authorization)?.[1] ?? null, host: null, port: null }
  }
}

/** `kvsep *kvpair kvsep`; null where it is not that, or where a key comes twice. */
function parsePairs(text: string): ReadonlyMap<string, string> | null {
  if (text === '\x01\x01') return new Map()
  if (!text.startsWith('\x01') || !text.endsWith('\x01\x01')) return null
  const pairs = text.slice(1, -2).split('\x01')
  const values = new Map<string, string>()
  for (const pair of pairs) {
    const [, key, value] = /^([A-Za-z]+)=([\t\r\n\x20-\x7e]*)$/.exec(pair) ?? []
    if (key === undefined || value === undefined || values.has(key)) return null
    values.set(key, value)
  }
  return values
}
