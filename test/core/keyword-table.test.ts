import { describe, expect, it } from 'vitest'
import { KeywordTable } from '../../src/core/index.js'

const words = ['MAIL', 'RCPT', 'BDAT', 'X-1', 'RSET', 'RRVS', 'A', 'STARTTLS']
const table = new KeywordTable(words.map((word, index) => [word, index] as const))

describe('KeywordTable', () => {
  it('finds each keyword in any case, where it stands', () => {
    for (const [index, word] of words.entries()) {
      for (const written of [word, word.toLowerCase(), word[0] + word.slice(1).toLowerCase()]) {
        expect(table.find(written, 0, written.length), written).toBe(index)
        expect(table.find(`..${written}..`, 2, written.length + 2), written).toBe(index)
        expect(table.findOctets(Buffer.from(`..${written}..`), 2, written.length + 2), written).toBe(index)
      }
    }
  })

  it('finds nothing for the beginning of one, one that goes on, or what only looks alike', () => {
    for (const written of [
      '',
      'MAI',
      'MAILX',
      'MAIM',
      'M\x01IL',
      'X\r1',
      'X-\x11',
      'ſtarttls',
      'MA\u0130L',
      '!',
    ]) {
      expect(table.find(written, 0, written.length), written).toBeUndefined()
      const octets = Buffer.from(written)
      expect(table.findOctets(octets, 0, octets.length), written).toBeUndefined()
    }
  })

  it('tells apart keywords of one bucket', () => {
    const many = Array.from({ length: 26 * 26 }, (_, n) =>
      String.fromCharCode(65 + (n % 26), 65 + Math.floor(n / 26)),
    )
    const all = new KeywordTable(many.map((word) => [word, word] as const))
    for (const word of many) expect(all.find(word.toLowerCase(), 0, 2)).toBe(word)
  })
})
