import { reply } from '../../../interfaces/index.js'
import type { Command } from '../command.js'

const NOT_IMPLEMENTED = reply(502, '5.5.1', 'Command not implemented')

/** RFC 5321 section 4.2.4: 502 for a verb that is known and not offered. */
export const notImplemented: readonly Command[] = (
  ['EXPN', 'ETRN', 'TURN', 'SEND', 'SOML', 'SAML', 'BDAT', 'BURL'] as const
).map((name) => ({
  name,
  receive: (conversation) => {
    if (name === 'BDAT') conversation.sayNoMessage(NOT_IMPLEMENTED)
    else conversation.say(NOT_IMPLEMENTED)
  },
}))
