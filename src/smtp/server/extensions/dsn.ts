import { isAscii } from '../../../core/bytes.js'
import type { Notify } from '../../../interfaces/index.js'
import { decodeUtf8Address, decodeXtext } from '../../grammar/index.js'
import { badArgument } from '../replies.js'
import type { Extension } from './extension.js'
import { NOTHING } from './extension.js'

const OFFER = ['DSN']
const LONGEST_ENVID = 100
const LONGEST_ORCPT = 500
const ADDRESS_TYPE = /^[A-Za-z0-9][A-Za-z0-9-]*$/
const events: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'DELAY'])

/**
 * DSN, RFC 3461 section 4: when and how a sender wants to be told what became of a message.
 *
 *     ret-value           = "FULL" / "HDRS"
 *     envid-parameter     = "ENVID=" xtext
 *     notify-esmtp-value  = "NEVER" / 1#notify-list-element
 *     notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"
 *     orcpt-parameter     = "ORCPT=" addr-type ";" xtext
 */
export const dsn: Extension = {
  offer: ({ options }) => (options.features.dsn ? OFFER : NOTHING),
  mail: {
    RET(value, draft) {
      const name = value?.toUpperCase()
      if (name !== 'FULL' && name !== 'HDRS') return badArgument('RET is FULL or HDRS')
      draft.ret = name
      return null
    },
    ENVID(value, draft) {
      const id = value === null || value.length > LONGEST_ENVID ? null : decodeXtext(value)
      if (id === null || !isAscii(id)) return badArgument('ENVID is xtext of up to 100 octets')
      draft.envelopeId = id
      return null
    },
  },
  rcpt: {
    NOTIFY(value, draft) {
      const names = value?.toUpperCase().split(',') ?? []
      const good =
        value?.toUpperCase() === 'NEVER' || (names.length > 0 && names.every((name) => events.has(name)))
      if (!good) return badArgument('NOTIFY is NEVER, or a list of SUCCESS, FAILURE and DELAY')
      draft.notify = [...new Set(names as Notify[])]
      return null
    },
    ORCPT(value, draft) {
      const original = value === null || value.length > LONGEST_ORCPT ? null : decodeOriginal(value)
      if (original === null) return badArgument('ORCPT is an address type, a semicolon and xtext')
      draft.originalRecipient = original
      return null
    },
  },
}

function decodeOriginal(value: string): string | null {
  const semicolon = value.indexOf(';')
  const type = value.slice(0, semicolon).toLowerCase()
  const written = value.slice(semicolon + 1)
  if (semicolon < 1 || written === '' || !ADDRESS_TYPE.test(type)) return null
  const address = type === 'utf-8' ? decodeUtf8Address(written) : decodeXtext(written)
  return address === null || (type !== 'utf-8' && !isAscii(address)) ? null : `${type};${address}`
}
