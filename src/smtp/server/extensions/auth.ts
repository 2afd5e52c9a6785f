import { decodeXtext, scanMailbox, scanPath } from '../../grammar/index.js'
import { offeredMechanisms } from '../commands/auth.js'
import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

/** AUTH, RFC 4954: `AUTH=` on MAIL is taken wherever the server knows AUTH, and trusted no more than `<>` (section 5). */
export const auth: Extension = {
  offer(conversation) {
    const mechanisms = offeredMechanisms(conversation)
    return mechanisms.length === 0 ? NOTHING : [`AUTH ${mechanisms.join(' ')}`]
  },
}

/** The parameter stays known where AUTH itself is offered no more, after a login. */
export const authParameter: Extension = {
  offer: ({ options }) => (options.mechanisms.length > 0 ? ['AUTH'] : NOTHING),
  mail: {
    AUTH: (value) =>
      value !== null && isAuthValue(value) ? null : badArgument('AUTH is <> or a mailbox in xtext'),
  },
}

/** RFC 4954 section 5: a mailbox in xtext or `<>`. */
function isAuthValue(value: string): boolean {
  const text = decodeXtext(value)
  if (text === null) return false
  if (text === '<>') return true
  if (text.startsWith('<')) {
    const path = scanPath(text, 0)
    return typeof path !== 'string' && path.end === text.length
  }
  const mailbox = scanMailbox(text, 0)
  return typeof mailbox !== 'string' && mailbox.end === text.length
}
