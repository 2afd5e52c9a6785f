import libmime from 'libmime'
import { UsageError } from '../core/errors.js'
import { decodeCharset, decodeRaw } from './charset.js'

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

function wordBytes(encoding: string, text: string): Buffer {
  if (encoding === 'b' || encoding === 'B') return decodeB(text)
  const out = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    if (code === 0x5f) code = 0x20
    else if (code === 0x3d) {
      const value = hexPair(text, i + 1)
      if (value !== -1) {
        code = value
        i += 2
      }
    }
    out[length++] = code
  }
  return out.subarray(0, length)
}

/** Node's decoder stops at the first padding; encoders that joined words left some inside. */
function decodeB(text: string): Buffer {
  const pad = text.indexOf('=')
  if (pad === -1 || pad >= text.length - 2) return Buffer.from(text, 'base64')
  return Buffer.concat(text.split(/=+/).map((piece) => Buffer.from(piece, 'base64')))
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
 * Header text (one octet a character, unfolded) as text: encoded words decoded wherever they stand, white space
 * between two of them dropped, a character split over neighbours of one charset joined (RFC 2047 section 6.2).
 * Text outside of words is UTF-8 where valid, else windows-1252. What cannot be decoded stays as it is. Linear time.
 */
export function decodeWords(value: string): string {
  let at = value.indexOf('=?')
  if (at === -1) return decodeRaw(value)
  const out: string[] = []
  let pending: Buffer[] = []
  let charset = ''
  let from = 0
  const flush = (): void => {
    if (pending.length > 0) out.push(decodeCharset(Buffer.concat(pending), charset))
    pending = []
  }
  while (at !== -1) {
    word.lastIndex = at
    const match = word.exec(value)
    if (match === null) {
      at = value.indexOf('=?', at + 2)
      continue
    }
    const label = (match[1] ?? '').split('*', 1)[0]?.toLowerCase() ?? ''
    const joined = pending.length > 0 && isBlank(value, from, at)
    if (!joined || label !== charset) flush()
    if (!joined && at > from) out.push(decodeRaw(value.slice(from, at)))
    charset = label
    pending.push(wordBytes(match[2] ?? '', match[3] ?? ''))
    from = word.lastIndex
    at = value.indexOf('=?', from)
  }
  flush()
  if (from < value.length) out.push(decodeRaw(value.slice(from)))
  return out.join('')
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
