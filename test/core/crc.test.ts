import { expect, it } from 'vitest'
import { crc32, crc32c, tabledCrc32 } from '../../src/core/crc.js'

it.each([
  ['CRC-32', crc32, 0xcbf43926],
  ['CRC-32 by a table', tabledCrc32, 0xcbf43926],
  ['CRC-32C', crc32c, 0xe3069283],
])('%s of the digits is the known one, at once and in pieces', (_, crc, sum) => {
  const digits = Buffer.from('123456789')
  expect(crc(digits)).toBe(sum)
  expect(crc(digits.subarray(4), crc(digits.subarray(0, 4)))).toBe(sum)
  expect(crc(Buffer.alloc(0))).toBe(0)
})
