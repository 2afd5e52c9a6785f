import { toLatin1 } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'

const ENHANCED = /^[245]\.\d{1,3}\.\d{1,3}$/
const PRINTABLE = /^[\t\x20-\x7e]*$/
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/
/** RFC 5321 section 4.5.3.1.5: 512 octets with code and CRLF; the rest is room for `250-` and `5.123.123 `. */
const LONGEST_TEXT = 490

/** A reply that is said over and over, with the form in which it crosses the wire. */
class FixedReply implements Reply {
  readonly code: number
  readonly enhanced: string
  readonly lines: readonly string[]
  readonly wire: string

  constructor(reply: Reply) {
    this.code = reply.code
    this.enhanced = reply.enhanced
    this.lines = reply.lines
    this.wire = formatReply(reply)
  }
}

/** A reply that never changes and is said often. UsageError `REPLY` as for `formatReply`. */
export function fixedReply(reply: Reply): Reply {
  return new FixedReply(reply)
}

/**
 * A reply as it crosses the wire, its enhanced code on every line (RFC 2034 section 4). A line that is too long goes
 * on in the next; a character above 126 becomes `?`, or with `utf8` its octets (RFC 6531 section 3.7.4). UsageError `REPLY` for a code out of range, an enhanced code of
 * another class, no line, or a control character, so that nothing can be slipped in.
 *
 *     Reply-line     = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 *     Reply-code     = %x32-35 %x30-35 %x30-39
 */
export function formatReply(reply: Reply, utf8 = false): string {
  if (reply instanceof FixedReply) return reply.wire
  const { code, enhanced, lines } = reply
  if (!Number.isInteger(code) || code < 200 || code > 559)
    throw new UsageError('REPLY', `no reply code: ${code}`)
  if (
    enhanced !== '' &&
    (!ENHANCED.test(enhanced) || enhanced.charCodeAt(0) !== 48 + Math.floor(code / 100))
  ) {
    throw new UsageError('REPLY', `enhanced code ${enhanced} does not go with ${code}`)
  }
  const lead = enhanced === '' ? '' : `${enhanced} `
  if (lines.length === 1) {
    const line = lines[0] as string
    if (line.length <= LONGEST_TEXT && PRINTABLE.test(line)) return `${code} ${lead}${line}\r\n`
  }
  const texts = lines.flatMap((line) => printableLines(line, utf8))
  if (texts.length === 0) throw new UsageError('REPLY', 'a reply has at least one line')
  const last = texts.length - 1
  return texts.map((text, index) => `${code}${index === last ? ' ' : '-'}${lead}${text}\r\n`).join('')
}

/** One character an octet. */
function printableLines(line: string, utf8: boolean): string[] {
  if (CONTROL.test(line)) throw new UsageError('REPLY', 'a reply holds no control character')
  const text = PRINTABLE.test(line)
    ? line
    : utf8
      ? toLatin1(Buffer.from(line.replace(/[\x80-\x9f\u2028\u2029]/g, '?')))
      : line.replace(/[^\t\x20-\x7e]/g, '?')
  const pieces = [text.slice(0, LONGEST_TEXT)]
  for (let at = LONGEST_TEXT; at < text.length; at += LONGEST_TEXT)
    pieces.push(text.slice(at, at + LONGEST_TEXT))
  return pieces
}
