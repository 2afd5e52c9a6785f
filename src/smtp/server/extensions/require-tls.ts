import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const OFFER = ['REQUIRETLS']

/** REQUIRETLS, RFC 8689 section 2: offered under TLS only. The parameter has no value. */
export const requireTls: Extension = {
  offer: ({ options, secure }) => (options.features.requireTls && secure ? OFFER : NOTHING),
  mail: {
    REQUIRETLS(value, draft) {
      if (value !== null) return badArgument('REQUIRETLS has no value')
      draft.requireTls = true
      return null
    },
  },
}
