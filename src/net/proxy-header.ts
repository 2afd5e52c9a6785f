import { isIP, isIPv4, isIPv6 } from 'node:net'
import { asBuffer, toLatin1 } from '../core/index.js'

/** What a PROXY header says of the connection behind the proxy. */
export interface ProxyAddresses {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

/**
 * `more`: the header is not complete. `bad`: this is none, and nothing of what came may be acted upon. Else the octets it
 * takes; `addresses` is null where the proxy speaks for itself (LOCAL) or does not know (UNKNOWN, UNSPEC).
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

/**
 * Reads the header of the PROXY protocol, version 1 or 2, from the first octets of a connection. One of version 1 has at
 * most 107 octets, one of version 2 here at most 536, which leaves room for what proxies add (TLVs, which are skipped).
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
  const end = octets.subarray(0, V1_LONGEST).indexOf('\r\n')
  if (end === -1) return octets.length >= V1_LONGEST ? 'bad' : 'more'
  const length = end + 2
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
  const [versionAndCommand, familyAndTransport] = [octets[12], octets[13]]
  const length = V2_FIXED + octets.readUInt16BE(14)
  if (length > V2_LONGEST) return 'bad'
  if (versionAndCommand !== 0x20 && versionAndCommand !== 0x21) return 'bad'
  if (octets.length < length) return 'more'
  if (versionAndCommand === 0x20 || familyAndTransport === 0x00) return { length, addresses: null }
  const size = familyAndTransport === 0x11 ? 4 : familyAndTransport === 0x21 ? 16 : 0
  if (size === 0 || length < V2_FIXED + 2 * size + 4) return 'bad'
  const ports = V2_FIXED + 2 * size
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

function addressText(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16)).join(
    ':',
  )
  const text = new URL(`http://[${groups}]/`).hostname.slice(1, -1)
  return isIP(text) === 0 ? groups : text
}
