import { decodeUtf8, fromLatin1, isAscii } from '../../../core/bytes.js'
import { reply } from '../../../interfaces/index.js'
import type { Ask, Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import type { SmtpHostVerb } from '../options.js'
import { badArgument, NOT_IMPLEMENTED } from '../replies.js'

const CANNOT_VERIFY = reply(252, '2.5.0', 'Cannot verify the user, but send the message and it will be tried')
const NEEDS_SMTPUTF8 = reply(550, '5.6.7', 'An internationalized name needs SMTPUTF8')
const BAD_UTF8 = badArgument('The name is no valid UTF-8')

/** RFC 5321 section 4.1.1.6: `vrfy = "VRFY" SP String CRLF`. Names are told only where the host does (section 7.3). */
export const vrfy: Command = {
  name: 'VRFY',
  receive(conversation, argument) {
    if (argument === '') conversation.say(badArgument('Syntax: VRFY name'))
    else if (!conversation.options.verbs.includes('VRFY')) conversation.say(CANNOT_VERIFY)
    else askHost(conversation, 'VRFY', argument)
  },
}

/** RFC 5321 section 4.1.1.7: `expn = "EXPN" SP String CRLF` */
export const expn: Command = {
  name: 'EXPN',
  receive(conversation, argument) {
    if (!conversation.options.verbs.includes('EXPN')) conversation.say(NOT_IMPLEMENTED)
    else if (argument === '') conversation.say(badArgument('Syntax: EXPN list'))
    else askHost(conversation, 'EXPN', argument)
  },
}

/** RFC 1985 section 5; outside a transaction, as the state machine has it: `etrn = "ETRN" SP [option-character] node-name CRLF` */
export const etrn: Command = {
  name: 'ETRN',
  receive(conversation, argument) {
    if (!conversation.options.verbs.includes('ETRN')) conversation.say(NOT_IMPLEMENTED)
    else if (!/^[@#]?[\x21-\x7e]{1,255}$/.test(argument)) conversation.say(badArgument('Syntax: ETRN node'))
    else conversation.ask(etrnAsk, { type: 'query', verb: 'ETRN', argument, smtpUtf8: false })
  },
}

/** RFC 6531 section 3.7.4.2: SMTPUTF8 may stand behind the name, and then both name and reply may hold UTF-8. */
function askHost(conversation: Conversation, verb: SmtpHostVerb, argument: string): void {
  const { smtpUtf8 } = conversation.options.features
  const found = smtpUtf8 && conversation.extended ? /^(\S.*?) +SMTPUTF8$/i.exec(argument) : null
  const name = decodeUtf8(fromLatin1(found?.[1] ?? argument))
  if (name === null) conversation.say(BAD_UTF8)
  else if (found === null && !isAscii(name)) conversation.say(NEEDS_SMTPUTF8)
  else {
    const event = { type: 'query', verb, argument: name, smtpUtf8: found !== null } as const
    conversation.ask(found === null ? queryAsk : utf8QueryAsk, event)
  }
}

const queryAsk: Ask = {
  acceptance: CANNOT_VERIFY,
  answered: (conversation, answer) => conversation.say(answer),
}

const etrnAsk: Ask = {
  ...queryAsk,
  acceptance: reply(250, '2.0.0', 'Queuing for the node is started'),
}

const utf8QueryAsk: Ask = {
  acceptance: CANNOT_VERIFY,
  answered: (conversation, answer) => conversation.say(answer, true),
}
