import { isAscii } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'

/** Octets of a line, without its CRLF, that header lines are folded at (RFC 5322 section 2.1.1). */
const FOLD_AT = 78
/** Octets of a line, without its CRLF, that no line may pass (RFC 5322 section 2.1.1). */
const LONGEST_LINE = 998
/** A name longer than this leaves no room on a line of 78. */
const LONGEST_NAME = 76

/** ftext (RFC 5322 section 3.6.8). UsageError `HEADER_NAME` for anything else, and for more than 76 characters. */
export function checkName(name: string): string {
  if (typeof name !== 'string' || !/^[\x21-\x39\x3b-\x7e]+$/.test(name) || name.length > LONGEST_NAME) {
    throw new UsageError('HEADER_NAME', `${JSON.stringify(name)} is not the name of a header field`)
  }
  return name
}

/**
 * What every name, value, parameter and address passes through on its way into a header: the text with unpaired
 * surrogates made U+FFFD. UsageError `HEADER_VALUE` for CR, LF or NUL, and for what is not a string.
 */
export function checkText(text: string, what: string): string {
  if (typeof text !== 'string') throw new UsageError('HEADER_VALUE', `${what} must be a string`)
  if (/[\r\n\0]/.test(text)) {
    throw new UsageError('HEADER_VALUE', `${what} must not hold CR, LF or NUL`)
  }
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('utf8')
}

/** Octets in UTF-8. */
export function width(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text, 'utf8')
}

/**
 * A field with its CRLF from words that are not cut: each after the first begins with its own white space, and a line
 * may end before it. Lines hold up to 78 octets, more where one word is longer; UsageError `HEADER_TOO_LONG` where
 * that would pass 998.
 */
export function foldField(name: string, words: readonly string[]): string {
  let out = `${checkName(name)}:`
  let column = out.length
  for (const [index, word] of words.entries()) {
    const piece = index === 0 ? ` ${word}` : word
    const size = width(piece)
    if (size > LONGEST_LINE) {
      throw new UsageError('HEADER_TOO_LONG', `${name} holds a word too long for a line of ${LONGEST_LINE}`)
    }
    if (column + size > FOLD_AT) {
      out += '\r\n'
      column = 0
    }
    out += piece
    column += size
  }
  return `${out}\r\n`
}
