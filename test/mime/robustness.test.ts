import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeCharset,
  decodeParameters,
  decodeWords,
  FactsReader,
  factsOf,
  factsWithPrefix,
  Headers,
  parseAddresses,
  parseContentType,
  parseDate,
  parseMailboxes,
  selectFields,
} from '../../src/mime/index.js'
import { growth } from '../support/growth.js'
import { bytes, checkTree, cut, eventsOf, factsIn, samples } from './samples.js'

const alphabet = [
  '--a',
  '--b',
  '--a--',
  '--b--',
  '--',
  '-',
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  'x',
  ':',
  'A: b\r\n',
  'Content-Type: multipart/mixed; boundary=a\r\n',
  'Content-Type: multipart/digest; boundary=b\r\n',
  'Content-Type: multipart/mixed; boundary="a:b"\r\n--a:b\r\n',
  'Content-Type: message/rfc822\r\n',
  'Content-Length: 9\n',
  ' left over\r\n',
  'no field\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  'From: "a (b" <c@d>, =?utf-8?q?x?=:;\r\n',
  '\0',
  '\xff',
]
const mailLike = fc
  .array(fc.constantFrom(...alphabet), { maxLength: 60 })
  .map((parts) => bytes(parts.join('')))

describe('any octets', () => {
  test('give a well formed tree, the same however they are cut', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          mailLike,
          fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
        ),
        fc.array(fc.nat(), { maxLength: 6 }),
        (message, cuts) => {
          const facts = factsOf(message)
          checkTree(facts, message)
          const chunks = cut(
            message,
            cuts.map((place) => place % (message.length + 1)),
          )
          expect(factsIn(chunks)).toEqual(facts)
          expect(eventsOf(chunks)).toEqual(eventsOf([message]))
          const prefix = bytes('Received: x\r\n')
          checkTree(factsWithPrefix(facts, prefix), Buffer.concat([prefix, message]))
        },
      ),
      { numRuns: 1_500 },
    )
  })

  test('valid messages with octets changed, dropped and doubled do as well', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(samples)),
        fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.nat(255)), { maxLength: 5 }),
        (text, changes) => {
          let message = bytes(text)
          for (const [place, kind, octet] of changes) {
            const at = place % (message.length + 1)
            const after = message.subarray(kind === 0 ? at : at + 1)
            const between = kind === 1 ? Buffer.alloc(0) : Buffer.from([octet])
            message = Buffer.concat([message.subarray(0, at), between, after])
          }
          checkTree(factsOf(message), message)
          expect(eventsOf(cut(message, [message.length >> 1]))).toEqual(eventsOf([message]))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('never make a field parser throw', () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array).toString('latin1')),
      fc
        .array(
          fc.constantFrom(
            '"',
            '(',
            ')',
            '<',
            '>',
            '@',
            ',',
            ';',
            ':',
            '\\',
            '=?',
            '?=',
            '?q?',
            'utf-8',
            '*0*',
            '=',
            "'",
            '%',
            ' ',
            'a',
            '[',
            ']',
            '.',
            '\r\n ',
          ),
          {
            maxLength: 40,
          },
        )
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, fc.string(), (value, label) => {
        parseAddresses(value)
        parseMailboxes(value)
        decodeWords(value)
        decodeParameters(parseContentType(`a/b;${value}`)?.parameters ?? [])
        parseDate(value)
        decodeCharset(bytes(value), label)
        const raw = bytes(value)
        const both = [selectFields(raw, ['a', 'x']), selectFields(raw, ['a', 'x'], true)]
        const blank = [...new Headers(raw)].at(-1)?.endOffset ?? 0
        expect((both[0]?.length ?? 0) + (both[1]?.length ?? 0)).toBe(raw.length + (raw.length - blank))
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('time grows with the input and no faster', () => {
  const block = (head: string, filler: string) => (n: number) => () => {
    factsOf(bytes(`${head}${filler.repeat(n)}\r\n\r\n`))
  }
  test.each<[string, number, (n: number) => () => void]>([
    ['open comments', 100_000, (n) => () => parseAddresses('('.repeat(n))],
    ['quotes', 50_000, (n) => () => parseAddresses('"'.repeat(n))],
    ['an odd number of quotes and backslashes', 10_000, (n) => () => parseAddresses(`"${'\\"'.repeat(n)}`)],
    ['open brackets', 10_000, (n) => () => parseAddresses('a@['.repeat(n))],
    ['addresses', 3_000, (n) => () => parseMailboxes('a b <a@b>,'.repeat(n))],
    ['local parts with comments', 10_000, (n) => () => parseAddresses('a@b(c)@b(c)'.repeat(n))],
    ['groups', 20_000, (n) => () => parseAddresses('a:'.repeat(n))],
    ['words', 10_000, (n) => () => parseAddresses('a '.repeat(n))],
    ['angles', 50_000, (n) => () => parseAddresses('<'.repeat(n))],
    ['=? runs', 100_000, (n) => () => decodeWords('=?'.repeat(n))],
    ['unterminated words', 30_000, (n) => () => decodeWords('=?a?q?b'.repeat(n))],
    ['words of question marks', 100_000, (n) => () => decodeWords(`=?a?q?${'?'.repeat(n)}`)],
    ['adjacent words', 5_000, (n) => () => decodeWords('=?utf-8?q?=C3=A9?= '.repeat(n))],
    ['=? runs in addresses', 30_000, (n) => () => parseAddresses('=?a?q?'.repeat(n))],
    [
      'continued parameters',
      10_000,
      (n) => () => parseContentType(`a/b${';x*0='.repeat(n)}`, Number.POSITIVE_INFINITY),
    ],
    ['open comments in a type', 100_000, (n) => () => parseContentType(`a/b;${'('.repeat(n)}`)],
    [
      'RFC 2231 sections',
      3_000,
      (n) => {
        const parameters = Array.from({ length: n }, (_, i) => [`x*${n - i}*`, 'y'] as const)
        return () => decodeParameters(parameters)
      },
    ],
    ['continuation lines', 50_000, (n) => block('A: b', '\r\n c')(n)],
    ['continuation lines of a type', 50_000, (n) => block('Content-Type: a/b', '\r\n ;')(n)],
    ['fields', 20_000, (n) => () => new Headers('A: b\r\n'.repeat(n), Number.POSITIVE_INFINITY)],
    [
      'a word in every tenth field',
      4_000,
      (n) => {
        const headers = new Headers(`X: =?utf-8?q?a?= =?\n${'X: y\n'.repeat(9)}`.repeat(n), n * 10)
        return () => {
          for (let i = 0; i < headers.length; i++) headers.textAt(i)
        }
      },
    ],
    [
      'nested multiparts',
      2_000,
      (n) => {
        let text = ''
        for (let i = 0; i < n; i++) text += `Content-Type: multipart/x; boundary=b${i}\r\n\r\n--b${i}\r\n`
        return () => factsOf(bytes(text))
      },
    ],
    [
      'multiparts whose headers run into their delimiters',
      10_000,
      (n) => {
        let text = ''
        for (let i = 0; i < n; i++) text += `Content-Type: multipart/x; boundary=b${i}\r\n--b${i}\r\n`
        return () => factsOf(bytes(text))
      },
    ],
    [
      'first lines of a message that are no fields, in single octets',
      50_000,
      (n) => {
        const octets = Array.from(bytes(' a\r\n'), (octet) => Buffer.from([octet]))
        const all = Array.from({ length: n }, (_, i) => octets[i % 4] as Buffer)
        return () => factsIn(all)
      },
    ],
    [
      'lines that begin like a boundary',
      20_000,
      (n) => {
        const message = bytes(
          `Content-Type: multipart/x; boundary=${'a'.repeat(60)}\r\n\r\n${`--${'a'.repeat(59)}\r\n`.repeat(n)}`,
        )
        return () => factsOf(message)
      },
    ],
    [
      'one line of `--`',
      200_000,
      (n) => {
        const message = bytes(`Content-Type: multipart/x; boundary=a\r\n\r\n${'--'.repeat(n)}`)
        return () => factsOf(message)
      },
    ],
    [
      'a header block in single octets',
      50_000,
      (n) => {
        const octets = Array<Buffer>(n).fill(bytes('a'))
        return () => factsIn([bytes('A: '), ...octets])
      },
    ],
    [
      'a body in single octets',
      50_000,
      (n) => {
        const [newline, hyphen] = [bytes('\n'), bytes('-')]
        const octets = Array.from({ length: n }, (_, i) => (i % 3 === 0 ? newline : hyphen))
        return () => factsIn([bytes('Content-Type: multipart/x; boundary=a\r\n\r\n'), ...octets])
      },
    ],
  ])('%s', (_name, n, run) => expect(growth(n, run)).toBeLessThan(6))

  test('what makes others hang or fall is read at once', () => {
    const start = performance.now()
    factsOf(bytes('Content-Type: a/b; name*999999999=x\r\n\r\n'))
    decodeWords('=?utf-8?q?a?= '.repeat(40_000))
    factsOf(bytes('Content-Type: message/rfc822\r\n\r\n'.repeat(10_000)))
    parseAddresses('a:'.repeat(50_000))
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})

test('a reader holds no body', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const reader = new FactsReader()
  reader.write(bytes('Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n'))
  const chunk = Buffer.alloc(65_536, 'some text of a body, with a line end\r\n')
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 400; i++) reader.write(Buffer.from(chunk))
  const held = (): number => process.memoryUsage().arrayBuffers - before
  // what is collected is given back by a thread of its own, a little later
  for (let i = 0; i < 50; i++) {
    collect()
    if (held() < 2 * 1_048_576) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(held()).toBeLessThan(2 * 1_048_576)
  expect(reader.end().size).toBe(400 * 65_536 + 52)
})
