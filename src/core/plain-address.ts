/** The address without the IPv4-mapped form (RFC 4291 section 2.5.5.2) in which a dual-stack socket tells it. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return ''
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped === null ? (address.split('%')[0] as string) : (mapped[1] as string)
}
