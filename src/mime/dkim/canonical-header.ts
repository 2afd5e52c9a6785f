import { asBuffer, fromLatin1, toLatin1 } from '../../core/bytes.js'
import type { Headers } from '../headers.js'

/** How much a signature lets a message change on its way (RFC 6376 section 3.4). */
export type Canonicalization = 'simple' | 'relaxed'

/**
 * One header field as it is hashed (RFC 6376 sections 3.4.1 and 3.4.2), its CRLF included. `simple`: as it stands.
 * `relaxed`: the name in lower case, folds undone, white space around the colon and at the end dropped, every other
 * run of it made one space. For the DKIM-Signature field itself the CRLF is left out by the caller (section 3.7).
 * Takes every input; linear time.
 */
export function canonicalField(field: Uint8Array, canonicalization: Canonicalization): Buffer {
  const bytes = asBuffer(field)
  if (canonicalization === 'simple') return bytes
  const text = toLatin1(bytes)
  const colon = text.indexOf(':')
  const name = colon === -1 ? '' : text.slice(0, colon)
  const value = text.slice(colon + 1)
  const flat = `${relaxed(name.toLowerCase())}${colon === -1 ? '' : ':'}${relaxed(value)}\r\n`
  return fromLatin1(flat)
}

function relaxed(text: string): string {
  const flat = text.replace(/\r?\n/g, '').replace(/[ \t]+/g, ' ')
  const start = flat.startsWith(' ') ? 1 : 0
  return flat.slice(start, flat.length > start && flat.endsWith(' ') ? -1 : undefined)
}

/**
 * The fields that the names of an `h=` tag stand for, by their index in `headers` (RFC 6376 section 5.4.2): the last
 * field of a name for its first mention, the one above it for the next, and -1 for a mention with no field left, which
 * is hashed as nothing. Linear time.
 */
export function signedFields(headers: Headers, names: readonly string[]): number[] {
  const left = new Map<string, number[]>()
  for (let i = 0; i < headers.length; i++) {
    const name = headers.nameAt(i)
    const indexes = left.get(name)
    if (indexes === undefined) left.set(name, [i])
    else indexes.push(i)
  }
  return names.map((name) => {
    const wanted = name.trim().toLowerCase()
    return wanted === '' ? -1 : (left.get(wanted)?.pop() ?? -1)
  })
}
