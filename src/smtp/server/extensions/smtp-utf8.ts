import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const OFFER = ['SMTPUTF8']

/** SMTPUTF8, RFC 6531 section 3.4: MAIL may say that addresses and header fields hold UTF-8. It has no value. */
export const smtpUtf8: Extension = {
  offer: ({ options }) => (options.features.smtpUtf8 ? OFFER : NOTHING),
  mail: {
    SMTPUTF8(value, draft) {
      if (value !== null) return badArgument('SMTPUTF8 has no value')
      draft.smtpUtf8 = true
      return null
    },
  },
}
