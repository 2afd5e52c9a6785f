import type { Command } from '../command.js'
import { NO_ARGUMENT, OK } from '../replies.js'

/** RFC 5321 section 4.1.1.5: `rset = "RSET" CRLF` */
export const rset: Command = {
  name: 'RSET',
  receive(conversation, argument) {
    if (argument !== '') {
      conversation.say(NO_ARGUMENT)
      return
    }
    conversation.endTransaction('reset')
    conversation.say(OK)
  },
}
