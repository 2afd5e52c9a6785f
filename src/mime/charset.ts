import iconv from 'iconv-lite'
import { asBuffer, decodeUtf8, fromLatin1, isAscii, toLatin1, toUtf8 } from '../core/bytes.js'

type Decode = (bytes: Buffer) => string

/** Labels whose meaning on the web (WHATWG Encoding) is wider than their name, by iconv-lite's spelling. */
const wider: ReadonlyMap<string, string> = new Map([
  ['iso-8859-1', 'windows-1252'],
  ['iso8859-1', 'windows-1252'],
  ['iso_8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['latin-1', 'windows-1252'],
  ['l1', 'windows-1252'],
  ['cp819', 'windows-1252'],
  ['iso-8859-9', 'windows-1254'],
  ['latin5', 'windows-1254'],
  ['iso-8859-11', 'windows-874'],
  ['tis-620', 'windows-874'],
  ['gb2312', 'gb18030'],
  ['gbk', 'gb18030'],
  ['ks_c_5601-1987', 'cp949'],
  ['ks_c_5601', 'cp949'],
  ['euc-kr', 'cp949'],
  ['iso-8859-8-i', 'iso-8859-8'],
  ['iso-8859-8-e', 'iso-8859-8'],
])

/** Names iconv-lite takes that are no charsets. */
const notCharsets: ReadonlySet<string> = new Set(['base64', 'hex', 'binary'])

const cache = new Map<string, Decode>()
const CACHE_SIZE = 200
const LABEL_SIZE = 64

/** UTF-8 where the octets are valid UTF-8, else windows-1252: text that names no charset, or none that is known. */
function guess(bytes: Buffer): string {
  return decodeUtf8(bytes) ?? iconv.decode(bytes, 'windows-1252')
}

/** Octets made text at a time: one very long string costs several times what its pieces do. */
const STEP = 65_536

function longUtf8(bytes: Buffer): string {
  if (bytes.length <= STEP) return toUtf8(bytes)
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    let end = Math.min(at + STEP, bytes.length)
    // a character is not cut: at most three octets that continue one stand before its end
    for (let i = 0; i < 3 && end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80; i++) end--
    text += toUtf8(bytes, at, end)
    at = end
  }
  return text
}

function byIconv(name: string): Decode | null {
  if (notCharsets.has(name.replace(/[^0-9a-z]/g, '')) || !iconv.encodingExists(name)) return null
  return (bytes) => iconv.decode(bytes, name)
}

function byPlatform(name: string): Decode | null {
  try {
    const decoder = new TextDecoder(name)
    return (bytes) => decoder.decode(bytes)
  } catch {
    return null
  }
}

function decoderFor(name: string): Decode | null {
  if (name === '' || name === 'us-ascii' || name === 'ascii' || name === 'unknown-8bit') return guess
  if (name === 'utf-8' || name === 'utf8' || name === 'unicode-1-1-utf-8') return longUtf8
  return byIconv(wider.get(name) ?? name) ?? byPlatform(name)
}

function lookUp(label: string): Decode | null {
  const name = label.trim().toLowerCase()
  if (name.length > LABEL_SIZE) return null
  const known = cache.get(name)
  if (known !== undefined) return known
  const decode = decoderFor(name)
  if (decode !== null && cache.size < CACHE_SIZE) cache.set(name, decode)
  return decode
}

/** True for a charset that `decodeCharset` knows by that label, in any case. */
export function isCharset(label: string): boolean {
  return lookUp(label) !== null
}

/**
 * The text of `bytes`. Labels mean what they mean on the web (iso-8859-1 is windows-1252). For an unknown label, and
 * for us-ascii with octets over 127, the text is UTF-8 where valid, else windows-1252. Never throws; linear time.
 */
export function decodeCharset(bytes: Uint8Array, label: string): string {
  const buffer = asBuffer(bytes)
  try {
    return (lookUp(label) ?? guess)(buffer)
  } catch {
    return toLatin1(buffer)
  }
}

/** Header text of one octet a character as text: UTF-8 (RFC 6532) where valid, else windows-1252. */
export function decodeRaw(text: string): string {
  return isAscii(text) ? text : guess(fromLatin1(text))
}
