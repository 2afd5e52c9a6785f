import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  baseSubject,
  decodeParameters,
  decodeWords,
  factsOf,
  htmlToText,
  judgeAddress,
  type ParsedPart,
  parseAuthenticationResults,
  parseContentType,
  parseMailboxes,
  parseMessage,
  parseMessageIds,
  parseReceived,
  unflow,
} from '../../src/mime/index.js'
import { growth } from '../support/growth.js'
import { bytes, checkTree, cut, eventsOf, factsIn, samples } from './samples.js'

/** 1,000,000 in a run that has the time: MAILWRIGHT_LARGE=1000000. */
const SIZE = Number(process.env.MAILWRIGHT_LARGE ?? 50_000)
/** 100,000 likewise: MAILWRIGHT_FUZZ_RUNS=100000. */
const RUNS = Number(process.env.MAILWRIGHT_FUZZ_RUNS ?? 300)

/** Inputs of `n` repetitions that hung or felled other parsers. */
const inputs: readonly (readonly [name: string, make: (n: number) => string])[] = [
  ['nested multiparts', (n) => nested(n)],
  ['nested messages', (n) => 'Content-Type: message/rfc822\r\n\r\n'.repeat(n)],
  ['header continuation lines', (n) => `Subject: a${'\r\n b'.repeat(n)}\r\n\r\n`],
  ['continuation lines of an address list', (n) => `To: a${'\r\n b@c,'.repeat(n)}\r\n\r\n`],
  ['one long line', (n) => `Subject: x\r\n\r\n${'y'.repeat(10 * n)}`],
  ['one long header line', (n) => `Subject: ${'y'.repeat(10 * n)}`],
  ['addresses', (n) => `To: ${'a@b,'.repeat(n)}\r\n\r\n`],
  ['open comments in addresses', (n) => `To: ${'('.repeat(n)}\r\n\r\n`],
  ['quotes in addresses', (n) => `To: ${'"'.repeat(n)}\r\n\r\n`],
  ['comments after addresses', (n) => `To: ${'a@b(c)@b(c)'.repeat(n)}\r\n\r\n`],
  ['starts of encoded words', (n) => `Subject: ${'=?'.repeat(n)}\r\n\r\n`],
  ['unterminated encoded words', (n) => `Subject: ${'=?utf-8?q?a'.repeat(n)}\r\n\r\n`],
  ['parameters without a name', (n) => `Content-Type: a/b${';x*0='.repeat(n)}\r\n\r\n`],
  ['nested groups', (n) => `To: ${'a:'.repeat(n)}\r\n\r\n`],
  [
    'lines that begin like the boundary',
    (n) => `Content-Type: multipart/mixed; boundary=abc\r\n\r\n${'--ab\r\n--abcd\r\n'.repeat(n)}`,
  ],
  [
    'RFC 2231 sections',
    (n) => `Content-Type: a/b${sections(n)}\r\nContent-Disposition: c${sections(n)}\r\n\r\n`,
  ],
  ['fields', (n) => 'Subject: a\r\n'.repeat(n)],
  ['parts', (n) => `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\nno field\r\n'.repeat(n)}`],
  ['closing brackets', (n) => `References: ${'<'.repeat(n)}${'>'.repeat(n)}\r\n\r\n`],
  ['open comments in a date', (n) => `Date: ${'('.repeat(n)}\r\n\r\n`],
  ['nested elements of HTML', (n) => `Content-Type: text/html\r\n\r\n${'<div><ul><blockquote>'.repeat(n)}x`],
  ['beginnings of files', (n) => `\r\n${'begin 644 a\n=ybegin name=b\n'.repeat(n)}`],
]

function nested(n: number): string {
  const all: string[] = []
  for (let i = 0; i < n; i++) all.push(`Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`)
  return all.join('')
}

function sections(n: number): string {
  const all: string[] = []
  for (let i = 0; i < n; i++) all.push(`;name*${i}=a`)
  return all.join('')
}

test.each(inputs)('%s, many of them: no throw, no overflow, at once', (_name, make) => {
  const message = bytes(make(SIZE))
  const start = process.cpuUsage()
  const parsed = parseMessage(message, { limits: { headerBlock: 67_108_864 } })
  const facts = factsOf(message)
  const { user } = process.cpuUsage(start)
  expect(parsed.size).toBe(message.length)
  expect(facts.size).toBe(message.length)
  // two readings of up to 30 MB; what is not linear takes minutes
  expect(user / 1e6).toBeLessThan(SIZE / 100_000 + 3)
})

test.each(inputs)('%s: time grows with the input and no faster', (_name, make) => {
  const ratio = growth(5_000, (n) => {
    const message = bytes(make(n))
    return () => {
      parseMessage(message, { limits: { headerBlock: 67_108_864 } })
    }
  })
  expect(ratio).toBeLessThan(6)
})

