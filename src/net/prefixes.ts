/** Which networks an address belongs to, the narrowest first: /32, /26, /21 of IPv4, /64, /48, /32 of IPv6. */
export type Prefixes = readonly [string, string, string]

/**
 * The prefixes connections and failed logins are counted by: whoever owns an address usually owns more of them. An IPv4 address mapped
 * into IPv6 counts as IPv4; what is no IP address (a socket's path, a test) stands for itself.
 */
export function prefixesOf(address: string): Prefixes {
  const text = (address.split('%')[0] as string).toLowerCase()
  const mapped = /^(?:::ffff:)?(\d{1,3}(?:\.\d{1,3}){3})$/.exec(text)
  const v4 = mapped === null ? null : parseV4(mapped[1] as string)
  if (v4 !== null) return [`4/32/${v4}`, `4/26/${v4 >>> 6}`, `4/21/${v4 >>> 11}`]
  const v6 = parseV6(text)
  if (v6 !== null) {
    const words = v6.map((word) => word.toString(16))
    return [
      `6/64/${words.slice(0, 4).join(':')}`,
      `6/48/${words.slice(0, 3).join(':')}`,
      `6/32/${words.slice(0, 2).join(':')}`,
    ]
  }
  return [`-1/${text}`, `-2/${text}`, `-3/${text}`]
}

function parseV4(text: string): number | null {
  const octets = text.split('.').map(Number)
  if (octets.some((octet) => octet > 255)) return null
  return octets.reduce((sum, octet) => sum * 256 + octet, 0)
}

/** The eight 16-bit words (RFC 4291 section 2.2), or null. */
function parseV6(text: string): number[] | null {
  if (!/^[0-9a-f:]+$/.test(text) || text.length > 39) return null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':'))) as [string[], string[]?]
  const given = [...head, ...(tail ?? [])]
  if (given.some((word) => !/^[0-9a-f]{1,4}$/.test(word))) return null
  if (tail === undefined ? given.length !== 8 : given.length > 7) return null
  const zeros = new Array<string>(8 - given.length).fill('0')
  return [...head, ...zeros, ...(tail ?? [])].map((word) => Number.parseInt(word, 16))
}
