import libmime from 'libmime'
import { toUtf8 } from '../core/bytes.js'
import { UsageError } from '../core/errors.js'
import { sextets } from './base64.js'
import { decodeCharset, decodeRaw } from './charset.js'
import { joinLines } from './text.js'

/**
 * encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?=" (RFC 2047 section 2, RFC 2231 section 5).
 * Spaces within Q text, and question marks at its end, are taken as well.
 */
const word = /=\?([^?\s]{1,64})\?([bBqQ])\?([^?]*\?*)\?=/y

function isBlank(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d && code !== 0x0a) return false
  }
  return true
}

/** Octets of words that are joined before they are converted; values that are longer get memory of their own. */
const shared = Buffer.allocUnsafe(4_096)

/** Writes what Q text from `from` to `to` stands for (RFC 2047 section 4.2); the index after it. */
function writeQ(text: string, from: number, to: number, out: Buffer, start: number): number {
  let length = start
  for (let i = from; i < to; i++) {
    let code = text.charCodeAt(i)
    if (code === 0x5f) code = 0x20
    else if (code === 0x0d || code === 0x0a) continue
    else if (code === 0x3d && i + 2 < to) {
      const value = hexPair(text, i + 1)
      if (value !== -1) {
        code = value
        i += 2
      }
    }
    out[length++] = code
  }
  return length
}

/** Writes what base64 from `from` to `to` stands for; the index after it. A call costs more than a short text. */
function writeB(text: string, from: number, to: number, out: Buffer, start: number): number {
  let length = start
  let at = from
  for (; at + 4 <= to; at += 4) {
    const a = sextets[text.charCodeAt(at)] ?? 64
    const b = sextets[text.charCodeAt(at + 1)] ?? 64
    const c = sextets[text.charCodeAt(at + 2)] ?? 64
    const d = sextets[text.charCodeAt(at + 3)] ?? 64
    if ((a | b | c | d) > 63) break
    const octets = (a << 18) | (b << 12) | (c << 6) | d
    out[length] = octets >> 16
    out[length + 1] = octets >> 8
    out[length + 2] = octets
    length += 3
  }
  if (at === to) return length
  // the last characters, with the padding that ends them
  const padding =
    at + 4 === to && text.charCodeAt(to - 1) === 0x3d ? (text.charCodeAt(to - 2) === 0x3d ? 2 : 1) : 0
  if (padding > 0) {
    const a = sextets[text.charCodeAt(at)] ?? 64
    const b = sextets[text.charCodeAt(at + 1)] ?? 64
    const c = padding === 2 ? 0 : (sextets[text.charCodeAt(at + 2)] ?? 64)
    if ((a | b | c) < 64) {
      out[length++] = (a << 2) | (b >> 4)
      if (padding === 1) out[length++] = (b << 4) | (c >> 2)
      return length
    }
  }
  return writeDamaged(text.slice(at, to), out, length)
}

/** `writeB` for what may hold anything. Node's decoder stops at the first padding; encoders that joined words left some inside. */
function writeDamaged(text: string, out: Buffer, start: number): number {
  const pad = text.indexOf('=')
  if (pad === -1 || pad >= text.length - 2) return start + out.write(text, start, 'base64')
  let length = start
  for (const piece of text.split(/=+/)) length += out.write(piece, length, 'base64')
  return length
}

/** The value of two hexadecimal digits at `at`, or -1. */
export function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at))
  const low = hexDigit(text.charCodeAt(at + 1))
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

/** The value of a hexadecimal digit by its code, or -1. */
export function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  if (code >= 0x41 && code <= 0x46) return code - 0x37
  if (code >= 0x61 && code <= 0x66) return code - 0x57
  return -1
}

/**
 * Header text (one octet a character) as text on one line: encoded words decoded wherever they stand, white space
 * between two of them dropped, a character split over neighbours of one charset joined (RFC 2047 section 6.2).
 * Text outside of words is UTF-8 where valid, else windows-1252. What cannot be decoded stays as it is. Linear time.
 */
export function decodeWords(value: string): string {
  return readWords(value, 0, value.length)
}

/**
 * `decodeWords` of what stands from `start` to `end`. Its searches may go on to the next word behind `end`, so that
 * reading one value after another of a block looks at no octet more than a few times.
 */
