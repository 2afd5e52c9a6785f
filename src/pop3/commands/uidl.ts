import type { Command } from '../command.js'
import { messageNumber } from '../command.js'
import { Listing } from '../listing.js'

/** RFC 1939 section 7: `UIDL [msg]`. */
export const uidl: Command = {
  name: 'UIDL',
  receive(conversation, argument) {
    const { maildrop } = conversation
    const text = (argument ?? '').trimEnd()
    if (text === '') {
      conversation.ok()
      conversation.listing = new Listing(maildrop, (each) => maildrop.uniqueId(each))
      return
    }
    const number = messageNumber(conversation, text)
    if (number !== null) conversation.ok(`${number} ${maildrop.uniqueId(number)}`)
  },
}
