import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bodyDecoder, decodeBody, decodeCharset, decodeText, isCharset } from '../../src/mime/index.js'
import { bytes, cut } from './samples.js'

const text = (body: string, encoding: string): string => decodeBody(bytes(body), encoding).toString('latin1')

/** The same decoded in pieces. */
function inPieces(body: Buffer, encoding: string, places: readonly number[]): Buffer {
  const decoder = bodyDecoder(encoding)
  const out = cut(body, places).map((piece) => Buffer.from(decoder.write(piece)))
  return Buffer.concat([...out, decoder.end()])
}

describe('base64', () => {
  test.each([
    ['aGVsbG8=', 'hello'],
    ['aGVs\r\nbG8=\r\n', 'hello'],
    ['aGVsbG8', 'hello'],
    ['aGVsbG8=aGVsbG8=', 'hellohello'],
    ['a!G V\ns*bG8=', 'hello'],
    ['====aGVs', 'hel'],
    ['a', ''],
    ['', ''],
  ])('%j', (body, expected) => expect(text(body, 'base64')).toBe(expected))

  test('the URL alphabet', () => expect(text('-_8=', 'base64')).toBe('\xfb\xff'))

  test('long bodies, with and without damage, decode as Node decodes them', () => {
    const raw = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7 + (i >> 8)) & 255))
    const encoded = raw.toString('base64')
    for (const size of [76, 60, 64, 77, 4]) {
      const folded = encoded.replace(new RegExp(`.{${size}}`, 'g'), '$&\r\n')
      expect(decodeBody(bytes(folded), 'base64').equals(raw)).toBe(true)
      const damaged = `${folded.slice(0, 9_000)}!*${folded.slice(9_000)}`
      expect(decodeBody(bytes(damaged), 'base64').equals(raw)).toBe(true)
      expect(inPieces(bytes(damaged), 'base64', [1, 500, 5_001, 9_001]).equals(raw)).toBe(true)
    }
  })
})

describe('quoted-printable', () => {
  test.each([
    ['a=3Db', 'a=b'],
    ['a=3db=c3=A9', 'a=b\xc3\xa9'],
    ['soft=\r\nbreak', 'softbreak'],
    ['soft= \t\r\nbreak', 'softbreak'],
    ['soft=\nbreak', 'softbreak'],
    ['trailing \t\r\nline', 'trailing\r\nline'],
    ['kept=20\r\nline', 'kept \r\nline'],
    ['kept =\r\n line', 'kept  line'],
    ['end  ', 'end'],
    ['a=', 'a'],
    ['a=4', 'a=4'],
    ['a=4G=zz', 'a=4G=zz'],
    ['a= b', 'a= b'],
    ['==41', '=A'],
    [`a${' '.repeat(200)}\r\n`, `a${' '.repeat(200)}\r\n`],
  ])('%j', (body, expected) => expect(text(body, 'quoted-printable')).toBe(expected))
})

test('however a body is cut, it decodes to the same', () => {
  const pieces = fc.oneof(
    fc.constantFrom(
      '=',
      '=3D',
      '=\r\n',
      ' ',
      '\t',
      '\r\n',
      '\n',
      '\r',
      'aGVs',
      'bG8=',
      '==',
      'QUJD\r\n',
      '=C',
      ' '.repeat(70),
    ),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 40 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      fc.constantFrom('base64', 'quoted-printable', '8bit'),
      (parts, cuts, encoding) => {
        const body = Buffer.from(parts.join(''))
        const whole = decodeBody(body, encoding)
        const places = cuts.map((place) => place % (body.length + 1))
        expect(inPieces(body, encoding, places).equals(whole)).toBe(true)
        expect(inPieces(body, encoding, [...body.keys()]).equals(whole)).toBe(true)
      },
    ),
    { numRuns: 400 },
  )
})

describe('charsets', () => {
  test.each([
    ['utf-8', 'c3a9', 'é'],
    ['UTF8', 'c3a9', 'é'],
    ['utf-8', 'e9', '\ufffd'],
    ['iso-8859-1', 'e980', 'é€'],
    ['us-ascii', 'c3a9', 'é'],
    ['us-ascii', 'e9', 'é'],
    ['', 'e9', 'é'],
    ['windows-1251', 'cff0e8', 'При'],
    ['koi8-r', 'f0d2c9', 'При'],
    ['iso-8859-15', 'a4', '€'],
    ['gb2312', 'd6d0', '中'],
    ['big5', 'a4a4', '中'],
    ['shift_jis', '93fa', '日'],
    ['iso-2022-jp', '1b2442467c1b2842', '日'],
    ['euc-kr', 'c7d1', '한'],
    ['utf-16le', '6100', 'a'],
    ['utf-7', '2b414f6b2d', 'é'],
    ['x-unknown', 'e9', 'é'],
    ['constructor', '61', 'a'],
    ['__proto__', '61', 'a'],
    ['hex', '61', 'a'],
    ['base64', '61', 'a'],
    ['\0', '61', 'a'],
    ['x'.repeat(10_000), '61', 'a'],
  ])('%s %s', (label, hex, expected) => expect(decodeCharset(Buffer.from(hex, 'hex'), label)).toBe(expected))

  test('known and unknown ones', () => {
    expect(isCharset('ISO-8859-1')).toBe(true)
    expect(isCharset('x-unknown')).toBe(false)
    expect(isCharset('toString')).toBe(false)
  })

  test('a text body', () => expect(decodeText(bytes('=E9'), 'quoted-printable', 'iso-8859-1')).toBe('é'))
})
