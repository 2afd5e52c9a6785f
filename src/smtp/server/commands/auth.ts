import { reply } from '../../../interfaces/index.js'
import type { ExchangeStep } from '../../../sasl/index.js'
import { describeMechanism, ServerExchange } from '../../../sasl/index.js'
import type { Ask, Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import { AUTH_OK, badArgument, badSequence, TOO_MANY_LOGINS } from '../replies.js'

const NOT_OFFERED = reply(502, '5.5.1', 'Authentication is not offered')
const UNKNOWN_MECHANISM = reply(504, '5.5.4', 'Authentication mechanism is not offered')
const WEAK_MECHANISM = reply(534, '5.7.9', 'Authentication mechanism is too weak')
const NEEDS_ENCRYPTION = reply(
  538,
  '5.7.11',
  'Encryption required for the requested authentication mechanism',
)
const MECHANISM = /^[A-Z0-9_-]{1,20}$/
/** Registered mechanisms that RFC 6151, RFC 6331 and others have retired. */
const weakMechanisms: ReadonlySet<string> = new Set([
  'CRAM-MD5',
  'DIGEST-MD5',
  'NTLM',
  'KERBEROS_V4',
  'SKEY',
  'OTP',
])

const failures = {
  cancelled: reply(501, '5.7.0', 'Authentication cancelled'),
  base64: reply(501, '5.5.2', 'Cannot decode base64'),
  malformed: reply(501, '5.5.2', 'Authentication data is malformed'),
} as const

/** RFC 4954 section 4: `auth-command = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) [CRLF cancel-response]` */
export const auth: Command = {
  name: 'AUTH',
  receive(conversation, argument) {
    const { options, secure } = conversation
    if (options.mechanisms.length === 0) {
      conversation.say(NOT_OFFERED)
      return
    }
    if (conversation.authenticated) {
      conversation.say(badSequence('Already authenticated'))
      return
    }
    const [first = '', initialResponse = null, ...more] = argument.split(' ')
    const name = first.toUpperCase()
    if (!MECHANISM.test(name) || more.length > 0) {
      conversation.say(badArgument('Syntax: AUTH mechanism [initial-response]'))
      return
    }
    const description = describeMechanism(name)
    if (description === undefined || !options.mechanisms.includes(name)) {
      conversation.say(weakMechanisms.has(name) ? WEAK_MECHANISM : UNKNOWN_MECHANISM)
      return
    }
    if (!secure && (options.requireTls || (description.plaintext && !options.allowPlaintext))) {
      conversation.say(NEEDS_ENCRYPTION)
      return
    }
    conversation.exchange = new ServerExchange(name, description)
    step(conversation, conversation.exchange.begin(initialResponse))
  },
}

/** A line of the exchange after the first. */
export function receiveExchangeLine(conversation: Conversation, line: string): void {
  conversation.expectCommand()
  if (conversation.exchange !== null) step(conversation, conversation.exchange.respond(line))
}

/** The mechanisms that would work now, in the host's order. */
export function offeredMechanisms(conversation: Conversation): readonly string[] {
  const { options, secure, authenticated } = conversation
  if (authenticated || (options.requireTls && !secure)) return []
  if (secure || options.allowPlaintext) return options.mechanisms
  return options.mechanisms.filter((name) => describeMechanism(name)?.plaintext === false)
}

function step(conversation: Conversation, next: ExchangeStep): void {
  switch (next.type) {
    case 'challenge':
      conversation.output.text(`334 ${next.text}\r\n`)
      conversation.mode = 'exchange'
      return
    case 'credentials': {
      const mechanism = conversation.exchange?.mechanism ?? ''
      conversation.exchange = null
      conversation.ask(authAsk, { type: 'auth', mechanism, credentials: next.credentials })
      return
    }
    case 'failure':
      conversation.exchange = null
      conversation.say(failures[next.reason])
      return
    default:
      next satisfies never
  }
}

const authAsk: Ask = {
  acceptance: AUTH_OK,
  answered(conversation, answer) {
    conversation.authenticated = answer.code < 300
    if (conversation.authenticated) conversation.expectCommand()
    conversation.say(answer)
    if (answer.code >= 500 && ++conversation.failedLogins >= conversation.options.limits.failedLogins) {
      conversation.closeWith(TOO_MANY_LOGINS, 'limit')
    }
  },
}
