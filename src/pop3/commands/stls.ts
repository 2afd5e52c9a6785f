import { plainCommand } from '../command.js'

/** RFC 2595 section 4. What the client has sent after it, in clear, is thrown away. */
export const stls = plainCommand('STLS', (conversation) => {
  if (conversation.secure) conversation.fail('TLS is active already')
  else if (!conversation.offersTls) conversation.fail('STLS is not available')
  else {
    conversation.ok('Begin TLS negotiation')
    conversation.mode = 'upgrade'
    conversation.input.clear()
  }
})
