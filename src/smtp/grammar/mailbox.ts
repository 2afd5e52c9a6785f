import type { Recipient } from '../../interfaces/index.js'
import { scanAddressLiteral, scanDomain } from './domain.js'

const DOT_STRING = /[\w!#$%&'*+\-/=?^`{|}~]+(?:\.[\w!#$%&'*+\-/=?^`{|}~]+)*/y
const QUOTED_STRING = /"(?:[ !#-[\]-~]|\\[ -~]){0,64}"/y
/** As above with UTF8-non-ascii, of which control characters, separators of lines and private or unassigned ones are left out. */
const UTF8_DOT_STRING =
  /(?:[\w!#$%&'*+\-/=?^`{|}~]|[^\0-\x9f\p{C}\p{Zl}\p{Zp}])+(?:\.(?:[\w!#$%&'*+\-/=?^`{|}~]|[^\0-\x9f\p{C}\p{Zl}\p{Zp}])+)*/uy
const UTF8_QUOTED_STRING = /"(?:[ !#-[\]-~]|\\[ -~]|[^\0-\x9f\p{C}\p{Zl}\p{Zp}]){0,64}"/uy
const WHOLE_DOT_STRING = /^[\w!#$%&'*+\-/=?^`{|}~\u0080-\uffff]+(?:\.[\w!#$%&'*+\-/=?^`{|}~\u0080-\uffff]+)*$/
const LONGEST_LOCAL_PART = 64

/** A mailbox and where it ends in the text it was read from. */
export interface ScannedMailbox {
  readonly mailbox: Recipient
  readonly end: number
}

/**
 * Reads the mailbox that begins at `at`; a sentence says what is wrong with it. `utf8` takes internationalized ones
 * (RFC 6531 section 3.3). The address that results is quoted
 * only where it must be, since `"a"@d` and `a@d` are one mailbox (RFC 5321 section 4.1.2).
 *
 *     Mailbox    = Local-part "@" ( Domain / address-literal )
 */
export function scanMailbox(
  text: string,
  at: number,
  lenient = false,
  utf8 = false,
): ScannedMailbox | string {
  const local = scanLocalPart(text, at, utf8)
  if (typeof local === 'string') return local
  if (text[local.end] !== '@') return 'The mailbox has no domain'
  const from = local.end + 1
  const end = text[from] === '[' ? scanAddressLiteral(text, from) : scanDomain(text, from, lenient, utf8)
  if (typeof end === 'string') return end
  return { mailbox: makeMailbox(local.localPart, text.slice(from, end)), end }
}

/**
 * The local-part with its quoting removed; at most 64 octets as written (RFC 5321 section 4.5.3.1.1). With
 * `utf8` atext and qtextSMTP include UTF8-non-ascii (RFC 6531 section 3.3).
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
  utf8 = false,
): { readonly localPart: string; readonly end: number } | string {
  const quoted = text[at] === '"'
  const pattern = utf8 ? (quoted ? UTF8_QUOTED_STRING : UTF8_DOT_STRING) : quoted ? QUOTED_STRING : DOT_STRING
  pattern.lastIndex = at
  const written = pattern.exec(text)?.[0]
  if (written === undefined) return 'The local part is malformed'
  if ((utf8 ? Buffer.byteLength(written) : written.length) > LONGEST_LOCAL_PART)
    return 'The local part is too long'
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
