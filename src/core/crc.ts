import zlib from 'node:zlib'

/** Check sum of octets that follow others, whose check sum is `before`; from 0 to 2^32 - 1. */
type Crc = (octets: Uint8Array, before?: number) => number

/** CRC-32C, with Castagnoli's polynomial: that of SCTP and the PROXY protocol. */
export const crc32c = tabledCrc(0x82f63b78)

/** The same with the polynomial of zlib and gzip. */
export const tabledCrc32 = tabledCrc(0xedb88320)

/** CRC-32 of zlib and gzip; by Node.js itself but for versions before 20.15. */
export const crc32: Crc = (zlib as Partial<typeof zlib>).crc32 ?? tabledCrc32

/** By the table of a polynomial whose bits are reversed. */
function tabledCrc(polynomial: number): Crc {
  const table = Uint32Array.from({ length: 256 }, (_, octet) => {
    let value = octet
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ polynomial
    return value
  })
  return (octets, before = 0) => {
    let value = ~before
    for (const octet of octets) value = (value >>> 8) ^ (table[(value ^ octet) & 0xff] as number)
    return ~value >>> 0
  }
}
