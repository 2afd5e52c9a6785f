import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cursor } from '../../../src/imap/grammar/cursor.js'
import { expectDateTime } from '../../../src/imap/grammar/values.js'
import { decodeUtf7, encodeUtf7, formatNumbers, parseSequenceSet } from '../../../src/imap/index.js'
import {
  appendUidCode,
  astring,
  bodyStructure,
  copyUidCode,
  dateTime,
  envelope,
  flagList,
  idResponse,
  listResponse,
  nstring,
  permanentFlagsCode,
  respText,
  statusResponse,
  string,
  tagged,
} from '../../../src/imap/responses.js'
import type { Envelope, PartFacts } from '../../../src/interfaces/index.js'

const octets = fc
  .uint8Array({ max: 255, maxLength: 80 })
  .map((bytes) => Buffer.from(bytes).toString('latin1'))
const withoutNul = octets.map((text) => text.replaceAll('\0', ''))

type Tree = string | number | null | readonly Tree[]

/** Reads a parenthesised response back: strings, numbers, NIL and lists. */
function reparse(text: string): Tree {
  const cursor = new Cursor(text)
  const stack: Tree[][] = [[]]
  while (!cursor.atEnd) {
    const top = stack.at(-1) as Tree[]
    if (cursor.take('(')) stack.push([])
    else if (cursor.take(')')) {
      stack.pop()
      ;(stack.at(-1) as Tree[]).push(top)
    } else if (!cursor.take(' ')) {
      const value = cursor.string()
      if (value !== null) top.push(value)
      else if (/[0-9]/.test(cursor.text[cursor.at] ?? '')) top.push(cursor.expectNumber())
      else if (cursor.word() === 'NIL') top.push(null)
      else throw new Error(`cannot read ${text.slice(cursor.at, cursor.at + 20)}`)
    }
  }
  expect(stack).toHaveLength(1)
  return stack[0]?.[0] ?? null
}

const noEnvelope: Envelope = {
  date: null,
  subject: null,
  from: [],
  sender: [],
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  inReplyTo: null,
  messageId: null,
}

function part(some: Partial<PartFacts>): PartFacts {
  return {
    type: 'text',
    subtype: 'plain',
    parameters: [],
    id: null,
    description: null,
    encoding: '7bit',
    md5: null,
    disposition: null,
    language: [],
    location: null,
    headerOffset: 0,
    bodyOffset: 10,
    endOffset: 30,
    lines: 2,
    parts: [],
    message: null,
    ...some,
  }
}

describe('strings', () => {
  it('come back as they went in', () => {
    fc.assert(
      fc.property(withoutNul, (text) => {
        expect(new Cursor(string(text)).expectString()).toBe(text)
        expect(new Cursor(nstring(text)).expectNString()).toBe(text)
        expect(new Cursor(astring(text)).expectAString()).toBe(text)
      }),
    )
  })

  it.each([
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['a\r\nb', '{4}\r\na\r\nb'],
    ['\xe9', '{1}\r\n\xe9'],
    ['a\0b', '"a?b"'],
    ['', '""'],
    ['NIL', '"NIL"'],
  ])('%j', (text, expected) => {
    expect(string(text)).toBe(expected)
  })

  it('longer than 4,096 octets go out as literals', () => {
    expect(string('a'.repeat(4096))).toHaveLength(4098)
    expect(string('a'.repeat(4097))).toMatch(/^\{4097\}\r\n/)
  })

  it('of text for people stay on one line and begin no response code', () => {
    expect(respText('a\r\n* BYE \xe9')).toBe('a?* BYE ?')
    expect(respText('')).toBe('-')
    expect(tagged('a', 'OK', null, '[ALERT] x')).toBe('a OK  [ALERT] x\r\n')
  })
})

