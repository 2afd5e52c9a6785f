import { type DerElement, readElements } from './der-reader.js'

const SEQUENCE = 0x30
const VERSION = 0xa0
const EXTENSIONS = 0xa3
const BOOLEAN = 0x01
const INTEGER = 0x02

/** What Node does not tell of a certificate. */
export interface CertificateFields {
  /** SubjectPublicKeyInfo as it stands (RFC 5280 section 4.1). */
  readonly publicKeyInfo: Buffer
  /** By the content octets of the object identifier, in hexadecimal. */
  readonly extensions: ReadonlyMap<string, { readonly critical: boolean; readonly value: Buffer }>
}

/**
 * Reads a certificate in DER; null where it is none.
 *
 *     TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                                   subjectPublicKeyInfo, [1] [2] unique identifiers, [3] extensions }
 */
export function readCertificate(der: Uint8Array): CertificateFields | null {
  const [certificate] = readElements(Buffer.from(der)) ?? []
  const [toBeSigned] = inside(certificate)
  const fields = inside(toBeSigned)
  const first = fields[0]?.tag === VERSION ? 1 : 0
  const publicKeyInfo = fields[first + 5]
  if (publicKeyInfo?.tag !== SEQUENCE) return null
  const [list] = inside(fields.find(({ tag }) => tag === EXTENSIONS))
  const extensions = new Map<string, { critical: boolean; value: Buffer }>()
  for (const extension of inside(list)) {
    const [id, ...rest] = inside(extension)
    const value = rest.at(-1)
    if (id === undefined || value === undefined) return null
    const critical = rest[0]?.tag === BOOLEAN && rest[0].content[0] !== 0
    extensions.set(id.content.toString('hex'), { critical, value: value.content })
  }
  return { publicKeyInfo: publicKeyInfo.whole, extensions }
}

/**
 * How many authorities may stand between this one and the certificate at the end; Infinity where it does not say.
 *
 *     BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }
 */
export function pathLengthOf(basicConstraints: Buffer): number {
  const length = inside(readElements(basicConstraints)?.[0]).find(({ tag }) => tag === INTEGER)?.content
  if (length === undefined) return Number.POSITIVE_INFINITY
  return length.length === 0 || length.length > 4 ? 0 : length.readUIntBE(0, length.length)
}

/** A BIT STRING of RFC 5280 section 4.2.1.3 has keyCertSign, bit 5. */
export function maySignCertificates(keyUsage: Buffer): boolean {
  const bits = readElements(keyUsage)?.[0]?.content
  return bits !== undefined && ((bits[1] ?? 0) & 0x04) !== 0
}

function inside(element: DerElement | undefined): DerElement[] {
  return element === undefined ? [] : (readElements(element.content) ?? [])
}
