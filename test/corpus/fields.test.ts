import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  decodeParameters,
  Headers,
  parseContentType,
  parseDate,
  parseMailboxes,
  parseMessageIds,
  parseReceived,
} from '../../src/mime/index.js'
import { addressesIn, dateIn } from './compare.js'
import { corpusPath } from './corpus.js'

type Read = (headers: Headers) => unknown
type Other = Readonly<Record<string, unknown>> | null
/** The field, the difference as `field: ours, not theirs`, the reason. */
type Reason = readonly [field: RegExp, difference: RegExp, reason: string]

interface Case {
  readonly header: string
  readonly expected: unknown
}

function differences(file: string, read: Read, expected: (other: never) => unknown): string[] {
  const path = corpusPath('mail-parser-stalwart', 'resources', `${file}.json`)
  const out: string[] = []
  for (const { header, expected: other } of JSON.parse(readFileSync(path, 'utf8')) as Case[]) {
    const [ours, theirs] = [
      JSON.stringify(read(new Headers(Buffer.from(`X:${header}`)))),
      JSON.stringify(expected(other as never)),
    ]
    if (ours !== theirs) out.push(`${JSON.stringify(header)}: ${ours}, not ${theirs}`)
  }
  return out
}

function check(found: readonly string[], reasons: readonly Reason[]): void {
  const used = new Set<Reason>()
  const unexplained = found.filter((each) => {
    const split = each.lastIndexOf('": ') + 1
    const reason = reasons.find(
      ([field, difference]) => field.test(each.slice(0, split)) && difference.test(each),
    )
    if (reason !== undefined) used.add(reason)
    return reason === undefined
  })
  expect(unexplained).toEqual([])
  expect(reasons.filter((reason) => !used.has(reason)).map(([, , reason]) => reason)).toEqual([])
}

const value = (headers: Headers): string => headers.get('x') ?? ''

test('addresses', () => {
  const found = differences(
    'address',
    (headers) =>
      parseMailboxes(value(headers))
        .flatMap((address) => address.group ?? [address])
        .map(({ name, address }) => `${name} <${address}>`),
    addressesIn,
  )
  check(found, [
    [
      /\(/,
      /\(/,
      'a comment beside a display name is not part of it, and one in an address is not part of that',
    ],
    [
      /<@node\.test:/,
      /./,
      'a source route is no part of the address (RFC 5322 section 4.4), nor is white space',
    ],
    [/^"<a@b\.com> =\?/, /Doe/, 'what follows an address belongs to nothing'],
    [/<(?:http|mailto|ftp):/, /./, 'a URL is no address: what is no atom is quoted'],
  ])
})

test('dates', () => {
  const found = differences('date', (headers) => parseDate(value(headers))?.ms ?? null, dateIn)
  check(found, [
    [/20 11 \(some|4 8 15 16/, /: null/, 'numbers for months: none of the forms that are taken'],
    [/^"by 2002:/, /: null/, 'a whole Received field: parseReceived finds its date'],
  ])
})

test('message identifiers', () => {
  const found = differences(
    'id',
    (headers) => parseMessageIds(value(headers)),
    (other: Other) => other ?? [],
  )
  check(found, [
    [/1234 {3}@/, /1234@local/, 'white space and comments in it are no part of it (RFC 5322 section 4.5.4)'],
    [/^" {3}m/, /\[\]/, 'one word without an @ or brackets is none'],
  ])
})

test('content types', () => {
  const found = differences(
    'content_type',
    (headers) => {
      const read = parseContentType(value(headers))
      if (read === null) return null
      return [`${read.type}/${read.subtype}`, Object.fromEntries(decodeParameters(read.parameters))]
    },
    (other: Other) => {
      if (other === null) return null
      const attributes = (other.attributes ?? []) as readonly (readonly [string, string])[]
      const named = attributes.filter(([name]) => !name.endsWith('-language'))
      return [`${other.c_type}/${other.c_subtype ?? ''}`.toLowerCase(), Object.fromEntries(named)]
    },
  )
  check(found, [
    [/./, /: null, not/, 'no type, or no subtype: unusable here (RFC 2045 section 5.2)'],
    [/text\/plain\/format/, /./, 'a subtype is a token, it ends at a slash'],
    [/á\/é/, /./, 'names are octets; only values are converted'],
    [/versi%F3n/, /./, 'the first section alone names a charset (RFC 2231 section 4.1)'],
    [/w6k=/, /áéí/, 'adjacent encoded words are joined without the space between (RFC 2047 section 6.2)'],
    [/name= {2}/, /./, 'an empty parameter is one'],
    [/name=\\" {3}/, /./, 'white space at the end of a field is no part of it, in an open quoted string too'],
    [/key4\*=|malicious/, /./, 'what begins or ends with asterisks is no section'],
  ])
})

test('Received fields', () => {
  const found = differences(
    'received',
    (headers) => {
      const { from, by, for: recipient, id, date } = parseReceived(value(headers))
      const host = (name: string | null): string | null =>
        name?.replace(/^\[(?:IPv6:)?|\](?::\d+)?$/gi, '').toLowerCase() ?? null
      return [host(from), host(by), recipient, id, date?.ms ?? null]
    },
    (other: Other) => {
      const host = (of: unknown): string | null =>
        of === undefined ? null : String(Object.values(of as object)[0]).toLowerCase()
      const { from, by, for_: recipient = null, id = null, date = null } = other ?? {}
      return [host(from), host(by), recipient, id, dateIn(date)]
    },
  )
  check(found, [
    [/ P[SD]T\\n/, /./, 'PST is eight hours west of Greenwich, PDT seven (RFC 5322 section 4.3)'],
    [/(?:Mar|Feb) 0[34] /, /./, 'a year of two digits'],
    [/[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:/, /./, 'the year after the time'],
    [/^"from qmail/, /"alpha"/, 'the first `by` counts'],
    [/^"from Unknown\/Local/, /./, 'a name that is none is given as it stands'],
    [/for <address>/, /./, 'a recipient without a domain'],
    [/id \w\w\/\d\d/, /./, 'an identifier may hold a slash'],
    [/53:55\.516/, /./, 'fractions of a second are passed over, the second is not'],
    [/_ Tue/, /null\]/, 'an underscore before the date'],
    [/^"\(|from userid/, /./, 'what stands in a comment is no clause'],
  ])
})

test('text', () => {
  const flat = (text: unknown): string => String(text).replace(/\s+/g, ' ').trim()
  const found = differences('unstructured', (headers) => flat(headers.getText('x')), flat)
  check(found, [[/SUSPECTED SPAM/, /./, 'no space stands before the encoded word, and none is made up']])
})
