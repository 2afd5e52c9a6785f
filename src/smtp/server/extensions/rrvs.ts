import { badArgument } from '../replies.js'
import { parseDateTime } from './date-time.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const OFFER = ['RRVS']

/**
 * RRVS, RFC 7293 section 3.1: only for a mailbox that has had one owner since. What is to happen otherwise is `R`,
 * reject, where it is not said.
 *
 *     rrvs-param = "RRVS=" date-time [ ";" ( "C" / "R" ) ]
 */
export const rrvs: Extension = {
  offer: ({ options }) => (options.features.rrvs ? OFFER : NOTHING),
  rcpt: {
    RRVS(value, draft) {
      const [date = '', action = 'R', ...more] = value?.toUpperCase().split(';') ?? []
      const since = parseDateTime(date)
      if (since === null || more.length > 0 || (action !== 'C' && action !== 'R')) {
        return badArgument('RRVS is a date and a time, and C or R after a semicolon')
      }
      draft.validSince = { since, otherwise: action === 'R' ? 'reject' : 'continue' }
      return null
    },
  },
}
