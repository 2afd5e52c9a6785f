import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { foldField } from '../../../src/mime/compose/fold.js'
import { parameterWords } from '../../../src/mime/compose/parameters.js'
import {
  composeMessage,
  decodeParameters,
  formatField,
  Headers,
  parseContentType,
} from '../../../src/mime/index.js'
import { fieldsOf } from './read.js'

const code = (value: string) => expect.objectContaining({ name: 'UsageError', code: value })
const written = (value: string, smtpUtf8 = false) => formatField('X-Test', value, { smtpUtf8 })
const readBack = (field: Uint8Array) => new Headers(field).getText('x-test')
/** Text of words of every kind, tabs and runs of spaces included. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.constantFrom(
        ' ',
        '  ',
        '\t',
        '=?utf-8?q?a?=',
        '=?',
        '?=',
        '_',
        '\u2028',
        'x'.repeat(100),
        ' '.repeat(40),
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join('').replace(/[\r\n\0]/g, ''))

describe('a field', () => {
  test.each([
    ['plain', 'X-Test: plain\r\n'],
    ['', 'X-Test:\r\n'],
    ['two  spaces\tand a tab', 'X-Test: two  spaces\tand a tab\r\n'],
    ['é', 'X-Test: =?UTF-8?B?w6k=?=\r\n'],
    ['a é b', 'X-Test: a =?UTF-8?B?w6k=?= b\r\n'],
    ['Grüße', 'X-Test: =?UTF-8?B?R3LDvMOfZQ==?=\r\n'],
    ['mostly-plain-ü', 'X-Test: =?UTF-8?Q?mostly-plain-=C3=BC?=\r\n'],
    ['日本', 'X-Test: =?UTF-8?B?5pel5pys?=\r\n'],
    ['line\u2028separator', 'X-Test: =?UTF-8?Q?line=E2=80=A8separator?=\r\n'],
    ['=?utf-8?q?a?=', 'X-Test: =?UTF-8?B?PT91dGYtOD9xP2E/PQ==?=\r\n'],
    [' lead', 'X-Test: =?UTF-8?Q?_lead?=\r\n'],
  ])('%j', (value, expected) => expect(written(value).toString()).toBe(expected))

  it('keeps UTF-8 with smtpUtf8, but no control and no line separator', () => {
    expect(written('é', true).toString()).toBe('X-Test: é\r\n')
    expect(written('é\u2028', true).toString()).toBe('X-Test: =?UTF-8?B?w6nigKg=?=\r\n')
    expect(written('\u0085', true).toString()).toBe('X-Test: =?UTF-8?B?woU=?=\r\n')
  })

  it('is folded at 78 octets, before white space', () => {
    const words = Array.from({ length: 40 }, (_, index) => `word${index}`)
    const lines = written(words.join(' ')).toString().split('\r\n')
    expect(lines.length).toBeGreaterThan(3)
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(78)
    expect(lines.slice(1, -1).every((line) => line.startsWith(' '))).toBe(true)
  })

  it('takes a word of 990 octets as it is, and encodes a longer one', () => {
    expect(written('x'.repeat(990)).toString()).toBe(`X-Test:\r\n ${'x'.repeat(990)}\r\n`)
    const longer = written('x'.repeat(991)).toString()
    expect(Math.max(...longer.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78)
    expect(() => foldField('X-Test', ['x'.repeat(998)])).toThrow(code('HEADER_TOO_LONG'))
  })

  it.each([['\r\nBcc: a@b.example'], ['\n'], ['\r'], ['\0'], ['a\r\n b']])(
    'refuses the value %j',
    (value) => {
      expect(() => written(value)).toThrow(code('HEADER_VALUE'))
    },
  )

  it.each([['X: y'], ['X\r\nY'], [''], ['é'], ['X Y'], ['X\0'], ['x'.repeat(77)]])(
    'refuses the name %j',
    (name) => {
      expect(() => formatField(name, 'a')).toThrow(code('HEADER_NAME'))
    },
  )

  it('is read back as what was written, in lines of whole characters', () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (value, smtpUtf8) => {
        const wellFormed = Buffer.from(value, 'utf8').toString('utf8')
        const field = written(value, smtpUtf8)
        expect(readBack(field)).toBe(wellFormed)
        for (const line of field.toString('utf8').split('\r\n').slice(0, -1)) {
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998)
          expect(line).toMatch(/[^ \t]/)
          expect(line).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/)
          if (!smtpUtf8) expect(line).toMatch(/^[\t\x20-\x7e]*$/)
        }
        for (const [word] of field.toString('latin1').matchAll(/=\?UTF-8\?[BQ]\?[^?]*\?=/g)) {
          expect(word.length).toBeLessThanOrEqual(75)
          // each word alone is whole characters (RFC 2047 section 5)
          if (!wellFormed.includes('\ufffd')) {
            expect(readBack(Buffer.from(`X-Test: ${word}\r\n`))).not.toContain('\ufffd')
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('has no padding but in the last word, where some readers would stop', () => {
    for (const text of [
      '日本語 '.repeat(40),
      `x${'日本'.repeat(60)}`,
      ' é日😀'.repeat(40),
      '😀'.repeat(60),
    ]) {
      const words = [
        ...written(text)
          .toString()
          .matchAll(/=\?UTF-8\?B\?[^?]*\?=/g),
      ].map(([word]) => word)
      expect(words.length).toBeGreaterThan(3)
      expect(words.slice(0, -1).filter((word) => word.endsWith('=?='))).toEqual([])
      expect(readBack(written(text))).toBe(text)
    }
  })

  it('keeps lines with encoded words within 76 (RFC 2047 section 2), Subject within 78', () => {
    fc.assert(
      fc.property(anyText, (subject) => {
        const { header } = composeMessage({ from: 'a@b.example', subject })
        for (const line of header.toString().split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
      }),
      { numRuns: 200 },
    )
  })

  it('takes linear time', () => {
    const time = (size: number): number => {
      const start = performance.now()
      written('é'.repeat(size))
      written(' '.repeat(size))
      written(`${'a '.repeat(size)}`)
      written(`${'=?'.repeat(size)}`)
      return performance.now() - start
    }
    time(20_000)
    expect(time(80_000) / time(20_000)).toBeLessThan(10)
  })
})

describe('parameters', () => {
  const readParameter = (value: string) =>
    decodeParameters(
      parseContentType(
        new Headers(foldField('Content-Type', parameterWords('a/b', [['name', value]]))).get(
          'content-type',
        ) ?? '',
      )?.parameters ?? [],
    ).get('name')

  test.each([
    ['a.txt', 'a/b; name=a.txt'],
    ['a b.txt', 'a/b; name="a b.txt"'],
    ['a"b\\c', 'a/b; name="a\\"b\\\\c"'],
    ['', 'a/b; name=""'],
    ['é', "a/b; name*0*=utf-8''%C3%A9"],
    ['=?utf-8?q?a?=', "a/b; name*0*=utf-8''%3D%3Futf-8%3Fq%3Fa%3F%3D"],
  ])('%j', (value, expected) => expect(parameterWords('a/b', [['name', value]]).join('')).toBe(expected))

  it('are read back as what was written, within 78 octets a line', () => {
    const text = fc
      .oneof(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.string({ maxLength: 300 }),
      )
      .map((value) => value.replace(/[\r\n\0]/g, ''))
    fc.assert(
      fc.property(text, (value) => {
        expect(readParameter(value)).toBe(Buffer.from(value, 'utf8').toString('utf8'))
        for (const line of foldField('Content-Type', parameterWords('a/b', [['filename', value]])).split(
          '\r\n',
        )) {
          expect(line.length).toBeLessThanOrEqual(78)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuses what would end the field, and what readers would not look at', () => {
    for (const value of ['a\r\nb', 'a\nb', 'a\0b']) {
      expect(() => parameterWords('a/b', [['name', value]])).toThrow(code('HEADER_VALUE'))
    }
    expect(() => parameterWords('a/b', [['na me', 'x']])).toThrow(code('HEADER_VALUE'))
    expect(() => parameterWords('a/b', [['name', 'x'.repeat(6_000)]])).toThrow(code('HEADER_TOO_LONG'))
  })
})

describe('every way into the header', () => {
  const from = 'a@b.example'
  const bad = 'x\r\nBcc: evil@c.example'
  test.each<[string, Parameters<typeof composeMessage>[0]]>([
    ['subject', { from, subject: bad }],
    ['from', { from: bad }],
    ['a name', { from: { name: bad, address: from } }],
    ['a name in encoded words', { from: '=?utf-8?q?x=0D=0ABcc:_y?= <a@b.example>' }],
    ['an address', { from: { address: `a@b.example${bad}` } }],
    ['a group', { from, to: { name: bad, group: [] } }],
    ['a header value', { from, headers: { 'X-A': bad } }],
    ['a header list', { from, headers: { 'X-A': ['a', bad] } }],
    ['a message id', { from, messageId: bad }],
    ['references', { from, references: ['<a@b>', bad] }],
    ['a list URL', { from, list: { help: bad } }],
    ['a list comment', { from, list: { help: { url: 'https://a.example', comment: bad } } }],
    ['a list id', { from, list: { id: bad } }],
    ['a file name', { from, attachments: [{ filename: bad, content: '' }] }],
    ['a content type', { from, attachments: [{ contentType: `text/plain; a="${bad}"`, content: '' }] }],
    ['a cid', { from, attachments: [{ cid: bad, content: '' }] }],
    ['a disposition', { from, attachments: [{ contentDisposition: bad, content: '' }] }],
    ["a part's header", { from, attachments: [{ headers: { 'X-A': bad }, content: '' }] }],
    ['a method', { from, icalEvent: { method: bad, content: '' } }],
  ])('%s with CR LF throws', (_name, mail) => {
    expect(() => composeMessage(mail)).toThrow(code('HEADER_VALUE'))
  })

  it('names that are none throw', () => {
    expect(() => composeMessage({ from, headers: { 'X-A\r\nBcc': 'x' } })).toThrow(code('HEADER_NAME'))
    expect(() => composeMessage({ from, list: { 'a\r\nb': 'https://a.example' } })).toThrow(
      code('HEADER_NAME'),
    )
  })

  it('names of the prototype are plain data', () => {
    const headers = JSON.parse('{"__proto__": "a", "constructor": "b"}') as Record<string, string>
    const fields = fieldsOf(composeMessage({ from, headers }))
    expect([fields.get('__proto__'), fields.get('constructor')]).toEqual(['a', 'b'])
  })

  it('more fields than readers look at throw', () => {
    const headers = Array.from({ length: 2_000 }, () => ({ key: 'X-A', value: 'b' }))
    expect(() => composeMessage({ from, headers })).toThrow(code('HEADER_TOO_LONG'))
    expect(() => composeMessage({ from, headers: headers.slice(100) })).not.toThrow()
  })

  it('more parts than readers look at throw', () => {
    const attachments = Array.from({ length: 10_000 }, () => ({ content: '' }))
    expect(() => composeMessage({ from, attachments })).toThrow(code('CONTENT'))
  })

  it('a header over 1 MB throws', () => {
    const to = Array.from(
      { length: 20_000 },
      (_, index) => `user${index}@${'long.'.repeat(10)}domain.example`,
    )
    expect(() => composeMessage({ from, to })).toThrow(code('HEADER_TOO_LONG'))
  })
})
