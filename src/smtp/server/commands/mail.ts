import type { EnvelopeStart, Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import type { Parameters } from '../../grammar/index.js'
import { decodeXtext, scanMailbox, scanPath } from '../../grammar/index.js'
import type { Ask, Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import { badArgument, SENDER_OK, TOO_MANY_MESSAGES } from '../replies.js'
import { scanPathArgument } from './path-argument.js'

const TOO_LARGE = reply(552, '5.3.4', 'Message size exceeds the limit')
const NEEDS_SMTPUTF8 = reply(550, '5.6.7', 'An internationalized address needs SMTPUTF8')
/** RFC 1870 section 6: `size-value ::= 1*20DIGIT` */
const SIZE_VALUE = /^\d{1,20}$/

/** RFC 5321 section 4.1.1.2: `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF` */
export const mail: Command = {
  name: 'MAIL',
  receive(conversation, argument) {
    if (conversation.messages >= conversation.options.limits.messages) {
      conversation.closeWith(TOO_MANY_MESSAGES, 'limit')
      return
    }
    const found = scanPathArgument(conversation, argument, 'FROM:', NEEDS_SMTPUTF8, '5.1.7')
    if ('code' in found) {
      conversation.say(found)
      return
    }
    const envelope = makeEnvelope(conversation, found.mailbox?.address ?? '', found.parameters)
    if ('code' in envelope) conversation.say(envelope)
    else conversation.ask(mailAsk, { type: 'mail', envelope })
  },
}

const mailAsk: Ask = {
  acceptance: SENDER_OK,
  answered(conversation, answer) {
    if (answer.code < 300) {
      conversation.messages++
      conversation.state = 'mail'
    }
    conversation.say(answer)
  },
}

function makeEnvelope(
  conversation: Conversation,
  reversePath: string,
  parameters: Parameters,
): EnvelopeStart | Reply {
  let size: number | null = null
  let body: EnvelopeStart['body'] = '7BIT'
  for (const [keyword, value] of parameters) {
    const fault = known(conversation, keyword, value)
    if (fault !== null) return fault
    if (keyword === 'SIZE') size = Number(value)
    else if (keyword === 'BODY') body = value?.toUpperCase() === '8BITMIME' ? '8BITMIME' : '7BIT'
  }
  if (size !== null && size > conversation.options.maxMessageSize) return TOO_LARGE
  return { reversePath, size, body, smtpUtf8: false }
}

/** What is wrong with a parameter, or null. One that EHLO did not offer is unknown. */
function known({ options }: Conversation, keyword: string, value: string | null): Reply | null {
  if (keyword === 'SIZE') {
    return value !== null && SIZE_VALUE.test(value) ? null : badArgument('SIZE is a number of octets')
  }
  if (keyword === 'BODY' && options.eightBitMime) {
    return value !== null && /^(?:7BIT|8BITMIME)$/i.test(value)
      ? null
      : badArgument('BODY is 7BIT or 8BITMIME')
  }
  if (keyword === 'AUTH' && options.mechanisms.length > 0) {
    return value !== null && isAuthValue(value) ? null : badArgument('AUTH is <> or a mailbox in xtext')
  }
  return reply(555, '5.5.4', `Parameter ${keyword.slice(0, 40)} is not supported`)
}

/** RFC 4954 section 5: `AUTH=` and a mailbox in xtext or `<>`. It is taken, and trusted no more than `<>`. */
function isAuthValue(value: string): boolean {
  const text = decodeXtext(value)
  if (text === null) return false
  if (text === '<>') return true
  if (text.startsWith('<')) {
    const path = scanPath(text, 0)
    return typeof path !== 'string' && path.end === text.length
  }
  const mailbox = scanMailbox(text, 0)
  return typeof mailbox !== 'string' && mailbox.end === text.length
}
