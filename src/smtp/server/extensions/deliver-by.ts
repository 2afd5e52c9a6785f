import { reply } from '../../../interfaces/index.js'
import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const BY = /^([+-]?\d{1,9});([NR])(T?)$/i

/**
 * DELIVERBY, RFC 2852 section 4. A message to be returned after a time that has passed already is refused, and so is one
 * to be returned sooner than the host can promise.
 *
 *     by-value = by-time ";" by-mode [by-trace]
 *     by-time  = ["-" / "+"] 1*9digit
 *     by-mode  = "N" / "R"
 *     by-trace = "T"
 */
export const deliverBy: Extension = {
  offer({ options: { features } }) {
    if (features.deliverBy === null) return NOTHING
    const { minimumSeconds } = features.deliverBy
    return [minimumSeconds === 0 ? 'DELIVERBY' : `DELIVERBY ${minimumSeconds}`]
  },
  mail: {
    BY(value, draft, { options }) {
      const found = value === null ? null : BY.exec(value)
      if (found === null) return badArgument('BY is a number of seconds, a semicolon, and N or R')
      const seconds = Number(found[1])
      const returns = found[2]?.toUpperCase() === 'R'
      const minimum = options.features.deliverBy?.minimumSeconds ?? 0
      if (returns && seconds <= 0) return badArgument('BY with R needs a time to come')
      if (returns && seconds < minimum) {
        return reply(555, '5.5.4', `BY with R needs at least ${minimum} seconds`)
      }
      draft.deliverBy = { seconds, mode: returns ? 'return' : 'notify', trace: found[3] !== '' }
      return null
    },
  },
}
