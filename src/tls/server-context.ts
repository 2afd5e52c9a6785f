import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { UsageError } from '../core/errors.js'
import type { CertificatePair } from './development-certificate.js'

/** The oldest TLS version that is spoken: RFC 8996 and RFC 8314 section 4.1. */
const MIN_VERSION = 'TLSv1.2'

export interface ServerContextOptions {
  /** PEM; the first is for clients that name no host, or one that no certificate here has. */
  readonly certificates: readonly CertificatePair[]
}

/**
 * The certificates of a server. Which one a client sees follows from the name it asks for (SNI, RFC 6066 section 3);
 * `replace` takes new ones without ending the sessions that run.
 */
export class TlsServerContext {
  #contexts: readonly Loaded[]

  /** Throws UsageError `TLS_CERTIFICATE` for a certificate or key that cannot be used, or a pair that does not match. */
  constructor(options: ServerContextOptions) {
    this.#contexts = load(options)
  }

  replace(options: ServerContextOptions): void {
    this.#contexts = load(options)
  }

  /** The context for a host name as the client sent it. */
  contextFor(serverName: string | null): SecureContext {
    const [first] = this.#contexts
    if (first === undefined) throw new UsageError('TLS_CERTIFICATE', 'there is no certificate')
    if (serverName === null || serverName === '') return first.context
    return (this.#contexts.find(({ certificate }) => certificate.checkHost(serverName)) ?? first).context
  }
}

interface Loaded {
  readonly certificate: X509Certificate
  readonly context: SecureContext
}

function load({ certificates }: ServerContextOptions): readonly Loaded[] {
  if (certificates.length === 0) throw new UsageError('TLS_CERTIFICATE', 'there is no certificate')
  return certificates.map(({ cert, key }) => {
    try {
      return {
        certificate: new X509Certificate(cert),
        context: createSecureContext({ cert, key, minVersion: MIN_VERSION }),
      }
    } catch (error) {
      throw new UsageError('TLS_CERTIFICATE', `the certificate cannot be used: ${(error as Error).message}`)
    }
  })
}
