import { asBuffer } from '../core/bytes.js'
import { Base64Decoder, type BodyDecoder, IdentityDecoder } from './base64.js'
import { decodeCharset } from './charset.js'
import { QuotedPrintableDecoder } from './quoted-printable.js'
import { UuDecoder, YencDecoder } from './uuencode.js'

/** A decoder for a Content-Transfer-Encoding in lower case; octets of an unknown encoding come out as they stand. */
export function bodyDecoder(encoding: string): BodyDecoder {
  if (encoding === 'base64') return new Base64Decoder()
  if (encoding === 'quoted-printable') return new QuotedPrintableDecoder()
  if (isUuencode(encoding)) return new UuDecoder()
  if (isYenc(encoding)) return new YencDecoder()
  return new IdentityDecoder()
}

/** True for the encodings that leave the octets as they are (RFC 2045 section 6.2), and for none. */
export function isIdentity(encoding: string): boolean {
  return encoding === '7bit' || encoding === '8bit' || encoding === 'binary' || encoding === ''
}

/** True for every encoding of RFC 2045 section 6, and for uuencode and yEnc by the names in use. */
export function isKnownEncoding(encoding: string): boolean {
  return (
    isIdentity(encoding) ||
    encoding === 'base64' ||
    encoding === 'quoted-printable' ||
    isUuencode(encoding) ||
    isYenc(encoding)
  )
}

function isUuencode(encoding: string): boolean {
  return encoding === 'x-uuencode' || encoding === 'uuencode' || encoding === 'x-uue' || encoding === 'uue'
}

function isYenc(encoding: string): boolean {
  return encoding === 'x-yenc' || encoding === 'yenc' || encoding === 'x-yencode'
}

/** A whole body, decoded. A view of `body` where there is nothing to undo. */
export function decodeBody(body: Uint8Array, encoding: string): Buffer {
  const decoder = bodyDecoder(encoding)
  const decoded = decoder.write(asBuffer(body))
  const rest = decoder.end()
  return rest.length === 0 ? decoded : Buffer.concat([decoded, rest])
}

/** A whole text body as text: its transfer encoding undone, its charset converted as `decodeCharset` does. */
export function decodeText(body: Uint8Array, encoding: string, charset: string): string {
  return decodeCharset(decodeBody(body, encoding), charset)
}
