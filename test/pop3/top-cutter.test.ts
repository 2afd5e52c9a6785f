import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TopCutter } from '../../src/pop3/top-cutter.js'

function cut(chunks: readonly Uint8Array[], lines: number): string {
  const cutter = new TopCutter(lines)
  return chunks.map((chunk) => Buffer.from(cutter.take(chunk)).toString('latin1')).join('')
}

function pieces(text: string, cuts: readonly number[]): Buffer[] {
  const places = [...cuts.map((place) => place % (text.length + 1)), 0, text.length].sort((a, b) => a - b)
  return places.slice(1).map((place, index) => Buffer.from(text.slice(places[index], place), 'latin1'))
}

it.each([
  ['A: b\r\n\r\none\r\ntwo\r\n', 0, 'A: b\r\n\r\n'],
  ['A: b\r\n\r\none\r\ntwo\r\n', 1, 'A: b\r\n\r\none\r\n'],
  ['A: b\r\n\r\none\r\ntwo', 9, 'A: b\r\n\r\none\r\ntwo'],
  ['A: b\r\n', 0, 'A: b\r\n'],
  ['\r\none\r\n', 0, '\r\n'],
  ['A: b\n\none\n', 1, 'A: b\n\none\n'],
  ['A: b\r\n\r\n\r\n\r\n', 1, 'A: b\r\n\r\n\r\n'],
  ['', 1, ''],
])('cuts %j after %i lines', (text, lines, expected) => {
  expect(cut([Buffer.from(text)], lines)).toBe(expected)
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
      expect(cut(pieces(text, cuts), lines)).toBe(expected)
    }),
  )
})
