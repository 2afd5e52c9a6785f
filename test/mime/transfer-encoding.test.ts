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

test.each<[encoding: string, whole: string[], damaged: string[]]>([
  [
    'base64',
    ['', 'QQ==', 'QUI', 'QU\r\n I=\t', 'QQ==QQ==', '-_8='],
    ['Q', 'QUJDR', 'QU!I=', 'Q\0Q=', '\xff'],
  ],
  ['quoted-printable', ['', '=C3=a9', '=\r\n', '= \n', '=', '\xff'], ['=C', '=zz', '=4G', '= x']],
  [
    'x-uuencode',
    ['begin 644 a\n#0V%T\n`\nend'],
    ['#0V%T\n`\nend', 'begin 644 a\n#0V%T', 'begin-base64 644 a\nQQ==\n===='],
  ],
  ['x-yenc', ['=ybegin name=a\nx\n=yend'], ['x', '=ybegin name=a\nx']],
  ['8bit', ['\0\xff='], []],
])('%s that is damaged says so', (encoding, whole, damaged) => {
  const says = (text: string): boolean => {
    const decoder = bodyDecoder(encoding)
    for (const octet of bytes(text)) decoder.write(Buffer.from([octet]))
    decoder.end()
    return decoder.damaged
  }
  expect(whole.filter(says)).toEqual([])
  expect(damaged.filter((text) => !says(text))).toEqual([])
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
        const damaged = [[], places, [...body.keys()]].map((cuts) => {
          const decoder = bodyDecoder(encoding)
          for (const piece of cut(body, cuts)) decoder.write(piece)
          decoder.end()
          return decoder.damaged
        })
        expect(new Set(damaged).size).toBe(1)
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

  // the web's label, an octet (or more) and its character in the encoding the label stands for there
  test.each([
    ['windows-1252', 'iso_8859-1:1987 csisolatin1 iso-ir-100 l1 ibm819 cp819 iso88591 x-cp1252', '80', '€'],
    ['windows-1254', 'iso_8859-9:1989 csisolatin5 iso-ir-148 l5 latin5 iso88599 x-cp1254', '80f0', '€ğ'],
    ['windows-874', 'tis-620 iso8859-11 iso885911 dos-874', '80a1', '€ก'],
    ['iso-8859-2', 'l2 latin2 csisolatin2 iso_8859-2:1987 iso-ir-101', 'b1', 'ą'],
    ['iso-8859-8', 'logical visual hebrew csiso88598i iso-8859-8-i iso-8859-8-e', 'e0', 'א'],
    ['iso-8859-16', 'iso-8859-16', 'aa', 'Ș'],
    ['koi8-u', 'koi8-u koi8-ru', 'a4', 'є'],
    ['macintosh', 'mac macintosh csmacintosh x-mac-roman', 'db', '€'],
    ['gbk', 'chinese csgb2312 gb_2312-80 iso-ir-58 x-gbk gb2312', 'd6d081308436', '中¥'],
    ['big5', 'cn-big5 csbig5 x-x-big5 big5-hkscs', 'a4a4', '中'],
    ['shift_jis', 'ms932 windows-31j x-sjis sjis csshiftjis', '8740', '①'],
    ['euc-kr', 'ks_c_5601-1989 iso-ir-149 korean windows-949 ksc5601', '8141c7d1', '갂한'],
    ['utf-16be', 'utf-16be unicodefffe', '0061', 'a'],
    ['utf-16le', 'ucs-2 csunicode iso-10646-ucs-2 unicodefeff', '6100', 'a'],
    ['ascii, which may hold anything', 'ansi_x3.4-1968 iso646-us csascii', 'c3a9', 'é'],
  ])('labels of %s', (_encoding, labels, hex, expected) => {
    const octets = Buffer.from(hex, 'hex')
    for (const label of labels.split(' '))
      expect([label, decodeCharset(octets, label)]).toEqual([label, expected])
  })

  test('known and unknown ones', () => {
    expect(isCharset('ISO-8859-1')).toBe(true)
    expect(isCharset('x-unknown')).toBe(false)
    expect(isCharset('toString')).toBe(false)
  })

  test('a text body', () => expect(decodeText(bytes('=E9'), 'quoted-printable', 'iso-8859-1')).toBe('é'))
})
