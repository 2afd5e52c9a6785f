import { isAscii } from '../../core/bytes.js'
import { canonicalDomain } from '../../core/mail-address.js'
import { plainAddress } from '../../core/plain-address.js'

const LDH_RUN = /[A-Za-z0-9.-]+/y
const LENIENT_RUN = /[A-Za-z0-9._-]+/y
const UTF8_RUN = /[A-Za-z0-9.\-\u0080-\u{10ffff}]+/uy
const LENIENT_UTF8_RUN = /[A-Za-z0-9._\-\u0080-\u{10ffff}]+/uy
const LITERAL = /\[([\x21-\x5a\x5e-\x7e]+)\]/y
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?:\.(?!$)|$)){4}$/
const IPV6_GROUP = /^[0-9A-Fa-f]{1,4}$/
/** What nearly every domain is, and short enough to be sure that no label is too long. */
const USUAL = /^[A-Za-z0-9]+(?:(?:\.|-+)[A-Za-z0-9]+)*$/
const LONGEST_DOMAIN = 255
const LONGEST_LABEL = 63

/**
 * Where the domain that begins at `at` ends, or a sentence that says what is wrong with it. Lengths as in RFC 5321
 * section 4.5.3.1.2 (255 octets) and RFC 1035 section 2.3.4 (63 a label), of a U-label those of its A-label. `lenient` takes an underscore as a letter, `utf8` U-labels.
 *
 *     Domain         = sub-domain *("." sub-domain)
 *     sub-domain     = Let-dig [Ldh-str] / U-label       ; RFC 6531 section 3.3
 *     Ldh-str        = *( ALPHA / DIGIT / "-" ) Let-dig
 */
export function scanDomain(text: string, at: number, lenient = false, utf8 = false): number | string {
  const run = utf8 ? (lenient ? LENIENT_UTF8_RUN : UTF8_RUN) : lenient ? LENIENT_RUN : LDH_RUN
  run.lastIndex = at
  const found = run.exec(text)
  if (found === null) return 'The domain is missing'
  const written = found[0]
  if (written.length <= LONGEST_LABEL && USUAL.test(written)) return at + written.length
  if (written.length > LONGEST_DOMAIN) return 'The domain is too long'
  const domain = utf8 && !isAscii(written) ? canonicalDomain(written) : written
  if (domain === null) return 'The domain is no internationalized domain name'
  for (const label of domain.split('.')) {
    if (label === '') return 'A label of the domain is empty'
    if (label.length > LONGEST_LABEL) return 'A label of the domain is too long'
  }
  if (/(?:^|\.)-|-(?:\.|$)/.test(written)) return 'A label of the domain begins or ends with a hyphen'
  return at + written.length
}

/**
 * Where the address literal that begins at `at` ends, or what is wrong with it. Tags other than IPv6 are refused:
 * none is registered.
 *
 *     address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
 */
export function scanAddressLiteral(text: string, at: number): number | string {
  LITERAL.lastIndex = at
  const inside = LITERAL.exec(text)?.[1]
  if (inside === undefined) return 'The address literal is malformed'
  const good = /^IPv6:/i.test(inside) ? isIpv6(inside.slice(5)) : isIpv4(inside)
  return good ? at + inside.length + 2 : 'The address literal holds no IP address'
}

/** True for a whole Domain, or for a whole address literal: what HELO and EHLO should carry. */
export function isDomainOrLiteral(text: string): boolean {
  return (text.startsWith('[') ? scanAddressLiteral(text, 0) : scanDomain(text, 0)) === text.length
}

/** The address literal of an IP address in text form, an IPv4-mapped one as IPv4; `unknown` for anything else. */
export function addressLiteral(address: string): string {
  const plain = plainAddress(address)
  if (isIpv4(plain)) return `[${plain}]`
  return isIpv6(plain) ? `[IPv6:${plain}]` : 'unknown'
}

/**
 *     IPv4-address-literal = Snum 3("." Snum)
 *     Snum                 = 1*3DIGIT ; 0 to 255
 */
function isIpv4(text: string): boolean {
  return IPV4.test(text)
}

/**
 *     IPv6-addr = IPv6-full / IPv6-comp / IPv6v4-full / IPv6v4-comp
 */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  let groups = 0
  for (const [index, half] of halves.entries()) {
    if (half === '') continue
    const parts = half.split(':')
    for (const [position, part] of parts.entries()) {
      const last = index === halves.length - 1 && position === parts.length - 1
      if (last && isIpv4(part)) groups += 2
      else if (IPV6_GROUP.test(part)) groups++
      else return false
    }
  }
  return halves.length === 2 ? groups <= 7 : groups === 8
}
