import type { Command } from '../command.js'
import { messageNumber } from '../command.js'
import { Listing } from '../listing.js'

/** RFC 1939 section 5: `LIST [msg]`, the size of each message in octets. */
export const list: Command = {
  name: 'LIST',
  receive(conversation, argument) {
    const { maildrop } = conversation
    const text = (argument ?? '').trimEnd()
    if (text === '') {
      conversation.ok(maildrop.summary)
      conversation.listing = new Listing(maildrop, (each) => String(maildrop.size(each)))
      return
    }
    const number = messageNumber(conversation, text)
    if (number !== null) conversation.ok(`${number} ${maildrop.size(number)}`)
  },
}
