import type { Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import type { ResolvedSmtpServerOptions } from '../options.js'
import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const KEYWORDS = /^[A-Za-z0-9][\w.:-]*(?:,[A-Za-z0-9][\w.:-]*)*$/
const LONGEST = 1000
const NOT_WANTED = reply(550, '5.7.1', 'Solicitation of this class is not wanted here')

/**
 * NO-SOLICITING, RFC 3865: a message may say of what classes of solicitation it is, and a host what it does not want.
 *
 *     solicitation-keywords = word 0*("," word)
 *     word                  = ALPHA 0*(wordchar)       ; wordchar: ".", "-", "_", ":", ALPHA, DIGIT
 */
export const noSoliciting: Extension = {
  offer({ options: { features } }) {
    if (features.noSoliciting === null) return NOTHING
    return [`NO-SOLICITING ${features.noSoliciting.join(',')}`.trimEnd()]
  },
  mail: {
    SOLICIT(value, draft, { options }) {
      if (value === null || value.length > LONGEST || !KEYWORDS.test(value)) {
        return badArgument('SOLICIT is a list of solicitation class keywords')
      }
      draft.solicitation = value.split(',')
      return refusalOfSolicitation(options, draft.solicitation)
    },
  },
}

/** What to say of a message of these classes where one of them is not wanted, else null. */
export function refusalOfSolicitation(
  { features }: ResolvedSmtpServerOptions,
  classes: readonly string[],
): Reply | null {
  const unwanted = new Set(features.noSoliciting?.map((each) => each.toLowerCase()))
  return classes.some((each) => unwanted.has(each.toLowerCase())) ? NOT_WANTED : null
}
