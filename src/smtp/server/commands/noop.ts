import type { Command } from '../command.js'
import { OK } from '../replies.js'

/** RFC 5321 section 4.1.1.9: `noop = "NOOP" [ SP String ] CRLF` */
export const noop: Command = {
  name: 'NOOP',
  receive: (conversation) => conversation.say(OK),
}
