import { reply } from '../../../interfaces/index.js'
import type { Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import { offeredMechanisms } from './auth.js'

/** RFC 5321 section 4.1.1.8: `help = "HELP" [ SP String ] CRLF`. Names what would work now, and nothing else. */
export const help: Command = {
  name: 'HELP',
  receive(conversation) {
    const text = conversation.lmtp ? 'RFC 2033' : 'RFC 5321'
    conversation.say(reply(214, '2.0.0', `${text}: ${offeredVerbs(conversation).join(' ')}`))
  },
}

function offeredVerbs(conversation: Conversation): readonly string[] {
  const { options, lmtp, secure } = conversation
  return [
    ...(lmtp ? ['LHLO'] : ['EHLO', 'HELO']),
    ...(options.startTls && !secure ? ['STARTTLS'] : []),
    ...(offeredMechanisms(conversation).length > 0 ? ['AUTH'] : []),
    ...['MAIL', 'RCPT', 'DATA'],
    ...(options.chunking ? ['BDAT'] : []),
    ...['RSET', 'NOOP', 'VRFY'],
    ...options.verbs.filter((verb) => verb !== 'VRFY'),
    ...(options.xclient ? ['XCLIENT'] : []),
    ...(options.xforward ? ['XFORWARD'] : []),
    ...['HELP', 'QUIT'],
  ]
}
