import { isIP, isIPv4, isIPv6 } from 'node:net'
import { asBuffer, crc32c, toLatin1 } from '../core/index.js'

/** What a PROXY header says of the connection behind the proxy. */
export interface ProxyAddresses {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

/**
 * `more`: the header is not complete. `bad`: this is none, and nothing of what came may be acted upon. Else the octets it
 * takes; `addresses` is null where the connection's own are to be used: the proxy speaks for itself (LOCAL), does not know
 * (UNKNOWN, UNSPEC), or tells of a connection that is none of TCP.
 */
export type ProxyHeader =
  | 'more'
  | 'bad'
  | { readonly length: number; readonly addresses: ProxyAddresses | null }

const V1 = 'PROXY '
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const V1_LONGEST = 107
const V2_LONGEST = 536
const V2_FIXED = 16
const PORT = /^(?:0|[1-9]\d{0,4})$/
const LF = 0x0a
const CR = 0x0d
/** Octets of an address by the family's number: UNSPEC, IPv4, IPv6, UNIX. Others must be refused. */
const addressOctets = [0, 4, 16, 108] as const
/** UNSPEC, STREAM, DGRAM. Others must be refused. */
const LAST_TRANSPORT = 2
const TCP = 1
/** A TLV with the CRC-32C of the whole header, its own four octets taken for zeros. */
const TLV_CRC32C = 0x03
const TLV_HEAD = 3

/**
 * Reads the header of the PROXY protocol, version 1 or 2, from the first octets of a connection. One of version 1 has at
 * most 107 octets, one of version 2 here at most 536, which leaves room for what proxies add: TLVs, which are skipped, but
 * for a checksum, which must be right.
 */
export function readProxyHeader(received: Uint8Array): ProxyHeader {
  const octets = asBuffer(received)
  const shared = Math.min(octets.length, V2.length)
  if (octets.subarray(0, shared).equals(V2.subarray(0, shared))) return readVersion2(octets)
  const start = toLatin1(octets, 0, Math.min(octets.length, V1.length))
  return V1.startsWith(start) ? readVersion1(octets) : 'bad'
}

/** `PROXY TCP4 192.0.2.1 192.0.2.2 50000 25` CRLF, or `PROXY UNKNOWN` and anything. */
function readVersion1(octets: Buffer): ProxyHeader {
  const lf = octets.subarray(0, V1_LONGEST).indexOf(LF)
  if (lf === -1) return octets.length >= V1_LONGEST ? 'bad' : 'more'
  if (octets[lf - 1] !== CR) return 'bad'
  const end = lf - 1
  const length = lf + 1
  const [, protocol, remoteAddress = '', localAddress = '', remotePort = '', localPort = '', ...more] =
    toLatin1(octets, 0, end).split(' ')
  if (protocol === 'UNKNOWN') return { length, addresses: null }
  const is = protocol === 'TCP4' ? isIPv4 : protocol === 'TCP6' ? isIPv6 : () => false
  const good =
    more.length === 0 && is(remoteAddress) && is(localAddress) && isPort(remotePort) && isPort(localPort)
  if (!good) return 'bad'
  const addresses = {
    remoteAddress,
    remotePort: Number(remotePort),
    localAddress,
    localPort: Number(localPort),
  }
  return { length, addresses }
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65_535
}

/** Signature, version and command, family and transport, the length of the rest, addresses, ports, TLVs. */
function readVersion2(octets: Buffer): ProxyHeader {
  if (octets.length < V2_FIXED) return 'more'
  const [versionAndCommand, familyAndTransport = 0] = [octets[12], octets[13]]
  const length = V2_FIXED + octets.readUInt16BE(14)
  if (length > V2_LONGEST) return 'bad'
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return 'bad'
  if (octets.length < length) return 'more'
  // Of LOCAL nothing counts but its length.
  if (versionAndCommand === 0x20) return { length, addresses: null }
  const family = familyAndTransport >> 4
  const transport = familyAndTransport & 0x0f
  const size = addressOctets[family]
  if (size === undefined || transport > LAST_TRANSPORT) return 'bad'
  // What an unknown family's addresses are is not said, nor where they end.
  if (size === 0 || transport === 0) return { length, addresses: null }
  const ports = V2_FIXED + 2 * size
  const end = size > 16 ? ports : ports + 4
  if (length < end || !areTlvsGood(octets.subarray(0, length), end)) return 'bad'
  if (transport !== TCP || size > 16) return { length, addresses: null }
  return {
    length,
    addresses: {
      remoteAddress: addressText(octets.subarray(V2_FIXED, V2_FIXED + size)),
      localAddress: addressText(octets.subarray(V2_FIXED + size, ports)),
      remotePort: octets.readUInt16BE(ports),
      localPort: octets.readUInt16BE(ports + 2),
    },
  }
}

/** False where one does not end with the header, or a checksum is wrong: then who knows what else is. */
function areTlvsGood(header: Buffer, start: number): boolean {
  let at = start
  while (at < header.length) {
    if (header.length - at < TLV_HEAD) return false
    const value = at + TLV_HEAD
    const end = value + header.readUInt16BE(at + 1)
    if (end > header.length) return false
    if (header[at] === TLV_CRC32C && !isChecksumGood(header, value, end)) return false
    at = end
  }
  return true
}

function isChecksumGood(header: Buffer, start: number, end: number): boolean {
  if (end - start !== 4) return false
  const copy = Buffer.from(header)
  copy.fill(0, start, end)
  return crc32c(copy) === header.readUInt32BE(start)
}

function addressText(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16)).join(
    ':',
  )
  const text = new URL(`http://[${groups}]/`).hostname.slice(1, -1)
  return isIP(text) === 0 ? groups : text
}