export function readWords(value: string, start: number, end: number): string {
  let at = wordAt(value, start)
  if (at === -1 || at >= end) return rawPart(value, start, end)
  const octets = end - start > shared.length ? Buffer.allocUnsafe(end - start) : shared
  let held = 0
  let out = ''
  let charset = ''
  let from = start
  let inWord = false
  while (at !== -1 && at < end) {
    // "=?" charset "?" encoding "?" text "?="
    const labelEnd = value.indexOf('?', at + 2)
    const textAt = labelEnd + 3
    const encoding = labelEnd === -1 ? 0 : value.charCodeAt(labelEnd + 1) | 0x20
    let mark = -1
    if ((encoding === 0x62 || encoding === 0x71) && value.charCodeAt(labelEnd + 2) === 0x3f) {
      mark = value.indexOf('?', textAt)
      while (mark !== -1 && value.charCodeAt(mark + 1) === 0x3f) mark++
    }
    if (
      mark === -1 ||
      mark + 2 > end ||
      value.charCodeAt(mark + 1) !== 0x3d ||
      !isLabel(value, at + 2, labelEnd)
    ) {
      at = wordAt(value, at + 2)
      continue
    }
    const label = labelOf(value, at + 2, labelEnd)
    const joined = inWord && isBlank(value, from, at)
    if (held > 0 && !(joined && label === charset)) {
      out += textOf(octets, held, charset)
      held = 0
    }
    if (!joined && at > from) out += rawPart(value, from, at)
    charset = label
    held =
      encoding === 0x71
        ? writeQ(value, textAt, mark, octets, held)
        : writeB(value, textAt, mark, octets, held)
    inWord = true
    from = mark + 2
    at = wordAt(value, from)
  }
  if (held > 0) out += textOf(octets, held, charset)
  return from < end ? out + rawPart(value, from, end) : out
}

/** The index of the next `=?`, or -1. A search for one character is much faster than one for two. */
export function wordAt(text: string, from: number): number {
  let at = text.indexOf('=', from)
  while (at !== -1 && text.charCodeAt(at + 1) !== 0x3f) at = text.indexOf('=', at + 1)
  return at
}

/** Text outside of words, on one line. */
function rawPart(text: string, from: number, to: number): string {
  return decodeRaw(joinLines(text, from, to))
}

function textOf(octets: Buffer, length: number, charset: string): string {
  return charset === 'utf-8' ? toUtf8(octets, 0, length) : decodeCharset(octets.subarray(0, length), charset)
}

const LONGEST_LABEL = 64

/** A charset, with whatever language after it. */
function isLabel(value: string, start: number, end: number): boolean {
  if (end === start || end - start > LONGEST_LABEL) return false
  for (let i = start; i < end; i++) if (value.charCodeAt(i) <= 0x20) return false
  return true
}

/** The charset in lower case, without a language (RFC 2231 section 5). */
function labelOf(value: string, start: number, end: number): string {
  if (
    end - start === 5 &&
    value.charCodeAt(start + 4) === 0x38 &&
    value.charCodeAt(start + 3) === 0x2d &&
    (value.charCodeAt(start) | 0x20) === 0x75 &&
    (value.charCodeAt(start + 1) | 0x20) === 0x74 &&
    (value.charCodeAt(start + 2) | 0x20) === 0x66
  )
    return 'utf-8'
  const label = value.slice(start, end)
  const star = label.indexOf('*')
  return (star === -1 ? label : label.slice(0, star)).toLowerCase()
}

/** True when the text begins with something that may be an encoded word; its length, or 0. */
export function encodedWordAt(text: string, at: number): number {
  word.lastIndex = at
  const match = word.exec(text)
  return match === null ? 0 : match[0].length
}

/**
 * Text for an unstructured field: words that are not plain ASCII as encoded words in UTF-8 (RFC 2047). Not folded.
 * UsageError `HEADER_VALUE` for text with CR, LF or NUL, which would end the field.
 */
export function encodeWords(text: string): string {
  if (/[\r\n\0]/.test(text))
    throw new UsageError('HEADER_VALUE', 'a header value must not hold CR, LF or NUL')
  return libmime.encodeWords(text, 'Q', 52)
}
