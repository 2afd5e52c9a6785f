import { plainCommand } from '../command.js'

/** RFC 1939 section 5: the drop listing, deleted messages not counted. */
export const stat = plainCommand('STAT', (conversation) => {
  conversation.ok(`${conversation.maildrop.count} ${conversation.maildrop.octets}`)
})
