import { decodeUtf8, fromLatin1 } from '../../core/index.js'
import type { Command } from '../command.js'

/** RFC 1939 section 7: `PASS string`, blanks being part of the string. */
export const pass: Command = {
  name: 'PASS',
  receive(conversation, argument) {
    const user = conversation.userName
    const password = decodeUtf8(fromLatin1(argument ?? ''))
    if (user !== null && password !== null && password !== '') {
      const credentials = { user, password, authorizationId: '' }
      const question = { type: 'plain', credentials } as const
      conversation.ask('authenticate', { type: 'authenticate', mechanism: 'USER', question })
      return
    }
    conversation.userName = null
    if (user === null) conversation.fail('Send USER first')
    else conversation.fail(password === null ? 'The password is not UTF-8' : 'PASS takes a password')
  },
}
