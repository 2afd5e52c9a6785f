import { isIPv6 } from 'node:net'

/** The address without the IPv4-mapped form (RFC 4291 section 2.5.5.2) in which a dual-stack socket tells it. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped === null ? (address.split('%')[0] as string) : (mapped[1] as string)
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address)
}

/**
 * The networks an address counts towards, narrowest first: itself, its /24 and /16, or for IPv6 its /64, /48 and
 * /32, since a peer has at least a /64 to itself.
 */
export function prefixesOf(address: string): readonly [string, string, string] {
  if (!isIPv6(address)) {
    const octets = address.split('.')
    return [address, `${octets.slice(0, 3).join('.')}/24`, `${octets.slice(0, 2).join('.')}/16`]
  }
  const groups = ipv6Groups(address)
  return [
    `${groups.slice(0, 4).join(':')}/64`,
    `${groups.slice(0, 3).join(':')}/48`,
    `${groups.slice(0, 2).join(':')}/32`,
  ]
}

/** Eight groups of hexadecimal digits without leading zeros. */
function ipv6Groups(address: string): string[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  return [...before, ...new Array<string>(8 - before.length - after.length).fill('0'), ...after]
}
