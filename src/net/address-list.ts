import { BlockList, isIP, isIPv6 } from 'node:net'
import { UsageError } from '../core/index.js'
import { plainAddress } from '../core/plain-address.js'

/** IP addresses and networks, as `192.0.2.1`, `192.0.2.0/24`, `2001:db8::/32`, or `loopback`. */
export class AddressList {
  readonly #list: BlockList

  /** UsageError `ADDRESS` for what is none of these. */
  constructor(entries: readonly string[]) {
    this.#list = new BlockList()
    for (const entry of entries) this.#add(entry)
  }

  /** IPv4 in IPv6 counts as IPv4. */
  has(address: string): boolean {
    const plain = plainAddress(address)
    return isIP(plain) !== 0 && this.#list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
  }

  #add(entry: string): void {
    if (entry === 'loopback') {
      this.#list.addSubnet('127.0.0.0', 8, 'ipv4')
      this.#list.addAddress('::1', 'ipv6')
      return
    }
    const [, address = '', digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    const longest = family === 'ipv6' ? 128 : 32
    const prefix = digits === undefined ? longest : Number(digits)
    if (isIP(address) === 0 || prefix > longest) {
      throw new UsageError('ADDRESS', `not an IP address or network: "${entry}"`)
    }
    this.#list.addSubnet(address, prefix, family)
  }
}
