import libmime from 'libmime'
import { isAscii } from '../../core/bytes.js'
import { checkText, foldField, width } from './fold.js'

/** A word of a display name up to this many octets is left as it is. */
const LONGEST_PHRASE_WORD = 60
/** White space between words up to this many characters is left as it is. */
const LONGEST_GAP = 20

/** Controls of both sets, and the separators that some software takes for a line end. A tab is white space. */
const unsafe = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/
const atomText = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const atoms = new RegExp(`^${atomText}(?: ${atomText})*$`)

/** True for text that may stand as it is, raw UTF-8 only where `smtpUtf8` (RFC 6532) allows it. */
function isWritable(text: string, smtpUtf8: boolean): boolean {
  // encoded words are decoded wherever they stand, so text that looks like one has to be encoded
  return (smtpUtf8 || isAscii(text)) && !unsafe.test(text) && !text.includes('=?')
}

/**
 * Text as encoded words in UTF-8 (RFC 2047), each of whole characters, in B or Q, whichever is shorter. `room`: octets
 * the first may take up. Each after the first begins with its space. Words in B, but for the last, hold whole groups of
 * three octets, since some readers join them and stop at the first padding.
 */
export function encodedWords(text: string, room = 75): string[] {
  const preferBase64 = Math.ceil(Buffer.byteLength(text, 'utf8') / 3) * 4 < quotedSize(text)
  const words: string[] = []
  for (let from = 0; from < text.length; ) {
    // a first word that would be very short goes on a line of its own
    const given = from > 0 || room < 30 ? 75 : room
    const cut = preferBase64 ? base64End(text, from, Math.floor((given - 12) / 4) * 3) : -1
    const end = cut === -1 ? quotedEnd(text, from, given - 14) : cut
    words.push((from === 0 ? '' : ' ') + libmime.encodeWord(text.slice(from, end), cut === -1 ? 'Q' : 'B'))
    from = end
  }
  return words
}

/** The end of a word of up to `limit` octets, of the whole rest or of groups of three; -1 where there is none. */
function base64End(text: string, from: number, limit: number): number {
  let end = -1
  let size = 0
  for (let at = from; at < text.length; ) {
    const code = text.codePointAt(at) as number
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (size > limit) return end
    at += code < 0x10000 ? 1 : 2
    if (size % 3 === 0) end = at
  }
  return text.length
}

/** The end of a word of up to `limit` characters of Q, and of one character at least. */
function quotedEnd(text: string, from: number, limit: number): number {
  let size = 0
  for (let at = from; at < text.length; ) {
    const next = at + ((text.codePointAt(at) as number) < 0x10000 ? 1 : 2)
    size += quotedSize(text.slice(at, next))
    if (size > limit && at > from) return at
    at = next
  }
  return text.length
}

/** Characters that the Q encoding takes up. */
function quotedSize(text: string): number {
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) size += code < 0x800 ? 6 : code >= 0xd800 && code < 0xe000 ? 6 : 9
    else if ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a) size++
    else if (code === 0x20 || (code >= 0x30 && code <= 0x39) || code === 0x21 || code === 0x2a) size++
    else size += code === 0x2b || code === 0x2d || code === 0x2f ? 1 : 3
  }
  return size
}

/**
 * Unstructured text (RFC 5322 section 2.2.1) as words for `foldField`: those that are not plain, or longer than
 * `longest`, as encoded words, white space kept. `room`: octets the first word may take up.
 */
export function textWords(text: string, smtpUtf8: boolean, room: number, longest: number): string[] {
  const pieces = text.match(/[ \t]*[^ \t]+(?:[ \t]+$)?|[ \t]+$/g) ?? []
  const words: string[] = []
  let run = ''
  let gap = ''
  const flush = (): void => {
    if (run === '') return
    const encoded = encodedWords(run, words.length === 0 ? room : 75)
    words.push(gap + (encoded[0] ?? ''), ...encoded.slice(1))
    run = ''
  }
  for (const [index, piece] of pieces.entries()) {
    const start = piece.search(/[^ \t]/)
    const bare = start !== -1 && (index === 0 ? start === 0 : start <= LONGEST_GAP) && !/[ \t]$/.test(piece)
    if (bare && isWritable(piece, smtpUtf8) && width(piece) <= longest) {
      flush()
      words.push(piece)
    } else if (run !== '') run += piece
    else {
      const keep = words.length === 0 ? 0 : start === -1 || start > LONGEST_GAP ? 1 : start
      gap = piece.slice(0, keep)
      run = piece.slice(keep)
    }
  }
  flush()
  return words
}

/** A phrase (RFC 5322 section 3.2.5) as words for `foldField`: atoms, a quoted string, or encoded words. */
export function phraseWords(text: string, smtpUtf8: boolean): string[] {
  const short = text.split(' ').every((word) => width(word) <= LONGEST_PHRASE_WORD)
  const spaced = text.includes('\t') || text.startsWith(' ') || text.endsWith(' ') || / {21}/.test(text)
  if (!short || spaced || !isWritable(text, smtpUtf8)) return encodedWords(text)
  const written = atoms.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
  return written.match(/ *[^ ]+/g) ?? []
}

/** Settings of `formatField`. */
export interface FieldOptions {
  /** Leaves UTF-8 as it is (RFC 6532) instead of writing encoded words; false by default. */
  readonly smtpUtf8?: boolean | undefined
}

/** A word of a field of no known syntax stays as it is up to this many octets, since it may be a token or a URL. */
const LONGEST_RAW_WORD = 990

/**
 * One header field with its CRLF, folded at 78, words that are not printable ASCII as encoded words (RFC 2047).
 * UsageError `HEADER_NAME` for a name that is none, `HEADER_VALUE` for a value with CR, LF or NUL.
 */
export function formatField(name: string, value: string, options: FieldOptions = {}): Buffer {
  return Buffer.from(textField(name, value, options.smtpUtf8 ?? false, LONGEST_RAW_WORD), 'utf8')
}

/** What `formatField` does, as text; words longer than `longest` octets are encoded. */
export function textField(
  name: string,
  value: string,
  smtpUtf8: boolean,
  longest = LONGEST_RAW_WORD,
): string {
  const text = checkText(value, name)
  return foldField(name, textWords(text, smtpUtf8, 76 - name.length - 2, longest))
}
