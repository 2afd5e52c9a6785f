import { toLatin1 } from '../core/bytes.js'
import { decodeCharset, isCharset } from './charset.js'

/** Octets in which a charset is looked for (the HTML standard looks at 1,024). */
const LOOKED_AT = 4_096

/** The charset that a byte order mark names, and the mark's octets. */
function markOf(bytes: Buffer): readonly [charset: string, size: number] | null {
  const [first, second, third, fourth] = bytes
  if (first === 0xef && second === 0xbb && third === 0xbf) return ['utf-8', 3]
  if (first === 0xff && second === 0xfe)
    return third === 0 && fourth === 0 ? ['utf-32le', 4] : ['utf-16le', 2]
  if (first === 0xfe && second === 0xff) return ['utf-16be', 2]
  return null
}

/** The charset that a `meta` element at the head of an HTML body names, or null. */
export function charsetOfHtml(bytes: Buffer): string | null {
  const head = toLatin1(bytes, 0, Math.min(bytes.length, LOOKED_AT))
  for (let at = head.search(/<meta\b/i); at !== -1; ) {
    const end = head.indexOf('>', at)
    const tag = head.slice(at, end === -1 ? head.length : end)
    const charset = /\bcharset\s{0,8}=\s{0,8}["']?\s{0,8}([^\s"'/>;]{1,64})/i.exec(tag)?.[1]
    // a document that says so in ASCII is not UTF-16 (HTML standard, section 13.2.3.2)
    if (charset !== undefined && isCharset(charset)) return /^utf-16/i.test(charset) ? 'utf-8' : charset
    const next = head.slice(at + 5).search(/<meta\b/i)
    at = next === -1 ? -1 : at + 5 + next
  }
  return null
}

/**
 * The text of a body: the charset is that of a byte order mark, else the one the part names if it is known, else that
 * of an HTML body's `meta`, else a guess (UTF-8 where valid, else windows-1252). Never throws.
 */
export function decodeBodyText(bytes: Buffer, charset: string, isHtml: boolean): string {
  const mark = bytes.length > 1 && (bytes[0] as number) > 0xee ? markOf(bytes) : null
  if (mark !== null) return decodeCharset(bytes.subarray(mark[1]), mark[0])
  if (isHtml && (charset === '' || !isCharset(charset)))
    return decodeCharset(bytes, charsetOfHtml(bytes) ?? charset)
  return decodeCharset(bytes, charset)
}
