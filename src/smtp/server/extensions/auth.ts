import { decodeXtext, scanMailbox, scanPath } from '../../grammar/index.js'
import { offeredMechanisms } from '../commands/auth.js'
import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

/** AUTH, RFC 4954. */
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
    AUTH(value, draft, { authenticated }) {
      const mailbox = value === null ? null : mailboxOf(value)
      if (mailbox === null) return badArgument('AUTH is <> or a mailbox in xtext')
      // Who is not logged in is not believed: it is as if `<>` had been said (section 5).
      draft.auth = authenticated ? mailbox : ''
      return null
    },
  },
}

/** RFC 4954 section 5: a mailbox in xtext, empty for `<>`; null for what is neither. Some write the mailbox as a path. */
function mailboxOf(value: string): string | null {
  const text = decodeXtext(value)
  if (text === null) return null
  if (text.startsWith('<')) {
    const path = scanPath(text, 0)
    return typeof path === 'string' || path.end !== text.length ? null : path.address
  }
  const found = scanMailbox(text, 0)
  return typeof found === 'string' || found.end !== text.length ? null : found.mailbox.address
}
