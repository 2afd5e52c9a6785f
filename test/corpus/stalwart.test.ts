import { expect, test } from 'vitest'
import { parseMessage } from '../../src/mime/index.js'
import { differencesOf } from './compare.js'
import { stalwartMessages } from './corpus.js'

/** Why readings differ: messages, the difference, the reason. */
const reasons: readonly (readonly [name: RegExp, difference: RegExp, reason: string])[] = [
  [
    /^rfc\/000/,
    /^part [45] text|^attachments/,
    'the body is no base64 although it says so: the digits in it are decoded here, the other parser hands out what stands there as a file',
  ],
  [
    /^rfc\/000/,
    /^part 7 > (?:from|to)/,
    'the field holds nothing but a comment: no mailbox (RFC 5322 section 3.4)',
  ],
  [
    /^rfc\/00[14]/,
    /(?:from|to): /,
    'one word without @ is a local part here, as ENVELOPE shows it, and a display name there',
  ],
  [/^rfc\/002/, /^part 2 > to/, 'a comment beside a display name is not part of the name'],
  [
    /^malformed\/(?:00[36]|022)/,
    /damaged: false/,
    'the other parser marks parts of an open multipart, and a message that is none, as well',
  ],
  [
    /^(?:malformed\/018|thirdparty\/01[6-9])/,
    /damaged: true/,
    'an `=` of `version="1.0"` stands in quoted-printable as it is',
  ],
  [/^malformed\/000/, /^parts/, 'parts of a header without a body are parts here (RFC 2046 section 5.1)'],
  [
    /^malformed\/(?:001|008|016)/,
    /./,
    'a line is a delimiter when it is exactly that: `--ab` is none of the boundary `a`; the other parser takes prefixes',
  ],
  [/^malformed\/004/, /^parts/, 'the lines begin like the boundary but are longer: no delimiter'],
  [/^malformed\/00[36]/, /^attachments/, 'the only text of the message is its text here, not a file'],
  [
    /^malformed\/007/,
    /./,
    'a delimiter ends the header block of its own multipart; the other parser reads on, and finds a text',
  ],
  [
    /^malformed\/(?:009|011|012|013)/,
    /^parts/,
    'an outer delimiter ends inner multiparts (RFC 2046 section 5.1.2): the parts after it are found here',
  ],
  [/^malformed\/014/, /^parts/, 'a delimiter at the end of the message begins a part, an empty one'],
  [
    /^malformed\/019/,
    /^part /,
    'a part that begins with a line that is no field is all body here; its fields are looked for there',
  ],
  [/^malformed\/02[01]/, /^parts/, 'of two Content-Type fields the first counts here, the last one there'],
  [
    /^malformed\/022/,
    /^part 2 end/,
    'the body ends before the line end of the delimiter, also where a message is expected and none is there',
  ],
  [
    /^thirdparty\/002/,
    /^part [23] text|^attachments/,
    'base64 with foreign octets: digits after them are decoded here as well',
  ],
  [
    /^thirdparty\/005/,
    /^part 5 (?:end|text)/,
    'a delimiter stands at the beginning of a line; here there is text before it',
  ],
  [
    /^thirdparty\/015/,
    /^parts/,
    'a message inside ends, in its header, at the outer delimiter: the two messages after it are parts of their own',
  ],
]

const messages = stalwartMessages()

test('every message reads as the other parser does, but for the differences listed', () => {
  expect(messages.length).toBeGreaterThan(90)
  const used = new Set<string>()
  const unexplained: string[] = []
  for (const given of messages) {
    for (const difference of differencesOf(given, parseMessage(given.message))) {
      const reason = reasons.find(([name, pattern]) => name.test(given.name) && pattern.test(difference))
      if (reason === undefined) unexplained.push(`${given.name} ${difference}`)
      else used.add(reason[2])
    }
  }
  expect(unexplained).toEqual([])
  expect([...reasons].filter(([, , reason]) => !used.has(reason)).map(([name]) => String(name))).toEqual([])
})
