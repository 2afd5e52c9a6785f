import { decodeUtf8, fromLatin1 } from '../../core/index.js'
import type { Command } from '../command.js'

/** RFC 1939 section 7: `PASS string`, blanks being part of the string. */
export const pass: Command = {
  name: 'PASS',
  receive(conversation, argument) {
    const user = conversation.userName
    conversation.userName = null
    const password = decodeUtf8(fromLatin1(argument ?? ''))
    if (user === null) conversation.fail('Send USER first')
    else if (password === null) conversation.fail('The password is not UTF-8')
    else if (password === '') conversation.fail('PASS takes a password')
    else {
      const credentials = { user, password, authorizationId: '' }
      conversation.ask('login', { type: 'login', mechanism: 'USER', credentials })
    }
  },
}
