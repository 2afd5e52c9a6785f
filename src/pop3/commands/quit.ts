import { plainCommand } from '../command.js'

/** RFC 1939 sections 4 and 6: after login the marked messages are removed now, and never otherwise. */
export const quit = plainCommand('QUIT', (conversation) => {
  if (conversation.state === 'transaction') {
    conversation.state = 'update'
    conversation.ask('update', { type: 'update', uids: conversation.maildrop.deletedUids() })
  } else {
    conversation.ok('Bye')
    conversation.close('quit')
  }
})
