import { decodeUtf8, fromLatin1 } from '../../core/index.js'
import type { Command } from '../command.js'

/** RFC 1939 section 7: `USER name`. Says yes to every name, so that nobody can ask who has mail here. */
export const user: Command = {
  name: 'USER',
  receive(conversation, argument) {
    const { mechanisms } = conversation.options
    conversation.userName = null
    const name = decodeUtf8(fromLatin1((argument ?? '').trimEnd()))
    if (!mechanisms.includes('PLAIN')) conversation.fail('USER is not available')
    else if (!conversation.takesPasswords) conversation.failPlaintext()
    else if (name === null) conversation.fail('The name is not UTF-8')
    else if (name === '') conversation.fail('USER takes a name')
    else {
      conversation.userName = name
      conversation.ok('Send PASS')
    }
  },
}
