import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readAddresses } from '../../src/mime/addresses.js'
import { fieldName } from '../../src/mime/headers.js'
import { decodeWords, Headers, parseAddresses, selectFields } from '../../src/mime/index.js'
import { bytes, lines } from './samples.js'

const block = lines(
  'Received: one',
  'SUBJECT: =?utf-8?q?caf=C3=A9?=',
  ' and\tmore ',
  'X-Odd : spaced',
  'a line that is none',
  'received: two',
  '__proto__: plain',
  'constructor: data',
  'Empty:',
  '',
)

describe('Headers', () => {
  const headers = new Headers(bytes(block))

  test('order, case, folding and duplicates are kept', () => {
    expect([...headers].map(({ name }) => name)).toEqual([
      'Received',
      'SUBJECT',
      'X-Odd',
      '',
      'received',
      '__proto__',
      'constructor',
      'Empty',
    ])
    expect([...headers][1]?.rawValue).toBe(' =?utf-8?q?caf=C3=A9?=\r\n and\tmore \r\n')
    expect([...headers].map((_, i) => headers.rawFieldAt(i).toString('latin1')).join('')).toBe(
      block.slice(0, -2),
    )
  })

  test('names are found without case', () => {
    expect(headers.get('subject')).toBe('=?utf-8?q?caf=C3=A9?= and\tmore')
    expect(headers.getText('Subject')).toBe('café and\tmore')
    expect(headers.getAll('Received')).toEqual(['one', 'two'])
    expect(headers.get('x-odd')).toBe('spaced')
    expect(headers.get('empty')).toBe('')
    expect(headers.get('absent')).toBeNull()
    expect(headers.get('')).toBeNull()
    expect(headers.getText('absent')).toBeNull()
  })

  test('any name is plain data', () => {
    expect(headers.get('__proto__')).toBe('plain')
    expect(headers.get('constructor')).toBe('data')
    expect(headers.has('toString')).toBe(false)
  })

  test('octets over 127 survive, also where they look like white space', () => {
    const utf8 = Buffer.from('X: à\r\n', 'utf8')
    expect(bytes(new Headers(utf8).get('x') ?? '')).toEqual(Buffer.from('à', 'utf8'))
    expect(new Headers(utf8).getText('x')).toBe('à')
  })

  test('bare LF, a missing line end, lines that begin with white space or a colon', () => {
    expect(new Headers(bytes('A: b\nC: d')).getAll('c')).toEqual(['d'])
    expect([...new Headers(bytes(' x\r\nA: b\r\n: c\r\n'))].map(({ name }) => name)).toEqual(['', 'A', ''])
  })

  test('a value read where it stands gives what its own text gives', () => {
    const piece = fc.constantFrom(
      ...[
        '=',
        '?',
        '=?utf-8?q?caf=C3=A9?=',
        '=?utf-8?B?4pyT?=',
        '=?utf-8?q?',
        '?=',
        '\xe9',
        '\xc3\xa9',
        ' ',
        '\t',
      ],
      ...['\r\n ', '\n\t', '\r', 'a@b', '<c@d>', '"e"', ',', 'f', '(g)', '<', '>', '\r\nTo:', '\r\nTo: '],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
        const headers = new Headers(bytes(`To:${pieces.join('')}`))
        for (let i = 0; i < headers.length; i++)
          expect(headers.textAt(i)).toBe(decodeWords(headers.valueAt(i)))
        const read = headers.readAllKnown(fieldName('to'), readAddresses)
        expect(read).toEqual(headers.getAll('to').map(parseAddresses))
      }),
      { numRuns: 5_000 },
    )
  })

  test('only so many fields are looked at', () => {
    const many = new Headers(bytes('A: b\r\n'.repeat(10)), 4)
    expect(many.length).toBe(4)
    expect(many.truncated).toBe(true)
  })
})

describe('selectFields', () => {
  const select = (names: string[], not = false): string =>
    selectFields(bytes(block), names, not).toString('latin1')

  test('the fields named, as they stand, and the empty line', () => {
    expect(select(['Subject', 'x-odd'])).toBe(
      'SUBJECT: =?utf-8?q?caf=C3=A9?=\r\n and\tmore \r\nX-Odd : spaced\r\n\r\n',
    )
    expect(select(['none'])).toBe('\r\n')
  })

  test('or all others', () => {
    expect(select(['received', '__proto__', 'CONSTRUCTOR', 'empty', 'subject'], true)).toBe(
      'X-Odd : spaced\r\na line that is none\r\n\r\n',
    )
  })

  test('no empty line where the block has none', () => {
    expect(selectFields(bytes('A: b\r\nC: d\r\n'), ['c']).toString()).toBe('C: d\r\n')
    expect(selectFields(bytes(''), ['c']).toString()).toBe('')
  })
})