describe('modified UTF-7', () => {
  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (a, b) => {
        for (const name of [a, b]) {
          const encoded = encodeUtf7(name)
          expect(encoded).toMatch(/^[\x20-\x7e]*$/)
          expect(decodeUtf7(encoded)).toBe(name)
        }
      }),
    )
  })

  it('has one spelling for each name', () => {
    const alphabet = fc.constantFrom(...'&-,+AGEYBwa/'.split(''))
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 14 }), (text) => {
        const name = decodeUtf7(text)
        if (name !== null) expect(encodeUtf7(name)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it.each<[string, string | null]>([
    ['~peter/mail/&U,BTFw-/&ZeVnLIqe-', '~peter/mail/台北/日本語'],
    ['&Jjo-!', '☺!'],
    ['&-', '&'],
    ['a&-b', 'a&b'],
    ['&2D3eAA-', '😀'],
    ['&AC8-', null],
    ['&AGEAYg-', null],
    ['&U,BTFw-&ZeVnLIqe-', null],
    ['&', null],
    ['&Jjo', null],
    ['&Jj-', null],
    ['&Jjp-', null],
    ['&2D0-', null],
    ['&3gA-', null],
    ['&Jjo=-', null],
    ['&J/o-', null],
    ['\xe9', null],
    ['a\tb', null],
  ])('%j', (text, name) => {
    expect(decodeUtf7(text)).toBe(name)
  })
})

describe('sequence sets', () => {
  it('come back as they went in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (list) => {
        const numbers = list.sort((a, b) => a - b)
        const spelt = (parseSequenceSet(formatNumbers(numbers)) ?? []).flatMap(([first, last]) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        )
        expect(spelt).toEqual(numbers)
      }),
    )
  })
})

describe('dates', () => {
  it('come back as they went in', () => {
    const seconds = fc.integer({ min: Date.UTC(1900, 0) / 1000, max: Date.UTC(9999, 0) / 1000 })
    fc.assert(
      fc.property(seconds, (second) => {
        expect(expectDateTime(new Cursor(dateTime(second * 1000)))).toBe(second * 1000)
      }),
    )
  })

  it('have a day of two places and a year of four', () => {
    expect(dateTime(Date.UTC(1994, 1, 7, 21, 52, 25))).toBe('" 7-Feb-1994 21:52:25 +0000"')
    expect(dateTime(Number.MAX_SAFE_INTEGER)).toBe('"31-Dec-9999 23:59:59 +0000"')
    expect(dateTime(-Number.MAX_SAFE_INTEGER)).toBe('" 1-Jan-0000 00:00:00 +0000"')
  })

  it('of APPEND are checked', () => {
    for (const text of [
      '"7-Feb-1994 21:52:25 +0000"',
      '" 7-Feb-1994 24:52:25 +0000"',
      '"31-Jun-1994 01:52:25 +0000"',
    ]) {
      expect(() => expectDateTime(new Cursor(text))).toThrow()
    }
    expect(expectDateTime(new Cursor('"17-jul-1996 02:44:25 -0730"'))).toBe(Date.UTC(1996, 6, 17, 10, 14, 25))
  })
})

describe('ENVELOPE', () => {
  const terry = { name: 'Terry Gray', route: null, mailbox: 'gray', host: 'cac.washington.edu' }

  it('is that of RFC 3501 section 8; sender and reply-to fall back to from', () => {
    const text = envelope({
      ...noEnvelope,
      date: 'Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
      from: [terry],
      messageId: '<B@x>',
    })
    const from = '(("Terry Gray" NIL "gray" "cac.washington.edu"))'
    expect(text).toBe(
      `("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" NIL ${from} ${from} ${from} NIL NIL NIL NIL "<B@x>")`,
    )
  })

  it('holds whatever a message says, and nothing of it outside strings', () => {
    const nullable = fc.option(withoutNul)
    const address = fc.record({ name: nullable, route: nullable, mailbox: nullable, host: nullable })
    fc.assert(
      fc.property(nullable, fc.array(address, { minLength: 1, maxLength: 3 }), (text, list) => {
        const facts = { ...noEnvelope, subject: text, from: list, sender: list, replyTo: list, cc: list }
        const row = list.map((a) => [a.name, a.route, a.mailbox, a.host])
        expect(reparse(envelope(facts))).toEqual([null, text, row, row, row, null, row, null, null, null])
      }),
    )
  })
})

