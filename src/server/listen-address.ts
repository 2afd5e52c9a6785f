import { isIPv6 } from 'node:net'

/** Where to listen. */
export interface ListenAddress {
  /** A host name or an IP address, IPv6 without brackets. */
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
}

/** `host:port`, with an IPv6 address in brackets as in `[::1]:2525`; null for anything else. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const [, v6, name, digits] = match
  const port = Number(digits)
  if (port > 65_535 || (v6 !== undefined && !isIPv6(v6))) return null
  return { host: (v6 ?? name) as string, port }
}

/** As `parseListenAddress` reads it. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
