import { X509Certificate } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/index.js'
import { type CertificatePair, createDevelopmentCertificate, TlsServerContext } from '../tls/index.js'
import { configError } from './check.js'
import type { MailServerOptions } from './options.js'

/** A development certificate is replaced when it has no more than this left, in milliseconds. */
const RENEW_BEFORE = 30 * 86_400_000

/**
 * The certificates of the options, read; without any, a self-signed one that lives in the data folder, so that a
 * mail program that trusts it once goes on to. Null where TLS is switched off.
 */
export async function loadCertificates(
  { tls, data }: Pick<MailServerOptions, 'tls' | 'data'>,
  hostname: string,
  clock: Clock,
): Promise<TlsServerContext | null> {
  if (tls === false) return null
  if (tls === undefined) {
    return new TlsServerContext({ certificates: [await developmentCertificate(data, hostname, clock)] })
  }
  const pairs: readonly CertificatePair[] = Array.isArray(tls) ? tls : [tls as CertificatePair]
  const certificates = await Promise.all(
    pairs.map(async ({ cert, key }, index) => {
      const name = Array.isArray(tls) ? `tls[${index}]` : 'tls'
      return { cert: await readPem(cert, `${name}.cert`), key: await readPem(key, `${name}.key`) }
    }),
  )
  try {
    return new TlsServerContext({ certificates })
  } catch (error) {
    throw configError('tls', (error as Error).message)
  }
}

async function readPem(value: string, key: string): Promise<string> {
  if (value.includes('-----BEGIN')) return value
  try {
    return await readFile(value, 'utf8')
  } catch (error) {
    throw configError(key, `cannot be read: ${(error as Error).message}`)
  }
}

async function developmentCertificate(
  data: string | undefined,
  hostname: string,
  clock: Clock,
): Promise<CertificatePair> {
  const names = [...new Set([hostname, 'localhost', '127.0.0.1', '::1'])]
  const now = new Date(clock.now())
  if (data === undefined) return createDevelopmentCertificate(names, now)
  const folder = join(data, 'tls')
  const files = { cert: join(folder, 'development-cert.pem'), key: join(folder, 'development-key.pem') }
  const kept = await readPair(files).catch(() => null)
  if (kept !== null && isGood(kept, hostname, now)) return kept
  const made = createDevelopmentCertificate(names, now)
  await mkdir(folder, { recursive: true })
  await writeFile(files.key, made.key, { mode: 0o600 })
  await writeFile(files.cert, made.cert)
  return made
}

async function readPair({ cert, key }: CertificatePair): Promise<CertificatePair> {
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
}

function isGood({ cert }: CertificatePair, hostname: string, now: Date): boolean {
  try {
    const certificate = new X509Certificate(cert)
    const left = new Date(certificate.validTo).getTime() - now.getTime()
    return left > RENEW_BEFORE && certificate.checkHost(hostname) !== undefined
  } catch {
    return false
  }
}
