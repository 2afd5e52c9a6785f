import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type AddressJudgement, judgeAddress } from '../../src/mime/index.js'
import { corpusPath } from './corpus.js'

interface Case {
  readonly address: string
  readonly diagnosis: string
  readonly expected: AddressJudgement
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function text(xml: string): string {
  return xml
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&(\w+);/g, (_, name: string) => entities[name] ?? '')
    .replace(/[\u2400-\u2421]/g, (symbol) =>
      String.fromCharCode(symbol === '\u2421' ? 127 : symbol.charCodeAt(0) - 0x2400),
    )
}

function fromXml(): Case[] {
  const xml = readFileSync(corpusPath('isemail', 'tests.xml'), 'utf8')
  return [...xml.matchAll(/<test id="\d+">([\s\S]*?)<\/test>/g)].map(([, body = '']) => {
    const field = (name: string): string =>
      new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(body)?.[1] ?? ''
    const category = field('category')
    const expected =
      category === 'ISEMAIL_ERR'
        ? 'invalid'
        : /^ISEMAIL_(?:VALID_CATEGORY|DNSWARN|RFC5321)$/.test(category)
          ? 'smtp'
          : 'message'
    return { address: text(field('address')), diagnosis: field('diagnosis'), expected }
  })
}

function fromJson(): Case[] {
  const given = JSON.parse(readFileSync(corpusPath('isemail-hapi', 'tests.json'), 'utf8')) as [
    string,
    string,
  ][]
  return given.map(([address, diagnosis]) => ({
    address,
    diagnosis,
    expected: diagnosis.startsWith('err')
      ? 'invalid'
      : /^(?:valid|dns|rfc5321)/.test(diagnosis)
        ? 'smtp'
        : 'message',
  }))
}

/** Why a judgement differs, by what the suite says and what stands here. */
const reasons: readonly (readonly [diagnosis: RegExp, ours: AddressJudgement, reason: string])[] = [
  [
    /DomainHyphen|DOMAINHYPHEN/i,
    'message',
    'a hyphen may stand anywhere in an atom of RFC 5322; only a host name forbids it',
  ],
  [
    /IPV6DEPRECATED|deprecatedIPv6/i,
    'smtp',
    'RFC 5952 asks writers not to shorten one group with `::`; RFC 4291 and RFC 5321 readers take it',
  ],
  [
    /QPAIR|errExpectingQPair/i,
    'smtp',
    'RFC 6532 section 3.2 adds characters over 127 to VCHAR, so to quoted-pair',
  ],
  [
    /errExpectingDTEXT|errExpectingQPair/,
    'message',
    'RFC 6532 section 3.2 adds characters over 127 to dtext and VCHAR',
  ],
  [
    /errExpectingQTEXT/,
    'smtp',
    'RFC 5321 has QcontentSMTP any number of times: an empty quoted string is one',
  ],
  [/^valid$/, 'message', 'a label of over 63 octets in UTF-8; the suite counts characters'],
  [
    /rfc5322TooLong/,
    'smtp',
    '253 and 233 octets of UTF-8, under the 254 of RFC 5321; the suite counts such domains in another form',
  ],
  [
    /errExpectingCTEXT/,
    'message',
    'RFC 6532 section 3.2 adds every character over 127 to ctext, C1 controls too',
  ],
  [/^cfwsComment$/, 'invalid', 'half of a surrogate pair is no character and has no UTF-8'],
]

test('addresses are judged as the suites do, but for the differences listed', () => {
  const cases = [...fromXml(), ...fromJson()]
  expect(cases.length).toBeGreaterThan(370)
  const used = new Set<string>()
  const unexplained: string[] = []
  for (const { address, diagnosis, expected } of cases) {
    const judged = judgeAddress(address)
    if (judged === expected) continue
    const reason = reasons.find(([pattern, ours]) => ours === judged && pattern.test(diagnosis))
    if (reason === undefined) unexplained.push(`${JSON.stringify(address)}: ${judged}, not ${diagnosis}`)
    else used.add(reason[2])
  }
  expect(unexplained).toEqual([])
  expect(used.size).toBe(reasons.length)
})
