import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

/**
 * MT-PRIORITY, RFC 6710.
 *
 *     priority-value = (["-"] NZDIGIT) / "0"
 */
export const mtPriority: Extension = {
  offer({ options: { features } }) {
    if (features.mtPriority === null) return NOTHING
    return [`MT-PRIORITY ${features.mtPriority.profile}`.trimEnd()]
  },
  mail: {
    'MT-PRIORITY'(value, draft) {
      if (value === null || !/^(?:-?[1-9]|0)$/.test(value)) return badArgument('MT-PRIORITY is -9 to 9')
      draft.priority = Number(value)
      return null
    },
  },
}
