import { reply } from '../../../interfaces/index.js'
import type { Command } from '../command.js'
import { badSequence, NO_ARGUMENT } from '../replies.js'

const READY = reply(220, '2.0.0', 'Ready to start TLS')
const NOT_OFFERED = reply(502, '5.5.1', 'STARTTLS is not offered')

/** RFC 3207 section 4: `STARTTLS CRLF`. What came with the command in clear is discarded and never answered. */
export const starttls: Command = {
  name: 'STARTTLS',
  receive(conversation, argument) {
    if (argument !== '') conversation.say(NO_ARGUMENT)
    else if (conversation.secure) conversation.say(badSequence('TLS is in place already'))
    else if (!conversation.options.startTls) conversation.say(NOT_OFFERED)
    else {
      conversation.say(READY)
      conversation.input.clear()
      conversation.mode = 'upgrade'
    }
  },
}