describe('BODYSTRUCTURE', () => {
  it('of a text part', () => {
    const text = part({
      parameters: [['charset', 'utf-8']],
      md5: 'x',
      disposition: { type: 'inline', parameters: [] },
    })
    expect(bodyStructure(text, false)).toBe('("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 20 2)')
    expect(bodyStructure(text, true)).toBe(
      '("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 20 2 "x" ("inline" NIL) NIL NIL)',
    )
  })

  it('of a multipart with an attachment', () => {
    const image = part({
      type: 'image',
      subtype: 'png',
      id: '<i@x>',
      encoding: 'base64',
      disposition: { type: 'attachment', parameters: [['filename', 'a"b']] },
      language: ['en', 'de'],
      location: 'http://x/',
    })
    const mixed = part({
      type: 'multipart',
      subtype: 'mixed',
      parameters: [['boundary', 'b']],
      parts: [part({}), image],
    })
    expect(bodyStructure(mixed, false)).toBe(
      '(("text" "plain" NIL NIL NIL "7bit" 20 2)("image" "png" NIL "<i@x>" NIL "base64" 20) "mixed")',
    )
    expect(bodyStructure(mixed, true)).toBe(
      '(("text" "plain" NIL NIL NIL "7bit" 20 2 NIL NIL NIL NIL)("image" "png" NIL "<i@x>" NIL "base64" 20 NIL ' +
        '("attachment" ("filename" "a\\"b")) ("en" "de") "http://x/") "mixed" ("boundary" "b") NIL NIL NIL)',
    )
  })

  it('of a message in a message', () => {
    const inner = part({
      type: 'message',
      subtype: 'rfc822',
      lines: 9,
      message: { envelope: noEnvelope, root: part({}) },
    })
    const nothing = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)'
    expect(bodyStructure(inner, false)).toBe(
      `("message" "rfc822" NIL NIL NIL "7bit" 20 ${nothing} ("text" "plain" NIL NIL NIL "7bit" 20 2) 9)`,
    )
  })

  it('is valid for a multipart without parts and a message that was not read', () => {
    expect(bodyStructure(part({ type: 'multipart', subtype: 'mixed' }), false)).toBe(
      '(("text" "plain" NIL NIL NIL "7bit" 0 0) "mixed")',
    )
    expect(reparse(bodyStructure(part({ type: 'message', subtype: 'rfc822' }), true))).toHaveLength(14)
  })

  it('of parts 100,000 deep needs no stack', () => {
    let deep = part({})
    for (let i = 0; i < 100_000; i++) deep = part({ type: 'multipart', subtype: 'x', parts: [deep] })
    expect(bodyStructure(deep, true).startsWith('('.repeat(100_000))).toBe(true)
  })

  it('holds whatever a message says, and nothing of it outside strings', () => {
    fc.assert(
      fc.property(withoutNul, withoutNul, fc.array(fc.tuple(withoutNul, withoutNul)), (a, b, parameters) => {
        const facts = part({ subtype: a, parameters, description: b, location: a, language: [b] })
        const pairs = parameters.length === 0 ? null : parameters.flat()
        const tree = ['text', a, pairs, null, b, '7bit', 20, 2, null, null, [b], a]
        expect(reparse(bodyStructure(facts, true))).toEqual(tree)
      }),
    )
  })
})

describe('responses', () => {
  it('quote mailbox names', () => {
    expect(listResponse('LIST', ['\\HasNoChildren'], '/', 'a "b"\r\nc')).toBe(
      '* LIST (\\HasNoChildren) "/" "a \\"b\\"&AA0ACg-c"\r\n',
    )
    expect(statusResponse('日本語', [['MESSAGES', 1]])).toBe('* STATUS "&ZeVnLIqe-" (MESSAGES 1)\r\n')
  })

  it('leave out flags that IMAP cannot spell', () => {
    expect(flagList(['\\Seen', 'a b', 'x)', '$ok', '\\', 'é'])).toBe('(\\Seen $ok)')
    const seen = ['\\Seen']
    expect(flagList(seen, true)).toBe('(\\Seen \\Recent)')
    expect(flagList(seen)).toBe('(\\Seen)')
    expect(flagList([], true)).toBe('(\\Recent)')
    expect(permanentFlagsCode([], true)).toBe('PERMANENTFLAGS (\\*)')
    expect(permanentFlagsCode(['\\Seen'], true)).toBe('PERMANENTFLAGS (\\Seen \\*)')
  })

  it('tell UIDs as ranges', () => {
    expect(copyUidCode(38505, [304, 319, 320], [3956, 3957, 3958])).toBe(
      'COPYUID 38505 304,319:320 3956:3958',
    )
    expect(appendUidCode(38505, [3955])).toBe('APPENDUID 38505 3955')
  })

  it('spell ID', () => {
    expect(
      idResponse([
        ['name', 'x'],
        ['version', null],
      ]),
    ).toBe('* ID ("name" "x" "version" NIL)\r\n')
    expect(idResponse([])).toBe('* ID NIL\r\n')
  })
})
