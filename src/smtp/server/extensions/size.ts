import { reply } from '../../../interfaces/index.js'
import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'

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
      if (value === null || !/^\d{1,20}$/.test(value)) return badArgument('SIZE is a number of octets')
      draft.size = Number(value)
      return draft.size > options.maxMessageSize ? TOO_LARGE : null
    },
  },
}
