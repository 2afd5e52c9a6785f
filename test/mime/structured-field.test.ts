import { describe, expect, test } from 'vitest'
import {
  decodeParameters,
  parameter,
  parseContentDisposition,
  parseContentType,
  parseToken,
} from '../../src/mime/index.js'

const decoded = (value: string): Record<string, string> =>
  Object.fromEntries(decodeParameters(parseContentType(value)?.parameters ?? []))

describe('Content-Type', () => {
  test.each([
    ['text/plain; charset=us-ascii (Plain text)', 'text/plain', [['charset', 'us-ascii']]],
    ['TEXT/HTML;Charset="UTF-8"', 'text/html', [['charset', 'UTF-8']]],
    ['text/plain charset=utf-8', 'text/plain', [['charset', 'utf-8']]],
    ['text / plain ; a = b', 'text/plain', [['a', 'b']]],
    ['(c) text/(c)plain; (c) a=(c)b', 'text/plain', [['a', 'b']]],
    ['a/b; boundary=----=_Part_1;', 'a/b', [['boundary', '----=_Part_1']]],
    [
      'a/b; name=my file.pdf; x=y',
      'a/b',
      [
        ['name', 'my file.pdf'],
        ['x', 'y'],
      ],
    ],
    [
      'message/external-body; access-type=mail-server\r\n server="listserv@bogus.bitnet"',
      'message/external-body',
      [
        ['access-type', 'mail-server'],
        ['server', 'listserv@bogus.bitnet'],
      ],
    ],
    ['a/b; name=my file (1).pdf', 'a/b', [['name', 'my file (1).pdf']]],
    [
      'a/b; name=a (b (c)) (d) ; x=y (z',
      'a/b',
      [
        ['name', 'a'],
        ['x', 'y'],
      ],
    ],
    [
      'a/b; name="a\\"b;\\\\"; x=y',
      'a/b',
      [
        ['name', 'a"b;\\'],
        ['x', 'y'],
      ],
    ],
    ['a/b; name="unclosed; x=y', 'a/b', [['name', 'unclosed; x=y']]],
    [
      'a/b; name="a" junk; x=y',
      'a/b',
      [
        ['name', 'a'],
        ['x', 'y'],
      ],
    ],
    ['a/b; flag; ; =z; x=', 'a/b', [['x', '']]],
    [
      'a/b; __proto__=1; constructor=2',
      'a/b',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
  ])('%j', (value, type, parameters) => {
    const parsed = parseContentType(value)
    expect(`${parsed?.type}/${parsed?.subtype}`).toBe(type)
    expect(parsed?.parameters).toEqual(parameters)
  })

  test.each(['', 'text', '/plain', 'text/', ';', 'text plain', '""/""'])('%j is none', (value) =>
    expect(parseContentType(value)).toBeNull(),
  )

  test('parameters over the limit are left out', () => {
    const parsed = parseContentType(`a/b${';x=y'.repeat(101)}`)
    expect(parsed?.parameters).toHaveLength(100)
    expect(parsed?.truncated).toBe(true)
    expect(parseContentType(`a/b${';x=y'.repeat(100)}`)?.truncated).toBe(false)
  })

  test('one parameter', () => {
    expect(
      parameter(
        [
          ['a', '1'],
          ['a', '2'],
        ],
        'a',
      ),
    ).toBe('1')
    expect(parameter([['a', '1']], 'b')).toBeNull()
  })
})

test('Content-Disposition', () => {
  expect(parseContentDisposition('ATTACHMENT; FileName="x.txt"')).toEqual({
    type: 'attachment',
    parameters: [['filename', 'x.txt']],
    truncated: false,
  })
  expect(parseContentDisposition('; a=b')).toBeNull()
})

test.each([
  ['BASE64', 'base64'],
  [' quoted-printable ; x', 'quoted-printable'],
  ['(c) 7bit', '7bit'],
  ['"8bit"', '8bit'],
  ['', ''],
])('token %j', (value, expected) => expect(parseToken(value)).toBe(expected))

describe('RFC 2231', () => {
  test('section 3: continuations', () => {
    const value =
      'message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"'
    expect(decoded(value)).toEqual({
      'access-type': 'URL',
      url: 'ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar',
    })
  })

  test('section 4: charset and language', () => {
    expect(decoded("application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A")).toEqual({
      title: 'This is ***fun***',
    })
  })

  test('section 4.1: both, without the first semicolon as the RFC has it', () => {
    const value =
      "application/x-stuff\r\n title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n title*2=\"isn't it!\""
    expect(decoded(value)).toEqual({ title: "This is even more ***fun*** isn't it!" })
  })

  test.each([
    ['out of order', 'a/b; n*1=b; n*0=a; n*10=d; n*9=c', 'abcd'],
    ['gaps', 'a/b; n*0=a; n*5=b', 'ab'],
    ['a huge number', 'a/b; n*999999999=b; n*0=a', 'ab'],
    ['a number too long to be one', `a/b; n*${'9'.repeat(40)}=b; n*0=a`, 'a'],
    ['a character split over sections', "a/b; n*0*=utf-8''%C3; n*1*=%A9", 'é'],
    ['no charset', "a/b; n*=''%C3%A9", 'é'],
    ['no quotes at all', 'a/b; n*=x%41', 'xA'],
    ['an unknown charset', "a/b; n*=x-none''%E9", 'é'],
    ['broken escapes', "a/b; n*=utf-8''%4%zz%", '%4%zz%'],
    ['sections win over plain', "a/b; n=plain; n*=utf-8''%C3%A9", 'é'],
    ['encoded words', 'a/b; n="=?utf-8?q?=C3=A9?="', 'é'],
    ['raw UTF-8', 'a/b; n="\xc3\xa9"', 'é'],
  ])('%s', (_name, value, expected) => expect(decoded(value).n).toBe(expected))

  test('any name is plain data', () => {
    expect(
      decodeParameters([
        ['__proto__', 'x'],
        ['constructor*0', 'y'],
      ]).get('__proto__'),
    ).toBe('x')
  })
})
