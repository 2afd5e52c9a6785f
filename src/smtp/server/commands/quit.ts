import { reply } from '../../../interfaces/index.js'
import type { Command } from '../command.js'
import { NO_ARGUMENT } from '../replies.js'

const BYE = reply(221, '2.0.0', 'Closing connection')

/** RFC 5321 section 4.1.1.10: `quit = "QUIT" CRLF` */
export const quit: Command = {
  name: 'QUIT',
  receive(conversation, argument) {
    if (argument !== '') conversation.say(NO_ARGUMENT)
    else conversation.closeWith(BYE, 'quit')
  },
}
