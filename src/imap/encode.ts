import type { Flags } from '../interfaces/index.js'
import { encodeUtf7 } from './utf7.js'

/** Longer strings go out as literals: a client that reads lines need not hold them. */
const LONGEST_QUOTED = 4096

const ATOM = /^[^\x00-\x20\x7f-\uffff(){%*"\\\]]+$/

/** True for `atom` of RFC 3501 section 9: what needs no quoting anywhere. */
export function isAtom(text: string): boolean {
  return ATOM.test(text)
}

/**
 * A string as `quoted`, or as `literal` where it holds octets above 127, a line end, or more than 4,096 octets.
 * `text` holds one octet a character. NUL, which IMAP cannot carry, becomes `?`.
 *
 *     string = quoted / literal
 */
export function string(text: string): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', '?') : text
  if (clean.length > LONGEST_QUOTED || /[\r\n\x80-\uffff]/.test(clean)) {
    const octets = Buffer.from(clean, 'latin1')
    return literalPrefix(octets.length) + octets.toString('latin1')
  }
  return `"${/["\\]/.test(clean) ? clean.replace(/["\\]/g, '\\$&') : clean}"`
}

/** `string`, or `NIL` for null. */
export function nstring(text: string | null): string {
  return text === null ? 'NIL' : string(text)
}

/** An atom where the text is one (`]` is not used), else a string. */
export function astring(text: string): string {
  return isAtom(text) ? text : string(text)
}

/** What stands before the octets of a literal; for `respondBytes` to follow. */
export function literalPrefix(octets: number): string {
  return `{${octets}}\r\n`
}

/** A mailbox name, Unicode in, modified UTF-7 in quotes out. */
export function mailboxName(name: string): string {
  return string(encodeUtf7(name))
}

const flagLists = new WeakMap<Flags, string>()

/**
 * `(\Seen $Forwarded)`, with `\Recent` at the end where `recent` is set. A flag that is no atom (with or without a
 * backslash) has no spelling in IMAP and is left out.
 */
export function flagList(flags: Flags, recent = false): string {
  let list = flagLists.get(flags)
  if (list === undefined) {
    list = flags.filter((flag) => isAtom(flag.startsWith('\\') ? flag.slice(1) : flag)).join(' ')
    flagLists.set(flags, list)
  }
  if (!recent) return `(${list})`
  return list === '' ? '(\\Recent)' : `(${list} \\Recent)`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

const EARLIEST = Date.parse('0000-01-01T00:00:00Z')
const LATEST = Date.parse('9999-12-31T23:59:59Z')

/**
 * `" 7-Feb-1994 21:52:25 +0000"`: a moment in milliseconds since 1970, in UTC, quotes included. A year has four
 * digits: what is outside is told as the nearest that can be.
 */
export function dateTime(ms: number): string {
  const date = new Date(Math.min(Math.max(ms, EARLIEST), LATEST))
  const day = String(date.getUTCDate()).padStart(2, ' ')
  const year = String(date.getUTCFullYear()).padStart(4, '0')
  const time = date.toISOString().slice(-13, -5)
  return `"${day}-${MONTHS[date.getUTCMonth()]}-${year} ${time} +0000"`
}

/** Text for people: one line, printable ASCII, never empty (RFC 3501 section 9, `text`). */
export function respText(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]+/g, '?').trim()
  return clean === '' ? '-' : clean.startsWith('[') ? ` ${clean}` : clean
}
