import { escapeControls } from '../../core/wire-log.js'
import type { SessionContext } from '../../interfaces/index.js'
import { formatDate } from '../../mime/date.js'
import { addressLiteral, isDomainOrLiteral } from '../grammar/index.js'

/** What the trace field says beside the session. */
export interface ReceivedFacts {
  readonly hostname: string
  readonly id: string
  /** The only recipient's address; null where there are several, since each would learn of the others. */
  readonly recipient: string | null
  /** Milliseconds since 1970. */
  readonly now: number
  /** Solicitation class keywords (RFC 3865 section 2.6). */
  readonly solicitation?: readonly string[]
}

/** Characters of keywords that fit on a line of 998. */
const LONGEST_CLASSES = 900

/**
 * The trace field, with its CRLF; no line is over 998 octets.
 *
 *     Time-stamp-line = "Received:" FWS Stamp CRLF     ; RFC 5321 section 4.4
 *     Stamp           = From-domain By-domain Opt-info [CFWS] ";" FWS date-time
 *     TCP-info        = address-literal / ( Domain FWS address-literal )
 *     Opt-info        = [Via] [With] [ID] [For] [Additional-Registered-Clauses]
 */
export function makeReceived(context: SessionContext, facts: ReceivedFacts): Uint8Array {
  const address = addressLiteral(context.remoteAddress)
  const known = isDomainOrLiteral(context.helo)
  const from = known ? context.helo : address
  const { clientName = null } = context
  const name =
    clientName !== null && !clientName.startsWith('[') && isDomainOrLiteral(clientName)
      ? `${clientName} `
      : ''
  const claimed = known ? '' : ` (HELO ${comment(context.helo)})`
  const tls = context.tls === null ? '' : ` (${comment(`${context.tls.version} ${context.tls.cipher}`)})`
  const { solicitation = [] } = facts
  const classes = solicitation.join(',')
  const solicit = classes === '' || classes.length > LONGEST_CLASSES ? '' : `\r\n\t(SOLICIT=${classes})`
  const recipient = facts.recipient === null ? '' : `\r\n\tfor <${facts.recipient}>`
  return Buffer.from(
    `Received: from ${from} (${name}${address})${claimed}\r\n` +
      `\tby ${facts.hostname} with ${context.transmission}${tls}${solicit}\r\n` +
      `\tid ${facts.id}${recipient}; ${dateOf(facts.now)}\r\n`,
    'utf8',
  )
}

let second = Number.NaN
let date = ''

/** A busy server writes the same date many times. */
function dateOf(now: number): string {
  if (Math.floor(now / 1000) !== second) {
    second = Math.floor(now / 1000)
    date = formatDate(now)
  }
  return date
}

/** Printable ASCII that cannot end the comment it stands in. */
function comment(text: string): string {
  return escapeControls(text)
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/[()\\]/g, '\\$&')
}
