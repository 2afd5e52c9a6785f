import { badArgument } from '../replies.js'
import { parseDateTime } from './date-time.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const ONE_ONLY = badArgument('HOLDFOR and HOLDUNTIL cannot both be given')
const TOO_LONG = badArgument('The message cannot be held for so long')
const PASSED = badArgument('HOLDUNTIL is a time that has passed')

const NO_HOLD = { until: 0, maximumSeconds: 0 }

/**
 * FUTURERELEASE, RFC 4865: for submission only.
 *
 *     futurerelease-keyword = "FUTURERELEASE" SP max-future-release-interval SP max-future-release-date-time
 *     holdfor-param         = "HOLDFOR=" future-release-integer      ; 1*9DIGIT, not zero
 *     holduntil-param       = "HOLDUNTIL=" future-release-date-time  ; date-time of RFC 3339
 */
export const futureRelease: Extension = {
  offer({ options: { features, service } }) {
    if (features.futureRelease === null || service !== 'submission') return NOTHING
    const { maximumSeconds, until } = features.futureRelease
    return [`FUTURERELEASE ${maximumSeconds} ${new Date(until).toISOString().replace(/\.\d+/, '')}`]
  },
  mail: {
    HOLDFOR(value, draft, { options }) {
      if (draft.hold !== undefined) return ONE_ONLY
      if (value === null || !/^[1-9]\d{0,8}$/.test(value))
        return badArgument('HOLDFOR is a number of seconds')
      const seconds = Number(value)
      if (seconds > (options.features.futureRelease?.maximumSeconds ?? 0)) return TOO_LONG
      draft.hold = { seconds }
      return null
    },
    HOLDUNTIL(value, draft, { options }) {
      if (draft.hold !== undefined) return ONE_ONLY
      const until = value === null ? null : parseDateTime(value)
      if (until === null) return badArgument('HOLDUNTIL is a date and a time')
      const { until: latest, maximumSeconds } = options.features.futureRelease ?? NO_HOLD
      if (until > latest) return TOO_LONG
      // An engine has no clock: what had passed when the session began.
      if (until <= latest - maximumSeconds * 1000) return PASSED
      draft.hold = { until }
      return null
    },
  },
}
