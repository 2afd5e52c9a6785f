import { isAscii } from '../../../core/bytes.js'
import type { Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import { readUsualPath, USUAL_PATH } from '../../grammar/index.js'
import type { Ask, Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import type { EnvelopeDraft } from '../extensions/extension.js'
import { readMailParameters } from '../extensions/index.js'
import { SENDER_OK, TOO_MANY_MESSAGES } from '../replies.js'
import { scanPathArgument } from './path-argument.js'

const NEEDS_SMTPUTF8 = reply(550, '5.6.7', 'An internationalized address needs SMTPUTF8')

const SIZE = ' SIZE='
const BODY = ' BODY='
const EIGHT = 0x38

/** RFC 5321 section 4.1.1.2: `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF` */
export const mail: Command = {
  name: 'MAIL',
  usual: new RegExp(`^FROM:${USUAL_PATH}(?:${SIZE}\\d{1,15})?(?:${BODY}(?:7BIT|8BITMIME))?$`),
  receive(conversation, argument, usual) {
    if (conversation.messages >= conversation.options.limits.messages) {
      conversation.closeWith(TOO_MANY_MESSAGES, 'limit')
      return
    }
    const envelope = (usual ? readUsual(conversation, argument) : null) ?? read(conversation, argument)
    if ('code' in envelope) conversation.say(envelope)
    else {
      conversation.offered = envelope
      conversation.ask(mailAsk, { type: 'mail', envelope })
    }
  },
}

/**
 * What a usual argument says; null where something in it is to be refused, which is left to who can tell it. With its
 * parameters read one by one the command takes half as long again.
 */
function readUsual({ options, extended }: Conversation, argument: string): EnvelopeDraft | null {
  const end = argument.indexOf('>') + 1
  const path = readUsualPath(argument, 'FROM:'.length, end)
  if (path === null) return null
  let size: number | null = null
  let body: '7BIT' | '8BITMIME' = '7BIT'
  if (end < argument.length) {
    if (!extended) return null
    let at = end
    if (argument.startsWith(SIZE, end)) {
      const space = argument.indexOf(' ', end + SIZE.length)
      at = space === -1 ? argument.length : space
      size = Number(argument.slice(end + SIZE.length, at))
      if (size > options.maxMessageSize) return null
    }
    if (at < argument.length) {
      const { eightBitMime, binaryMime } = options.features
      if (!eightBitMime && !binaryMime) return null
      if (argument.charCodeAt(at + BODY.length) === EIGHT) {
        if (!eightBitMime) return null
        body = '8BITMIME'
      }
    }
  }
  return { reversePath: path.address, size, body, smtpUtf8: false }
}

/** What the argument says, or what is wrong with it. */
function read(conversation: Conversation, argument: string): EnvelopeDraft | Reply {
  const found = scanPathArgument(conversation, argument, 'FROM:', NEEDS_SMTPUTF8, '5.1.7')
  if ('code' in found) return found
  const reversePath = found.path.address
  const envelope: EnvelopeDraft = { reversePath, size: null, body: '7BIT', smtpUtf8: false }
  const fault = readMailParameters(found, envelope, conversation)
  if (fault !== null) return fault
  return conversation.plain || envelope.smtpUtf8 || isAscii(reversePath) ? envelope : NEEDS_SMTPUTF8
}

const mailAsk: Ask = {
  acceptance: SENDER_OK,
  answered(conversation, answer) {
    if (answer.code < 300) {
      conversation.messages++
      conversation.state = 'mail'
      conversation.envelope = conversation.offered
    }
    conversation.offered = null
    conversation.say(answer)
  },
}
