import type { Command } from '../command.js'
import { messageNumber } from '../command.js'
import { parseNumber } from '../grammar.js'

/** RFC 1939 section 7: `TOP msg n`, the header, the empty line and n lines of the body. */
export const top: Command = {
  name: 'TOP',
  receive(conversation, argument) {
    const words = (argument ?? '').trimEnd().split(' ')
    const lines = parseNumber(words[1] ?? '')
    if (words.length !== 2 || lines === null) {
      conversation.fail('TOP takes a message number and a number of lines')
      return
    }
    const number = messageNumber(conversation, words[0] as string)
    if (number === null) return
    const uid = conversation.maildrop.uid(number)
    conversation.ask('retrieve', { type: 'retrieve', number, uid, lines })
  },
}
