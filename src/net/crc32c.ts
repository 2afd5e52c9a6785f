/** CRC-32C, Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78

const table = Uint32Array.from({ length: 256 }, (_, octet) => {
  let value = octet
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL
  return value
})

/** The checksum CRC-32C, from 0 to 2^32 - 1, which SCTP and the PROXY protocol use. */
export function crc32c(octets: Uint8Array): number {
  let value = 0xffffffff
  for (const octet of octets) value = (value >>> 8) ^ (table[(value ^ octet) & 0xff] as number)
  return (value ^ 0xffffffff) >>> 0
}
