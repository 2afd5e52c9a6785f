import { isAscii } from '../../../core/bytes.js'
import type { Recipient, Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import { readUsualPath, USUAL_PATH } from '../../grammar/index.js'
import type { Ask, Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import { readRcptParameters } from '../extensions/index.js'
import { RECIPIENT_OK } from '../replies.js'
import { scanPathArgument } from './path-argument.js'

const TOO_MANY_RECIPIENTS = reply(452, '4.5.3', 'Too many recipients')
const NO_RECIPIENT = reply(501, '5.1.3', 'A recipient cannot be empty')
const NEEDS_SMTPUTF8 = reply(553, '5.6.7', 'An internationalized address needs SMTPUTF8')

/** RFC 5321 section 4.1.1.3: `rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF` */
export const rcpt: Command = {
  name: 'RCPT',
  usual: new RegExp(`^TO:${USUAL_PATH}$`),
  receive(conversation, argument, usual) {
    const path = usual ? readUsualPath(argument, 'TO:'.length, argument.length) : null
    const recipient = path?.mailbox ?? read(conversation, argument)
    if ('code' in recipient) conversation.sayRefusedRecipient(recipient)
    else if (conversation.recipients >= mostRecipients(conversation)) {
      conversation.say(TOO_MANY_RECIPIENTS)
    } else {
      conversation.ask(rcptAsk, { type: 'rcpt', recipient })
    }
  },
}

/** What the argument says, or what is wrong with it. */
function read(conversation: Conversation, argument: string): Recipient | Reply {
  const found = scanPathArgument(conversation, argument, 'TO:', NEEDS_SMTPUTF8, '5.1.3')
  if ('code' in found) return found
  const { mailbox } = found.path
  if (mailbox === null) return NO_RECIPIENT
  const recipient = { ...mailbox }
  const fault = readRcptParameters(found, recipient, conversation)
  if (fault !== null) return fault
  const plain = conversation.plain || conversation.envelope?.smtpUtf8 === true || isAscii(recipient.address)
  return plain ? recipient : NEEDS_SMTPUTF8
}

function mostRecipients({ envelope, options: { limits } }: Conversation): number {
  return envelope?.reversePath === ''
    ? Math.min(limits.recipients, limits.nullSenderRecipients)
    : limits.recipients
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
