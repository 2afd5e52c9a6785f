import { createPublicKey, X509Certificate } from 'node:crypto'
import { type Anchor, leadsTo } from './certificate-path.js'
import { isUsable, matchesCertificate, type TlsaRecord } from './tlsa-record.js'

/** What a domain says of its server's certificate by DANE. */
export interface DaneOptions {
  /** The TLSA records of the server, which DNSSEC must have proved. */
  readonly records: readonly TlsaRecord[]
  /** Names of which a certificate under DANE-TA must have one (RFC 7672 section 3.2.2): the server's, and the domain's. */
  readonly names: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * `authenticated`: a record matches. `mismatch`: none does, and the server must not be used. `unusable`: there is no
 * record that could match; there must be TLS all the same, with whatever certificate (RFC 7672 section 2.2).
 */
export type DaneOutcome = 'authenticated' | 'mismatch' | 'unusable'

/**
 * Holds a server's certificates, its own first, against TLSA records as SMTP does (RFC 7672 section 3.1): of DANE-EE
 * neither names nor dates matter, of DANE-TA the whole path to the authority, and the name. Never throws.
 */
export function checkDane(chain: readonly X509Certificate[], options: DaneOptions): DaneOutcome {
  const usable = options.records.filter(isUsable)
  const [server] = chain
  if (usable.length === 0) return 'unusable'
  if (server === undefined) return 'mismatch'
  const found = usable.some((record) =>
    record.usage === 3
      ? matchesCertificate(record, server)
      : options.names.some((name) => server.checkHost(name) !== undefined) &&
        hasAuthority(chain, record, options.now),
  )
  return found ? 'authenticated' : 'mismatch'
}

/** The authority stands in the chain, or the record itself is its certificate or key (RFC 7672 section 3.1.2). */
function hasAuthority(chain: readonly X509Certificate[], record: TlsaRecord, now: number): boolean {
  for (let depth = 1; depth < chain.length; depth++) {
    const certificate = chain[depth] as X509Certificate
    if (matchesCertificate(record, certificate) && leadsTo(chain.slice(0, depth), { certificate }, now))
      return true
  }
  const anchor = record.matchingType === 0 ? anchorOf(record) : null
  return anchor !== null && chain.some((_, depth) => leadsTo(chain.slice(0, depth + 1), anchor, now))
}

function anchorOf({ selector, data }: TlsaRecord): Anchor | null {
  try {
    const der = Buffer.from(data)
    if (selector === 0) return { certificate: new X509Certificate(der) }
    return { key: createPublicKey({ key: der, format: 'der', type: 'spki' }) }
  } catch {
    return null
  }
}
