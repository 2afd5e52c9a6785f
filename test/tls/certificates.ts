import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import * as der from '../../src/tls/der.js'

export interface Made {
  readonly certificate: X509Certificate
  readonly cert: string
  readonly key: string
  readonly privateKey: KeyObject
  readonly name: Buffer
}

export interface Wanted {
  readonly subject: string
  /** DNS names; none makes no subjectAltName. */
  readonly names?: readonly string[]
  /** Who signs it; it does itself by default. */
  readonly issuer?: Made
  readonly ca?: boolean
  readonly pathLength?: number
  /** Of keyUsage. */
  readonly certSign?: boolean
  /** An extended key usage. */
  readonly usage?: string
  /** A critical extension that nobody knows. */
  readonly strange?: boolean
  readonly from?: Date
  readonly to?: Date
}

export const now = new Date('2026-05-01T12:00:00Z')
const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000)

/** A certificate (RFC 5280), P-256 with SHA-256, right or wrong as it is wanted. */
export function makeCertificate(wanted: Wanted): Made {
  const {
    subject,
    names = [],
    issuer,
    ca = false,
    certSign = ca,
    pathLength,
    usage,
    strange = false,
  } = wanted
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2'))
  const name = der.sequence(der.set(der.sequence(der.objectIdentifier('2.5.4.3'), der.utf8String(subject))))
  const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
    der.sequence(der.objectIdentifier(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value))
  const length = pathLength === undefined ? [] : [der.unsigned(Buffer.from([pathLength]))]
  const extensions = [
    extension('2.5.29.19', true, der.sequence(...(ca ? [der.boolean(true), ...length] : []))),
    extension('2.5.29.15', true, der.bitString(Buffer.from([certSign ? 0x84 : 0x80]), 2)),
    ...(usage === undefined
      ? []
      : [extension('2.5.29.37', false, der.sequence(der.objectIdentifier(usage)))]),
    ...(strange ? [extension('1.2.3.4', true, der.sequence())] : []),
    ...(names.length === 0
      ? []
      : [
          extension(
            '2.5.29.17',
            false,
            der.sequence(...names.map((each) => der.tagged(2, Buffer.from(each), false))),
          ),
        ]),
  ]
  const serial = randomBytes(8)
  serial[0] = 0x41
  const toBeSigned = der.sequence(
    der.tagged(0, der.unsigned(Buffer.from([2])), true),
    der.unsigned(serial),
    algorithm,
    issuer?.name ?? name,
    der.sequence(der.time(wanted.from ?? days(-1)), der.time(wanted.to ?? days(30))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...extensions), true),
  )
  const signature = sign('sha256', toBeSigned, issuer?.privateKey ?? privateKey)
  const certificate = new X509Certificate(der.sequence(toBeSigned, algorithm, der.bitString(signature)))
  return {
    certificate,
    cert: certificate.toString(),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
    name,
  }
}
