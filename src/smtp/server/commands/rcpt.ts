import { isAscii } from '../../../core/bytes.js'
import { reply } from '../../../interfaces/index.js'
import type { Ask, Command } from '../command.js'
import { readRcptParameters } from '../extensions/index.js'
import { RECIPIENT_OK } from '../replies.js'
import { scanPathArgument } from './path-argument.js'

const TOO_MANY_RECIPIENTS = reply(452, '4.5.3', 'Too many recipients')
const NO_RECIPIENT = reply(501, '5.1.3', 'A recipient cannot be empty')
const NEEDS_SMTPUTF8 = reply(553, '5.6.7', 'An internationalized address needs SMTPUTF8')

/** RFC 5321 section 4.1.1.3: `rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF` */
export const rcpt: Command = {
  name: 'RCPT',
  receive(conversation, argument) {
    const found = scanPathArgument(conversation, argument, 'TO:', NEEDS_SMTPUTF8, '5.1.3')
    if ('code' in found) {
      conversation.sayRefusedRecipient(found)
      return
    }
    const { path, text, end } = found
    const { mailbox } = path
    if (mailbox === null) {
      conversation.sayRefusedRecipient(NO_RECIPIENT)
      return
    }
    const recipient = end === text.length ? mailbox : { ...mailbox }
    const fault = readRcptParameters(found, recipient, conversation)
    if (fault !== null) {
      conversation.sayRefusedRecipient(fault)
    } else if (
      !conversation.plain &&
      conversation.envelope?.smtpUtf8 !== true &&
      !isAscii(recipient.address)
    ) {
      conversation.sayRefusedRecipient(NEEDS_SMTPUTF8)
    } else if (conversation.recipients >= conversation.options.limits.recipients) {
      conversation.say(TOO_MANY_RECIPIENTS)
    } else {
      conversation.ask(rcptAsk, { type: 'rcpt', recipient })
    }
  },
}

const rcptAsk: Ask = {
  acceptance: RECIPIENT_OK,
  answered(conversation, answer) {
    if (answer.code >= 300) {
      conversation.sayRefusedRecipient(answer)
      return
    }
    conversation.state = 'rcpt'
    conversation.recipients++
    conversation.say(answer)
  },
}