describe('what made peers hang or fall', () => {
  test.each<[name: string, text: string, defects: string[]]>([
    ['a mail of 165 octets', `Content-Type: a/b; name*999999999=x; ${'name*0=y;'.repeat(14)}\r\n\r\n`, []],
    ['40,000 encoded words', `Subject: ${'=?utf-8?q?a?= '.repeat(40_000)}\r\n\r\n`, []],
    ['10,000 nested messages', 'Content-Type: message/rfc822\r\n\r\n'.repeat(10_000), ['tooDeep']],
    ['50,000 nested groups', `To: ${'a:'.repeat(50_000)}\r\n\r\n`, []],
    [
      'a type of 100,000 sections',
      `Content-Type: a/b${sections(100_000)}\r\n\r\n`,
      ['headerTooLong', 'tooManyParameters'],
    ],
    ['a header of 100,000 fields', `${'A: b\r\n'.repeat(100_000)}\r\nx`, ['tooManyFields']],
    ['a header of 2 MB', `${'A: b\r\n'.repeat(350_000)}\r\nx`, ['headerTooLong', 'tooManyFields']],
    [
      '100,000 parts',
      `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(100_000)}`,
      ['tooManyParts', 'boundaryUnterminated'],
    ],
  ])('%s is read within a second, what is over a limit kept and named', (_name, text, defects) => {
    const message = bytes(text)
    const start = process.cpuUsage()
    const parsed = parseMessage(message)
    const facts = factsOf(message)
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(1)
    expect([...new Set(parsed.defects.map(({ code }) => code))]).toEqual(defects)
    expect([parsed.size, facts.size, parsed.root.endOffset]).toEqual(Array<number>(3).fill(message.length))
    // nothing is refused or dropped: leaves and headers hold every octet
    expect(message.equals(parsed.root.raw ?? Buffer.alloc(0))).toBe(true)
  })

  test('RFC 2231 with 100,000 sections', () => {
    const text = Array.from({ length: 100_000 }, (_, i) => `;x*${100_000 - i}*=%41`).join('')
    const start = process.cpuUsage()
    const joined = decodeParameters(parseContentType(`a/b${text}`, 200_000)?.parameters ?? []).get('x')
    expect(joined).toBe('A'.repeat(100_000))
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(1)
  })
})

test.each<[string, (n: number) => void]>([
  ['parseMessageIds', (n) => parseMessageIds('<('.repeat(n))],
  ['parseReceived', (n) => parseReceived('from ( ('.repeat(n))],
  ['parseAuthenticationResults', (n) => parseAuthenticationResults('a;b=c (d) "'.repeat(n))],
  ['baseSubject', (n) => baseSubject(`${'[a]'.repeat(n)}${'[fwd:'.repeat(n)}`)],
  ['baseSubject of trailers', (n) => baseSubject(`re:${'[fwd:re:'.repeat(n)}${'](fwd)'.repeat(n)}`)],
  ['unflow', (n) => unflow('> a \n'.repeat(n))],
  ['htmlToText', (n) => htmlToText('<a href="http://x">&lt;<td>'.repeat(n))],
  ['judgeAddress', (n) => judgeAddress(`${'(a)'.repeat(n)}a@b`)],
  ['decodeWords', (n) => decodeWords('=?utf-8?b?4pyT?= =?x?q??='.repeat(n))],
  ['parseMailboxes', (n) => parseMailboxes('=?utf-8?q?x?= <a@b>,'.repeat(n))],
])('%s is linear', (_name, run) => expect(growth(4_000, (n) => () => run(n))).toBeLessThan(6))

/** Throws where parts do not lie inside of each other in order. */
function checkParts(root: ParsedPart): void {
  const open: ParsedPart[] = [root]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part.headerOffset > part.bodyOffset || part.bodyOffset > part.endOffset) throw new Error('offsets')
    const encoded = part.encoding === 'base64' || part.encoding === 'quoted-printable'
    let from = part.bodyOffset
    for (const child of part.message === null ? part.parts : [part.message.root]) {
      if (!encoded && (child.headerOffset < from || child.endOffset > part.endOffset))
        throw new Error('nesting')
      from = child.endOffset
      open.push(child)
    }
  }
}

test('random octets and mutated messages give well formed trees', () => {
  const seeds = Object.values(samples)
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 6 })), { maxLength: 8 }),
      fc.nat(),
      fc.boolean(),
      (seed, changes, place, random) => {
        let message = random ? Buffer.alloc(0) : bytes(seed)
        for (const [at, kind, octets] of changes) {
          const start = at % (message.length + 1)
          const after = kind === 0 ? start : Math.min(start + kind, message.length)
          message = Buffer.concat([message.subarray(0, start), octets, message.subarray(after)])
        }
        checkTree(factsOf(message), message)
        const parsed = parseMessage(message)
        checkParts(parsed.root)
        const chunks = cut(message, [place % (message.length + 1)])
        expect(factsIn(chunks)).toEqual(factsOf(message))
        expect(eventsOf(chunks)).toEqual(eventsOf([message]))
      },
    ),
    { numRuns: RUNS },
  )
})
