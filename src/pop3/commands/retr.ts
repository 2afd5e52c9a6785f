import type { Command } from '../command.js'
import { messageNumber } from '../command.js'

/** RFC 1939 section 5: `RETR msg`. */
export const retr: Command = {
  name: 'RETR',
  receive(conversation, argument) {
    const number = messageNumber(conversation, (argument ?? '').trimEnd())
    if (number === null) return
    const uid = conversation.maildrop.uid(number)
    conversation.ask('retrieve', { type: 'retrieve', number, uid, lines: null })
  },
}
