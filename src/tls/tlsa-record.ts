import { createHash, type X509Certificate } from 'node:crypto'
import { readCertificate } from './certificate-fields.js'

/** A TLSA record (RFC 6698 section 2.1). */
export interface TlsaRecord {
  /** 2: an authority of the server's chain (DANE-TA); 3: the server's own certificate (DANE-EE). */
  readonly usage: number
  /** 0: of the whole certificate; 1: of its public key. */
  readonly selector: number
  /** 0: `data` is that itself; 1: its SHA-256; 2: its SHA-512. */
  readonly matchingType: number
  readonly data: Uint8Array
}

const digests: Readonly<Record<number, { readonly name: string; readonly octets: number }>> = {
  1: { name: 'sha256', octets: 32 },
  2: { name: 'sha512', octets: 64 },
}

/** Usages 0 and 1 are unusable in SMTP (RFC 7672 section 3.1.3), and so is what is not known or cannot match. */
export function isUsable({ usage, selector, matchingType, data }: TlsaRecord): boolean {
  if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1)) return false
  return matchingType === 0 ? data.length > 0 : data.length === digests[matchingType]?.octets
}

/** A usable record is of this certificate. */
export function matchesCertificate(record: TlsaRecord, certificate: X509Certificate): boolean {
  const whole = certificate.raw
  const selected = record.selector === 0 ? whole : readCertificate(whole)?.publicKeyInfo
  if (selected === undefined) return false
  const digest = digests[record.matchingType]
  const octets = digest === undefined ? selected : createHash(digest.name).update(selected).digest()
  return Buffer.compare(octets, record.data) === 0
}
