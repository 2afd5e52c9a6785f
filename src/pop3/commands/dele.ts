import type { Command } from '../command.js'
import { messageNumber } from '../command.js'

/** RFC 1939 section 5: `DELE msg`. The message is only marked; QUIT removes it. */
export const dele: Command = {
  name: 'DELE',
  receive(conversation, argument) {
    const number = messageNumber(conversation, (argument ?? '').trimEnd())
    if (number === null) return
    conversation.maildrop.delete(number)
    conversation.ok(`Message ${number} deleted`)
  },
}
