import { UsageError } from '../../../core/errors.js'
import type { AuthFailure, AuthResult, Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import type { AuthAnswer, ExchangeStep } from '../../../sasl/index.js'
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

/** A disabled user hears the same as a wrong password, so that nobody learns which users there are. */
const refusals: Readonly<Record<AuthFailure, Reply>> = {
  invalid: reply(535, '5.7.8', 'Authentication credentials invalid'),
  disabled: reply(535, '5.7.8', 'Authentication credentials invalid'),
  unavailable: reply(454, '4.7.0', 'Temporary authentication failure'),
  throttled: reply(421, '4.7.0', 'Too many failed logins, try again later'),
}

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
    continueExchange(conversation, conversation.exchange.begin(initialResponse))
  },
}

/** A line of the exchange after the first. */
export function receiveExchangeLine(conversation: Conversation, line: string): void {
  conversation.expectCommand()
  const { exchange } = conversation
  if (exchange !== null) continueExchange(conversation, exchange.respond(line))
}

/** The mechanisms that would work now, in the host's order. */
export function offeredMechanisms(conversation: Conversation): readonly string[] {
  const { options, secure, authenticated } = conversation
  if (authenticated || (options.requireTls && !secure)) return []
  if (secure || options.allowPlaintext) return options.mechanisms
  return options.mechanisms.filter((name) => describeMechanism(name)?.plaintext === false)
}

/** The host's answer to `authenticate`. UsageError `NO_QUESTION` where that is not what was asked. */
export function answerExchange(conversation: Conversation, answer: AuthAnswer): void {
  const { pending, exchange } = conversation
  if (pending !== authenticateAsk || exchange === null) {
    throw new UsageError('NO_QUESTION', 'no exchange waits for an answer: answer the event that came last')
  }
  const next = exchange.answer(answer)
  conversation.pending = null
  continueExchange(conversation, next)
}

function continueExchange(conversation: Conversation, next: ExchangeStep): void {
  const { exchange } = conversation
  if (exchange === null) return
  const { mechanism, user } = exchange
  switch (next.type) {
    case 'challenge':
      conversation.output.secretLine(`334 ${next.text}\r\n`, next.text === '' ? '334 ' : '334 ***')
      conversation.mode = 'exchange'
      return
    case 'question':
      conversation.ask(authenticateAsk, { type: 'authenticate', mechanism, question: next.question })
      return
    case 'outcome':
      conversation.exchange = null
      conversation.ask(loginAsk(next.result), { type: 'login', mechanism, user, result: next.result })
      return
    case 'failure':
      conversation.exchange = null
      conversation.say(failures[next.reason])
      return
    default:
      next satisfies never
  }
}

/** What the exchange asks; its usual answer is no reply, and goes to `answerExchange`. */
const authenticateAsk: Ask = {
  acceptance: reply(334, '', ''),
  answered(conversation, refusal) {
    conversation.exchange = null
    conversation.say(refusal)
  },
}

/** The end of an exchange: its usual answer is the reply to what it came to. */
function loginAsk(result: AuthResult): Ask {
  return {
    acceptance: result.ok ? AUTH_OK : refusals[result.failure],
    answered(conversation, answer) {
      conversation.authenticated = answer.code < 300
      if (conversation.authenticated) conversation.expectCommand()
      conversation.say(answer)
      const { limits } = conversation.options
      if (answer.code >= 500 && ++conversation.failedLogins >= limits.failedLogins) {
        conversation.closeWith(TOO_MANY_LOGINS, 'limit')
      }
    },
  }
}
