import { reply } from '../../../interfaces/index.js'
import type { Command } from '../command.js'

const HELP = reply(214, '2.0.0', 'RFC 5321: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT')
const LMTP_HELP = reply(214, '2.0.0', 'RFC 2033: LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT')

/** RFC 5321 section 4.1.1.8: `help = "HELP" [ SP String ] CRLF` */
export const help: Command = {
  name: 'HELP',
  receive: (conversation) => conversation.say(conversation.lmtp ? LMTP_HELP : HELP),
}
