import type { KeyObject, X509Certificate } from 'node:crypto'
import { maySignCertificates, pathLengthOf, readCertificate } from './certificate-fields.js'

const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_USAGE = '2.5.29.37.0'
/** Object identifiers 2.5.29.19 and others, as their octets. */
const BASIC_CONSTRAINTS = '551d13'
const KEY_USAGE = '551d0f'
/** What may be critical: those two, subjectAltName, extKeyUsage, and policies, since any policy will do. */
const understood: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, KEY_USAGE, '551d11', '551d25', '551d20'])

/** Where a path ends: an authority's certificate, or its bare public key. */
export type Anchor = { readonly certificate: X509Certificate } | { readonly key: KeyObject }

/**
 * Whether `path`, the server's certificate first, leads to the anchor (RFC 5280 section 6.1, as far as SMTP meets it):
 * each certificate is signed by the next one, is in its time, and may be what it is; what is critical and not
 * understood fails, name constraints too.
 */
export function leadsTo(path: readonly X509Certificate[], anchor: Anchor, now: number): boolean {
  const all = 'certificate' in anchor ? [...path, anchor.certificate] : path
  const [server] = path
  if (server === undefined || !mayServe(server)) return false
  return all.every((certificate, depth) => {
    const issuer = all[depth + 1]
    const signed =
      issuer !== undefined
        ? certificate.checkIssued(issuer) && isSigned(certificate, () => issuer.publicKey)
        : 'certificate' in anchor || isSigned(certificate, () => anchor.key)
    return signed && isInTime(certificate, now) && isSound(certificate, depth)
  })
}

/** False for a key that this OpenSSL does not know, too. */
function isSigned(certificate: X509Certificate, key: () => KeyObject): boolean {
  try {
    return certificate.verify(key())
  } catch {
    return false
  }
}

function isInTime({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo)
}

function mayServe({ keyUsage }: X509Certificate): boolean {
  // Node calls the extended key usages so; without that extension there is no bound.
  const usages = keyUsage as readonly string[] | undefined
  return usages === undefined || usages.includes(SERVER_AUTH) || usages.includes(ANY_USAGE)
}

/** `depth`: 0 is the server's own; from 1 on it must be an authority that may stand so far up. */
function isSound(certificate: X509Certificate, depth: number): boolean {
  const fields = readCertificate(certificate.raw)
  if (fields === null) return false
  for (const [id, { critical }] of fields.extensions) if (critical && !understood.has(id)) return false
  if (depth === 0) return true
  const constraints = fields.extensions.get(BASIC_CONSTRAINTS)
  const usage = fields.extensions.get(KEY_USAGE)
  if (!certificate.ca || constraints === undefined) return false
  return (
    pathLengthOf(constraints.value) >= depth - 1 && (usage === undefined || maySignCertificates(usage.value))
  )
}
