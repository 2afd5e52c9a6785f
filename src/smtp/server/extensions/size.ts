import { reply } from '../../../interfaces/index.js'
import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'

const MOST_DIGITS = 20
const TOO_LARGE = reply(552, '5.3.4', 'Message size exceeds the limit')

/**
 * SIZE, RFC 1870.
 *
 *     size-value ::= 1*20DIGIT
 */
export const size: Extension = {
  offer: ({ options: { maxMessageSize } }) => [
    `SIZE ${maxMessageSize === Number.POSITIVE_INFINITY ? 0 : maxMessageSize}`,
  ],
  known: () => true,
  mail: {
    SIZE(value, draft, { options }) {
      const octets = value === null ? null : decimal(value)
      if (octets === null) return badArgument('SIZE is a number of octets')
      draft.size = octets
      return octets > options.maxMessageSize ? TOO_LARGE : null
    },
  },
}

/** Nearly every MAIL has it: a loop costs a third of a pattern and a conversion. */
function decimal(text: string): number | null {
  if (text.length > MOST_DIGITS) return null
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return null
    value = value * 10 + digit
  }
  return value
}
