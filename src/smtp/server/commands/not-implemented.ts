import type { Command } from '../command.js'
import { NOT_IMPLEMENTED } from '../replies.js'

/** RFC 5321 section 4.2.4: 502 for a verb that is known and never offered. */
export const notImplemented: readonly Command[] = (['TURN', 'SEND', 'SOML', 'SAML', 'BURL'] as const).map(
  (name) => ({
    name,
    receive: (conversation) => conversation.say(NOT_IMPLEMENTED),
  }),
)
