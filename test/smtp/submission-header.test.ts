import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SubmissionHeader } from '../../src/smtp/session/submission-header.js'

const facts = { from: 'alice@example.test', hostname: 'mx.example.test', now: Date.UTC(2026, 0, 1) }

function mend(pieces: readonly string[], given: Partial<typeof facts> = {}): string {
  const header = new SubmissionHeader({ ...facts, ...given })
  const out: Uint8Array[] = []
  for (const piece of pieces) if (piece !== '') out.push(...header.write(Buffer.from(piece, 'latin1')))
  out.push(...header.end())
  expect(out.every((piece) => piece.length > 0)).toBe(true)
  return Buffer.concat(out)
    .toString('latin1')
    .replace(/<[\da-f-]{36}@/, '<UUID@')
}

const date = 'Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n'
const from = 'From: <alice@example.test>\r\n'
const id = 'Message-ID: <UUID@mx.example.test>\r\n'

describe('SubmissionHeader (RFC 6409 section 8)', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['adds what is missing', 'Subject: x\r\n\r\nhello\r\n', `Subject: x\r\n${date}${from}${id}\r\nhello\r\n`],
    [
      'changes nothing in a whole header',
      'date: now\r\nFROM : me\r\nMessage-Id:\r\n <1@x>\r\n\r\nBcc: in the body\r\n',
      'date: now\r\nFROM : me\r\nMessage-Id:\r\n <1@x>\r\n\r\nBcc: in the body\r\n',
    ],
    [
      'takes Bcc out, folded and in any case, and what only begins like it stays',
      `BCC: a@b,\r\n c@d\r\n\te@f\r\nBccx: y\r\nResent-Bcc: z\r\n${date}${from}${id}\r\n`,
      `Bccx: y\r\n${date}${from}${id}\r\n`,
    ],
    ['mends an empty message', '', `${date}${from}${id}`],
    ['mends a message that is an empty line', '\r\n', `${date}${from}${id}\r\n`],
    ['mends a header without a body', 'Subject: x\r\n', `Subject: x\r\n${date}${from}${id}`],
    ['mends a header that breaks off', 'Subject: x', `Subject: x\r\n${date}${from}${id}`],
    [
      'makes a header for a message that has none',
      'hello\r\nworld\r\n',
      `${date}${from}${id}\r\nhello\r\nworld\r\n`,
    ],
    ['takes a Bcc out that breaks off', `${date}${from}${id}Bcc: x`, `${date}${from}${id}`],
    [
      'knows an empty Bcc and a long one',
      `Bcc:\r\n${date}Bcc: ${'x'.repeat(500)}\r\n${from}${id}\r\n`,
      `${date}${from}${id}\r\n`,
    ],
    [
      'ends the header at a line that is no field, with an empty line',
      'A: b\r\nno field\r\nBcc: x\r\n\r\n',
      `A: b\r\n${date}${from}${id}\r\nno field\r\nBcc: x\r\n\r\n`,
    ],
    [
      'ends it so where nothing is missing, too',
      `${date}${from}${id}no field\r\nBcc: x\r\n\r\n`,
      `${date}${from}${id}\r\nno field\r\nBcc: x\r\n\r\n`,
    ],
    [
      'ends it at a line that begins with a NUL',
      `${date}\0Bcc: x\r\n`,
      `${date}${from}${id}\r\n\0Bcc: x\r\n`,
    ],
    ['ends it at a line that begins with CR', `${date}\rBcc: x\r\n`, `${date}${from}${id}\r\n\rBcc: x\r\n`],
    [
      'knows a Bcc with blanks before its colon',
      `${date}${from}${id}Bcc${' \t'.repeat(40)}: x\r\n\r\n`,
      `${date}${from}${id}\r\n`,
    ],
    [
      'knows a Bcc with more blanks than are held',
      `${date}${from}${id}bcc${' '.repeat(1200)}: x\r\n\r\n`,
      `${date}${from}${id}\r\n`,
    ],
    [
      'knows a Bcc whose colon is folded away, or lost',
      `Resent-Bcc\r\n : x\r\nBcc\r\n${date}${from}${id}Bcc`,
      `${date}${from}${id}`,
    ],
    [
      'takes a line of an mbox file away, and reads the header behind it',
      `From alice Mon Jan  1 00:00:00 2026\r\n>From bob\r\n${date}${from}${id}Bcc: x\r\n\r\nFrom here\r\n`,
      `${date}${from}${id}\r\nFrom here\r\n`,
    ],
    [
      'takes no such line away within the header',
      `${date}${from}${id}From here\r\n\r\n`,
      `${date}${from}${id}\r\nFrom here\r\n\r\n`,
    ],
    [
      'goes on behind a name of other octets',
      `${date}${from}${id}X-\xdcber: 1\r\nBcc: x\r\n\r\n`,
      `${date}${from}${id}X-\xdcber: 1\r\n\r\n`,
    ],
    [
      'knows a long name from a line that is no field',
      `${date}${from}${id}X-${'y'.repeat(200)}: 1\r\n\r\n`,
      `${date}${from}${id}X-${'y'.repeat(200)}: 1\r\n\r\n`,
    ],
    [
      'makes a header before a long word',
      `${'y'.repeat(1200)}\r\n\r\nx`,
      `${date}${from}${id}\r\n${'y'.repeat(1200)}\r\n\r\nx`,
    ],
    [
      'replaces fields that are empty',
      'A: b\r\nFrom:\r\nDate : \t\r\n \t\r\n\t\r\nMessage-Id:\r\n\r\n',
      `A: b\r\n${date}${from}${id}\r\n`,
    ],
    ['replaces a field that is empty and breaks off', `${from}${id}Date: `, `${from}${id}${date}`],
    [
      'leaves a value in a folded line',
      `Date:\r\n \r\n now\r\n${from}${id}\r\n`,
      `Date:\r\n \r\n now\r\n${from}${id}\r\n`,
    ],
  ]
  for (const [what, before, after] of cases) {
    it(`${what}, at any cut`, () => {
      expect(mend([before])).toBe(after)
      for (let cut = 1; cut < before.length; cut += before.length > 1000 ? 97 : 1) {
        expect(mend([before.slice(0, cut), before.slice(cut)]), `cut at ${cut}`).toBe(after)
      }
      expect(mend([...before])).toBe(after)
    })
  }

  it('adds no From that it does not know', () => {
    expect(mend(['A: b\r\n\r\n'], { from: '' })).toBe(`A: b\r\n${date}${id}\r\n`)
  })

  it('never changes the body, and gives the same however it is cut', () => {
    const unit = fc.constantFrom(
      ...['Bcc:', 'bcc', 'Date: x', 'Date:', 'From:', 'From ', '>', 'a', ' ', '\t', ':', '\r', '\0'],
      ...['\r\n', '\r\n', '\r\n\r\n', '\n'],
    )
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 30 }),
        fc.array(fc.nat(60), { maxLength: 5 }),
        (text, cuts) => {
          const whole = mend([text])
          const places = [...new Set(cuts)].sort((a, b) => a - b)
          const pieces: string[] = []
          let at = 0
          for (const place of [...places, text.length]) {
            pieces.push(text.slice(at, place))
            at = Math.max(at, place)
          }
          expect(mend(pieces)).toBe(whole)
          const body = text.indexOf('\r\n\r\n')
          if (body !== -1) expect(whole.endsWith(text.slice(body + 4))).toBe(true)
          const header = whole.split(/\r?\n\r?\n/)[0] as string
          expect(header).not.toMatch(/(?:^|\n)bcc[ \t]*:/i)
        },
      ),
      { numRuns: 3000 },
    )
  })
})
