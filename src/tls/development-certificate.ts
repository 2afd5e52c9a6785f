import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import * as der from './der.js'

/** A certificate and its private key, both PEM. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SUBJECT_ALT_NAME = '2.5.29.17'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

const DNS_NAME = 2
const IP_ADDRESS = 7
const DAY = 86_400_000

/**
 * A self-signed certificate (RFC 5280) for `names`, host names or IP addresses, valid for `days` from yesterday: for
 * development and for a LAN, where each mail program asks once whether to trust it. P-256 with SHA-256.
 */
export function createDevelopmentCertificate(
  names: readonly string[],
  now: Date,
  days = 825,
): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der.sequence(der.objectIdentifier(ECDSA_WITH_SHA256))
  const commonName = names[0] ?? 'localhost'
  const name = der.sequence(
    der.set(der.sequence(der.objectIdentifier(COMMON_NAME), der.utf8String(commonName.slice(0, 64)))),
  )
  const validity = der.sequence(
    der.time(new Date(now.getTime() - DAY)),
    der.time(new Date(now.getTime() + days * DAY)),
  )
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const toBeSigned = der.sequence(
    der.tagged(0, der.unsigned(Buffer.from([2])), true),
    der.unsigned(serial),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...extensions(names)), true),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  return {
    cert: pem('CERTIFICATE', der.sequence(toBeSigned, algorithm, der.bitString(signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function extensions(names: readonly string[]): Buffer[] {
  const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
    der.sequence(der.objectIdentifier(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value))
  const digitalSignature = der.bitString(Buffer.from([0x80]), 7)
  return [
    extension(BASIC_CONSTRAINTS, true, der.sequence()),
    extension(KEY_USAGE, true, digitalSignature),
    extension(EXTENDED_KEY_USAGE, false, der.sequence(der.objectIdentifier(SERVER_AUTH))),
    extension(SUBJECT_ALT_NAME, false, der.sequence(...names.map(generalName))),
  ]
}

/** RFC 5280 section 4.2.1.6. */
function generalName(name: string): Buffer {
  const version = isIP(name)
  if (version === 0) return der.tagged(DNS_NAME, Buffer.from(name, 'latin1'), false)
  return der.tagged(IP_ADDRESS, version === 4 ? ipv4Octets(name) : ipv6Octets(name), false)
}

function ipv4Octets(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** The canonical form of a URL's host writes every IPv6 address with hexadecimal groups and one `::` at most. */
function ipv6Octets(address: string): Buffer {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = new Array<number>(8 - before.length - after.length).fill(0)
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
