import { describe, expect, it } from 'vitest'
import { Talk } from './talk.js'

const inner = 'MAIL FROM:<evil@c.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\nsmuggled'

/** What comes between a message and what an attacker wants to be a second one. None of it is CRLF.CRLF. */
const sequences: Readonly<Record<string, string>> = {
  'LF.LF': '\n.\n',
  'LF.CRLF': '\n.\r\n',
  'CRLF.LF': '\r\n.\n',
  'LFLF.CRLF': '\n\n.\r\n',
  'CR.CR': '\r.\r',
  'CR.CRLF': '\r.\r\n',
  'CRLF.CR': '\r\n.\r',
  'LF.CR': '\n.\r',
  'CR.LF': '\r.\n',
  'LFCR.LFCR': '\n\r.\n\r',
  'CRLF.CRCRLF': '\r\n.\r\r\n',
  'CRLF.LFCR': '\r\n.\n\r',
  'CRCRLF.CRCRLF': '\r\r\n.\r\r\n',
  'LF..CRLF': '\n..\r\n',
  'CRLF.SP CRLF': '\r\n. \r\n',
  'CRLF.NUL CRLF': '\r\n.\0\r\n',
  'CRLF NUL.CRLF': '\r\n\0.\r\n',
  'VT.VT': '\v.\v',
  'FF.FF': '\f.\f',
  '0x85': '\x85.\x85',
  'U+2028': '\xe2\x80\xa8.\xe2\x80\xa8',
}
const refused = /^550 5\.6\.0 [^\r\n]*\r\n$/
const harmless = new Set(['CRLF.SP CRLF', 'VT.VT', 'FF.FF', '0x85', 'U+2028'])

describe('SMTP smuggling', () => {
  for (const [name, sequence] of Object.entries(sequences)) {
    it(`${name} never ends a message, at any cut`, () => {
      const text = `Subject: x\r\n\r\nhello${sequence}${inner}\r\n.\r\n`
      const expected = new Talk().begin().send(text)
      for (let cut = 0; cut <= text.length; cut++) {
        const talk = new Talk().begin()
        const output = talk.sendCut(text, cut === 0 ? [...text].map((_, index) => index) : [cut])
        expect(output).toBe(expected)
        expect(talk.events.filter((event) => event.type === 'mail')).toHaveLength(1)
        if (harmless.has(name)) {
          expect(output).toMatch(/^250 /)
          expect(talk.messages).toHaveLength(1)
          expect(talk.messages[0]).toContain('smuggled')
        } else {
          expect(output).toMatch(refused)
          expect(talk.messages).toHaveLength(0)
          expect(talk.events.at(-1)).toEqual({
            type: 'reset',
            reason: 'refused',
            refusal: expect.objectContaining({ code: 550, enhanced: '5.6.0' }),
          })
        }
      }
    })
  }

  it('makes line ends of bare CR and LF where asked to, and still ends at CRLF.CRLF only', () => {
    for (const [name, sequence] of Object.entries(sequences)) {
      if (sequence.includes('\0')) continue
      const text = `x${sequence}${inner}\r\n.\r\n`
      const whole = new Talk({ bareLineEnds: 'normalize' }).begin()
      whole.send(text)
      for (let cut = 0; cut <= text.length; cut++) {
        const talk = new Talk({ bareLineEnds: 'normalize' }).begin()
        const output = talk.sendCut(text, cut === 0 ? [...text].map((_, index) => index) : [cut])
        expect(output, name).toMatch(/^250 [^\r]*\r\n$/)
        expect(talk.messages).toEqual(whole.messages)
        expect(talk.messages[0]).not.toMatch(/[^\r]\n|\r(?!\n)/)
        expect(talk.messages[0]).toContain('smuggled')
      }
    }
  })

  it('ends a message at CRLF.CRLF however it is cut, and keeps every octet', () => {
    const body = 'a: b\r\n\r\n..x\r\n...\r\ny.\r\n'
    const plain = 'a: b\r\n\r\n.x\r\n..\r\ny.\r\n'
    const text = `${body}.\r\nNOOP\r\n`
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second += 3) {
        const talk = new Talk().begin()
        expect(talk.sendCut(text, [first, second])).toBe('250 2.0.0 Message accepted\r\n250 2.0.0 OK\r\n')
        expect(talk.messages).toEqual([plain])
      }
    }
  })
})
