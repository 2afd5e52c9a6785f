import { toLatin1 } from '../core/index.js'

/** A command line's parts: the keyword in capitals, and what follows its space, one octet a character. */
export interface CommandLine {
  readonly keyword: string
  /** Null where there is no space after the keyword. */
  readonly argument: string | null
}

/**
 * RFC 2449 section 3:
 *
 *     command = keyword *(SP param) CRLF
 *     keyword = 3*4VCHAR
 *
 * Null for a line that is not ended by CRLF, or holds a NUL, a bare CR or another control character.
 */
export function parseCommandLine(line: Buffer): CommandLine | null {
  if (line.length < 2 || line[line.length - 2] !== 0x0d) return null
  const text = toLatin1(line, 0, line.length - 2)
  if (/[\x00-\x1f\x7f]/.test(text)) return null
  const space = text.indexOf(' ')
  return space === -1
    ? { keyword: text.toUpperCase(), argument: null }
    : { keyword: text.slice(0, space).toUpperCase(), argument: text.slice(space + 1) }
}

/** A decimal number of up to ten digits (a message number, a count of lines), or null. */
export function parseNumber(text: string): number | null {
  return /^[0-9]{1,10}$/.test(text) ? Number(text) : null
}

/** What may be seen of a client's line that cannot be understood: no more than the keyword, it may hold a password. */
export function redact(line: Uint8Array): string {
  const keyword = /^[A-Za-z]{1,8}(?= )/.exec(toLatin1(line, 0, Math.min(line.length, 9)))
  return keyword === null ? '***' : `${keyword[0]} ***`
}
