import { isAscii } from '../../../core/bytes.js'
import { reply } from '../../../interfaces/index.js'
import type { Ask, Command } from '../command.js'
import type { EnvelopeDraft } from '../extensions/extension.js'
import { readMailParameters } from '../extensions/index.js'
import { SENDER_OK, TOO_MANY_MESSAGES } from '../replies.js'
import { scanPathArgument } from './path-argument.js'

const NEEDS_SMTPUTF8 = reply(550, '5.6.7', 'An internationalized address needs SMTPUTF8')

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
    const reversePath = found.path.address
    const envelope: EnvelopeDraft = { reversePath, size: null, body: '7BIT', smtpUtf8: false }
    const fault = readMailParameters(found, envelope, conversation)
    if (fault !== null) conversation.say(fault)
    else if (!conversation.plain && !envelope.smtpUtf8 && !isAscii(reversePath))
      conversation.say(NEEDS_SMTPUTF8)
    else {
      conversation.offered = envelope
      conversation.ask(mailAsk, { type: 'mail', envelope })
    }
  },
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
