import { reply } from '../../../interfaces/index.js'
import type { Command } from '../command.js'
import { badArgument } from '../replies.js'

const CANNOT_VERIFY = reply(252, '2.5.0', 'Cannot verify the user, but send the message and it will be tried')

/** RFC 5321 section 4.1.1.6: `vrfy = "VRFY" SP String CRLF`. Names are not told (section 7.3). */
export const vrfy: Command = {
  name: 'VRFY',
  receive: (conversation, argument) =>
    conversation.say(argument === '' ? badArgument('Syntax: VRFY name') : CANNOT_VERIFY),
}
