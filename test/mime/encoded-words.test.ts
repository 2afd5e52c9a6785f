import { describe, expect, test } from 'vitest'
import { decodeWords, encodeWords, parseMailboxes, unfold } from '../../src/mime/index.js'

describe('RFC 2047 section 8', () => {
  test.each([
    ['=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore'],
    ['=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>', 'Keld Jørn Simonsen'],
    ['=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>', 'André Pirard'],
    ['=?ISO-8859-1?Q?Olle_J=E4rnefors?= <ojarnef@admin.kth.se>', 'Olle Järnefors'],
    ['=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>', 'Patrik Fältström'],
    ['(=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=) <x@y>', 'םולש ןב ילטפנ'],
    ['=?US-ASCII*EN?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore'],
  ])('%s', (text, name) => expect(parseMailboxes(text)[0]?.name).toBe(name))

  test('two charsets in one subject', () => {
    const subject =
      '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?='
    expect(decodeWords(unfold(subject))).toBe('If you can read this you understand the example.')
  })

  test.each([
    ['(=?ISO-8859-1?Q?a?=)', '(a)'],
    ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
  ])('%j', (text, expected) => expect(decodeWords(text)).toBe(expected))
})

describe('damage', () => {
  test.each([
    ['a character split over two words', '=?utf-8?q?=C3?= =?utf-8?b?qQ==?=', 'é'],
    ['an unknown charset that is UTF-8', '=?x-none?q?=C3=A9?=', 'é'],
    ['an unknown charset that is not', '=?x-none?q?=E9?=', 'é'],
    ['a wrong charset: ASCII that is UTF-8', '=?us-ascii?q?=C3=A9?=', 'é'],
    ['a wrong charset: UTF-8 that is not', '=?utf-8?q?=E9a?=', '\ufffda'],
    ['a character split over a B and a Q word', '=?utf-8?q?a=E2=9C?=\r\n =?UTF-8?B?k2I=?=', 'a✓b'],
    ['a folded word', '=?utf-8?q?a\r\n b?=', 'a b'],
    ['spaces inside', '=?utf-8?Q?a b?= c', 'a b c'],
    ['question marks at the end', '=?utf-8?Q?what???=', 'what??'],
    ['words without space between', '=?utf-8?q?a?==?utf-8?q?b?=', 'ab'],
    ['a word inside a word', 'x=?utf-8?q?a?=y', 'xay'],
    ['no end', '=?utf-8?q?abc', '=?utf-8?q?abc'],
    ['no encoding', '=?utf-8?x?abc?=', '=?utf-8?x?abc?='],
    ['broken escapes', '=?utf-8?q?a=G1=?=', 'a=G1='],
    ['padding inside', '=?utf-8?b?YQ==Yg==?=', 'ab'],
    ['an empty word', '=?utf-8?q??=x', 'x'],
    ['raw UTF-8 beside a word', 'Ã© =?utf-8?q?a?=', 'é a'],
    ['raw windows-1252', 'caf\xe9 \x80', 'café €'],
  ])('%s', (_name, text, expected) => expect(decodeWords(text)).toBe(expected))
})

describe('encodeWords', () => {
  test.each(['plain', 'Grüße aus Köln', `${'日本語'.repeat(40)} end`])('%s decodes to the same', (text) => {
    const encoded = encodeWords(text)
    expect(encoded).toMatch(/^[\x20-\x7e]*$/)
    expect(decodeWords(encoded)).toBe(text)
  })

  test('what would end the field is refused', () => {
    expect(() => encodeWords('a\r\nBcc: b@c')).toThrow(expect.objectContaining({ code: 'HEADER_VALUE' }))
  })
})
