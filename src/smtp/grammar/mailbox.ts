import type { Recipient } from '../../interfaces/index.js'
import { scanAddressLiteral, scanDomain } from './domain.js'

const DOT_STRING = /[\w!#$%&'*+\-/=?^`{|}~]+(?:\.[\w!#$%&'*+\-/=?^`{|}~]+)*/y
const QUOTED_STRING = /"(?:[ !#-[\]-~]|\\[ -~]){0,64}"/y
const WHOLE_DOT_STRING = /^[\w!#$%&'*+\-/=?^`{|}~]+(?:\.[\w!#$%&'*+\-/=?^`{|}~]+)*$/
const LONGEST_LOCAL_PART = 64

/** A mailbox and where it ends in the text it was read from. */
export interface ScannedMailbox {
  readonly mailbox: Recipient
  readonly end: number
}

/**
 * Reads the mailbox that begins at `at`; a sentence says what is wrong with it. The address that results is quoted
 * only where it must be, since `"a"@d` and `a@d` are one mailbox (RFC 5321 section 4.1.2).
 *
 *     Mailbox    = Local-part "@" ( Domain / address-literal )
 */
export function scanMailbox(text: string, at: number, lenient = false): ScannedMailbox | string {
  const local = scanLocalPart(text, at)
  if (typeof local === 'string') return local
  if (text[local.end] !== '@') return 'The mailbox has no domain'
  const from = local.end + 1
  const end = text[from] === '[' ? scanAddressLiteral(text, from) : scanDomain(text, from, lenient)
  if (typeof end === 'string') return end
  return { mailbox: makeMailbox(local.localPart, text.slice(from, end)), end }
}

/**
 * The local-part with its quoting removed; at most 64 octets as written (RFC 5321 section 4.5.3.1.1).
 *
 *     Local-part      = Dot-string / Quoted-string
 *     Dot-string      = Atom *("." Atom)
 *     Quoted-string   = DQUOTE *QcontentSMTP DQUOTE
 *     QcontentSMTP    = qtextSMTP / quoted-pairSMTP
 *     quoted-pairSMTP = %d92 %d32-126
 *     qtextSMTP       = %d32-33 / %d35-91 / %d93-126
 */
export function scanLocalPart(
  text: string,
  at: number,
): { readonly localPart: string; readonly end: number } | string {
  const quoted = text[at] === '"'
  const pattern = quoted ? QUOTED_STRING : DOT_STRING
  pattern.lastIndex = at
  const written = pattern.exec(text)?.[0]
  if (written === undefined) return 'The local part is malformed'
  if (written.length > LONGEST_LOCAL_PART) return 'The local part is too long'
  const localPart = quoted ? written.slice(1, -1).replace(/\\(.)/g, '$1') : written
  return { localPart, end: at + written.length }
}

/** The mailbox of an unquoted local-part and a domain as written; an empty domain stands for `<Postmaster>`. */
export function makeMailbox(localPart: string, domain: string): Recipient {
  const local = quoteLocalPart(localPart)
  return {
    address: domain === '' ? local : `${local}@${domain}`,
    localPart,
    domain: domain.toLowerCase(),
  }
}

/** The local-part as it stands in an address: quoted where it is no Dot-string. */
export function quoteLocalPart(localPart: string): string {
  return WHOLE_DOT_STRING.test(localPart) ? localPart : `"${localPart.replace(/["\\]/g, '\\$&')}"`
}
