import iconv from 'iconv-lite'
import { asBuffer, decodeUtf8, fromLatin1, isAscii, toLatin1, toUtf8 } from '../core/bytes.js'

type Decode = (bytes: Buffer) => string

/** Encodings by the web's name for them, in the table of iconv-lite that holds all of their characters. */
const tables: ReadonlyMap<string, string> = new Map([
  ['gbk', 'gb18030'],
  ['euc-kr', 'cp949'],
  ['iso-8859-8-i', 'iso-8859-8'],
  // by the platform: iconv-lite's is older than the euro sign
  ['macintosh', ''],
  // labels in use that the web does not have
  ['latin-1', 'windows-1252'],
  ['ks_c_5601', 'cp949'],
])

/** Labels of ASCII (IANA): mail that names it may hold anything. */
const ascii: ReadonlySet<string> = new Set([
  '',
  'us-ascii',
  'ascii',
  'unknown-8bit',
  'ansi_x3.4-1968',
  'ansi_x3.4-1986',
  'iso646-us',
  'iso_646.irv:1991',
  'iso-ir-6',
  'us',
  'ibm367',
  'cp367',
  'csascii',
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

/** The platform's decoder for one of the web's labels, or null. */
function platformDecoder(name: string): InstanceType<typeof TextDecoder> | null {
  try {
    return new TextDecoder(name)
  } catch {
    return null
  }
}

function decoderFor(name: string): Decode | null {
  if (ascii.has(name)) return guess
  if (name === 'utf-8' || name === 'utf8' || name === 'unicode-1-1-utf-8') return longUtf8
  // without a byte order mark the web takes it for little-endian, where mail may have either
  const platform = name === 'utf-16' ? null : platformDecoder(name)
  const encoding = platform?.encoding ?? name
  const decode = byIconv(tables.get(encoding) ?? encoding)
  return decode ?? (platform === null ? null : (bytes) => platform.decode(bytes))
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
