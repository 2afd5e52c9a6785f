import type { DefectCode } from './defects.js'
import { fieldName, type Headers } from './headers.js'
import type { MimeLimits } from './limits.js'
import { joinParameter } from './parameter-values.js'
import { type ContentType, parseToken, scanContentType } from './structured-field.js'
import { isKnownEncoding } from './transfer-encoding.js'

/** What a part's header says of how its body is to be read. */
export interface PartHeader {
  readonly contentType: ContentType
  /** Content-Transfer-Encoding in lower case; `7bit` where absent. */
  readonly encoding: string
  /** Of a multipart, else null. */
  readonly boundary: string | null
}

/** RFC 2046 section 5.1.1 allows 70; a line of RFC 5322 holds no more than this. */
const MAX_BOUNDARY = 998
/** What stands for an absent or unusable Content-Type (RFC 2045 section 5.2). */
const plainAscii: ContentType = {
  type: 'text',
  subtype: 'plain',
  parameters: [['charset', 'us-ascii']],
  truncated: false,
}
const messageRfc822: ContentType = { type: 'message', subtype: 'rfc822', parameters: [], truncated: false }

const transferEncoding = fieldName('content-transfer-encoding')
const contentTypeName = fieldName('content-type')
const contentLengthName = fieldName('content-length')

/** Most are written in one of these ways. */
function encodingOf(written: string): string {
  switch (written) {
    case 'base64':
    case 'quoted-printable':
    case '7bit':
    case '8bit':
      return written
    default:
      return parseToken(written) || '7bit'
  }
}

/** The boundary parameter of a multipart, or null where there is no usable one. */
function boundaryOf(parameters: ContentType['parameters']): string | null {
  const boundary = joinParameter(parameters, 'boundary')?.replace(/[ \t]+$/, '') ?? ''
  return boundary !== '' && boundary.length <= MAX_BOUNDARY ? boundary : null
}

/** The boundary that a header announces, or null. */
export function announcedBoundary(headers: Headers, limits: MimeLimits): string | null {
  const value = headers.getKnown(contentTypeName)
  const contentType = value === null ? null : scanContentType(value, limits.parameters)
  return contentType?.type === 'multipart' ? boundaryOf(contentType.parameters) : null
}

/** The first Content-Length: its number (NaN where it is none) and how many octets stand before it; or null. */
export function readContentLength(
  headers: Headers,
): { readonly size: number; readonly offset: number } | null {
  const value = headers.getKnown(contentLengthName)
  if (value === null) return null
  for (const { name, offset } of headers) {
    if (name.toLowerCase() === contentLengthName.name)
      return { size: /^\d+$/.test(value) ? Number(value) : Number.NaN, offset }
  }
  return null
}

/** Reads Content-Type and Content-Transfer-Encoding; `report` is told of what is wrong with them. */
export function readPartHeader(
  headers: Headers,
  parent: { readonly contentType: ContentType } | null,
  limits: MimeLimits,
  report: (code: DefectCode) => void,
): PartHeader {
  const written = headers.getKnown(transferEncoding)
  const encoding = written === null ? '7bit' : encodingOf(written)
  if (!isKnownEncoding(encoding)) report('encodingUnknown')
  const value = headers.getKnown(contentTypeName)
  if (value === null) {
    const inDigest = parent?.contentType.type === 'multipart' && parent.contentType.subtype === 'digest'
    return { contentType: inDigest ? messageRfc822 : plainAscii, encoding, boundary: null }
  }
  const contentType = scanContentType(value, limits.parameters)
  if (contentType === null) {
    report('contentTypeUnusable')
    return { contentType: plainAscii, encoding, boundary: null }
  }
  if (contentType.truncated) report('tooManyParameters')
  if (contentType.type !== 'multipart') return { contentType, encoding, boundary: null }
  const boundary = boundaryOf(contentType.parameters)
  if (boundary !== null) return { contentType, encoding, boundary }
  report('boundaryMissing')
  return { contentType: plainAscii, encoding, boundary: null }
}

/** A type whose body is a message (RFC 2046 section 5.2.1, RFC 6532 section 3.7). */
export function isMessage(type: string, subtype: string): boolean {
  return type === 'message' && (subtype === 'rfc822' || subtype === 'global')
}
