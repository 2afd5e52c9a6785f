import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  BodyCanonicalizer,
  type Canonicalization,
  canonicalField,
  Headers,
  signedFields,
} from '../../../src/mime/index.js'

const field = (text: string, canonicalization: Canonicalization) =>
  canonicalField(Buffer.from(text, 'latin1'), canonicalization).toString('latin1')

function body(
  input: Uint8Array | string,
  canonicalization: Canonicalization,
  at: readonly number[] = [],
  limit?: number,
) {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : Buffer.from(input)
  const canonicalizer = new BodyCanonicalizer(canonicalization, limit)
  const bounds = [0, ...at.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  const pieces = bounds
    .slice(1)
    .flatMap((end, index) => canonicalizer.write(bytes.subarray(bounds[index], end)))
  const text = Buffer.concat([...pieces, ...canonicalizer.end()]).toString('latin1')
  return { text, length: canonicalizer.length }
}

/** The rules of RFC 6376 section 3.4, as they are written there. */
function byTheBook(text: string, canonicalization: Canonicalization): string {
  let out = text
  if (canonicalization === 'relaxed') {
    out = out
      .split('\r\n')
      .map((line) => line.replace(/[ \t]+$/, '').replace(/[ \t]+/g, ' '))
      .join('\r\n')
  }
  while (out.endsWith('\r\n')) out = out.slice(0, -2)
  if (out === '') return canonicalization === 'simple' ? '\r\n' : ''
  return `${out}\r\n`
}

describe('the examples of RFC 6376 section 3.4.5', () => {
  const header = ['A: X\r\n', 'B : Y\t\r\n\tZ  \r\n']
  const text = ' C \r\nD \t E\r\n\r\n\r\n'
  test('1: relaxed/relaxed', () => {
    expect(header.map((each) => field(each, 'relaxed'))).toEqual(['a:X\r\n', 'b:Y Z\r\n'])
    expect(body(text, 'relaxed').text).toBe(' C\r\nD E\r\n')
  })
  test('2: simple/simple', () => {
    expect(header.map((each) => field(each, 'simple'))).toEqual(header)
    expect(body(text, 'simple').text).toBe(' C \r\nD \t E\r\n')
  })
  test('3: relaxed/simple', () => {
    expect(header.map((each) => field(each, 'relaxed')).join('')).toBe('a:X\r\nb:Y Z\r\n')
    expect(body(text, 'simple').text).toBe(' C \r\nD \t E\r\n')
  })
})

test.each<[string, string, string]>([
  ['', '\r\n', ''],
  ['\r\n', '\r\n', ''],
  ['\r\n\r\n', '\r\n', ''],
  ['a', 'a\r\n', 'a\r\n'],
  ['a\r\n', 'a\r\n', 'a\r\n'],
  [' \t\r\n', ' \t\r\n', ''],
  ['\r\na', '\r\na\r\n', '\r\na\r\n'],
  ['a\r\n \r\n', 'a\r\n \r\n', 'a\r\n'],
  ['a \tb\r\n', 'a \tb\r\n', 'a b\r\n'],
  ['a\n\n', 'a\n\n\r\n', 'a\n\n\r\n'],
  ['a\r', 'a\r\r\n', 'a\r\r\n'],
  ['a \r', 'a \r\r\n', 'a \r\r\n'],
])('the body %j', (text, simple, relaxed) => {
  expect(body(text, 'simple').text).toBe(simple)
  expect(body(text, 'relaxed').text).toBe(relaxed)
})

test.each([
  ['Subject:x\r\n', 'subject:x\r\n'],
  ['SUBJECT \t:  \t x  y\t\r\n', 'subject:x y\r\n'],
  ['A:\r\n', 'a:\r\n'],
  ['A: \r\n b\r\n\t\tc \r\n', 'a:b c\r\n'],
  ['A: b:c\r\n', 'a:b:c\r\n'],
  ['A: \xe9\xa0\r\n', 'a:\xe9\xa0\r\n'],
])('the field %j', (text, expected) => expect(field(text, 'relaxed')).toBe(expected))

describe.each<[Canonicalization]>([['simple'], ['relaxed']])('%s', (canonicalization) => {
  const text = fc
    .array(fc.constantFrom('\r\n', '\r\n', '\r', '\n', ' ', '  ', '\t', 'a', 'word', 'a b c', '\xff'), {
      maxLength: 30,
    })
    .map((parts) => parts.join(''))
  const cuts = fc.array(fc.nat(200), { maxLength: 10 })

  it('is what the rules say, however the body is cut', () => {
    fc.assert(
      fc.property(text, cuts, (input, at) => {
        const expected = byTheBook(input, canonicalization)
        expect(body(input, canonicalization, at)).toEqual({ text: expected, length: expected.length })
      }),
      { numRuns: 1_000 },
    )
  })

  it('is what the rules say for bodies of many blocks', () => {
    const long = fc
      .array(fc.tuple(text, fc.constantFrom(' ', 'x', '\r\n', 'some words \r\n'), fc.nat(9_000)), {
        maxLength: 4,
      })
      .map((parts) => parts.map(([start, unit, count]) => start + unit.repeat(count)).join(''))
    fc.assert(
      fc.property(long, fc.array(fc.nat(40_000), { maxLength: 5 }), (input, at) => {
        expect(body(input, canonicalization, at).text === byTheBook(input, canonicalization)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('is the same octet by octet', () => {
    fc.assert(
      fc.property(text, (input) => {
        const everywhere = Array.from({ length: input.length }, (_, index) => index)
        expect(body(input, canonicalization, everywhere).text).toBe(byTheBook(input, canonicalization))
      }),
      { numRuns: 500 },
    )
  })

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(text, fc.string({ unit: 'binary-ascii' }), (input, value) => {
        const once = body(input, canonicalization).text
        expect(body(once, canonicalization).text).toBe(once)
        const first = field(`Name : ${value}\r\n`, canonicalization)
        expect(field(first, canonicalization)).toBe(first)
      }),
    )
  })

  it('hands out the first octets only where there is a limit, and counts the rest', () => {
    fc.assert(
      fc.property(text, cuts, fc.nat(60), (input, at, limit) => {
        const whole = byTheBook(input, canonicalization)
        expect(body(input, canonicalization, at, limit)).toEqual({
          text: whole.slice(0, limit),
          length: whole.length,
        })
      }),
    )
  })

  it('holds nothing but a count for any number of empty lines', () => {
    const canonicalizer = new BodyCanonicalizer(canonicalization)
    const chunk = Buffer.from('\r\n'.repeat(32_768))
    for (let n = 0; n < 100; n++) expect(canonicalizer.write(chunk)).toEqual([])
    let length = 0
    for (const piece of canonicalizer.write(Buffer.from('a'))) length += piece.length
    expect(length).toBe(chunk.length * 100 + 1)
  })

  it('hands clean text on without a copy', () => {
    const chunk = Buffer.from('some words on a line\r\n'.repeat(100))
    const [first] = new BodyCanonicalizer(canonicalization).write(chunk)
    expect(first?.buffer).toBe(chunk.buffer)
  })

  it('takes linear time', () => {
    const time = (size: number): number => {
      const start = performance.now()
      for (const unit of [' ', '\r\n', 'a ', '\r', ' \r\n', 'a\t\tb'])
        body(unit.repeat(size), canonicalization)
      return performance.now() - start
    }
    time(50_000)
    expect(time(200_000) / time(50_000)).toBeLessThan(10)
  })
})

it('refuses a length that is none', () => {
  for (const limit of [-1, 1.5, Number.NaN]) {
    expect(() => new BodyCanonicalizer('simple', limit)).toThrow(expect.objectContaining({ code: 'LIMIT' }))
  }
})

it('takes signed fields from below, and counts mentions of what is not there (RFC 6376 section 5.4.2)', () => {
  const headers = new Headers('A: 1\r\nB: 2\r\na: 3\r\nno field\r\n\r\n')
  expect(signedFields(headers, ['a', 'A', 'a', ' b ', 'c', ''])).toEqual([2, 0, -1, 1, -1, -1])
})
