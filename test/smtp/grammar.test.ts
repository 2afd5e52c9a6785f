import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressLiteral,
  decodeXtext,
  encodeXtext,
  formatReply,
  makeMailbox,
  scanDomain,
  scanKeyword,
  scanMailbox,
  scanPath,
  scanValue,
} from '../../src/smtp/grammar/index.js'

const printable = fc.string({
  unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
  maxLength: 20,
})
const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,8}[a-z0-9])?$/)
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))

describe('SMTP grammar', () => {
  it('reads back every mailbox it writes', () => {
    fc.assert(
      fc.property(printable, domain, (localPart, name) => {
        const mailbox = makeMailbox(localPart, name)
        const found = scanPath(`<${mailbox.address}>`, 0)
        if (typeof found === 'string') throw new Error(found)
        const { address, end } = found
        expect({ mailbox: found.mailbox, address, end }).toEqual({
          mailbox,
          address: mailbox.address,
          end: mailbox.address.length + 2,
        })
      }),
    )
  })

  it('never throws and never reads past the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => {
        const noise = Buffer.from(octets).toString('latin1')
        for (const text of [noise, `<${noise}>`, `<"${noise}"@d>`, `<a@${noise}>`, `<@${noise}:a@b>`]) {
          const found = scanPath(text, 0)
          if (typeof found !== 'string') expect(found.end).toBeLessThanOrEqual(text.length)
          expect(scanKeyword(text, 0)).toBeLessThanOrEqual(text.length)
          expect(scanValue(text, 0)).toBeLessThanOrEqual(text.length)
        }
      }),
    )
  })

  it('needs no more than a moment for a megabyte of what makes parsers slow', () => {
    for (const piece of ['(', '"', '<', 'a@', 'a.', '\\', '-', '@a,', '"\\', 'a=b ']) {
      const text = piece.repeat(1_000_000 / piece.length)
      const start = performance.now()
      for (const lead of ['<', '<"', '<a@', '<@a:']) scanPath(lead + text, 0)
      scanDomain(text, 0)
      scanKeyword(text, 0)
      scanValue(`=${text}`, 0)
      expect(performance.now() - start, piece).toBeLessThan(2000)
    }
  })

  it('validates IP addresses in literals', () => {
    const good = [
      '[1.2.3.4]',
      '[IPv6:::]',
      '[IPv6:::1]',
      '[ipv6:1:2:3:4:5:6:7:8]',
      '[IPv6:::ffff:1.2.3.4]',
      '[IPv6:1::8]',
    ]
    const bad = [
      '[]',
      '[1.2.3]',
      '[1.2.3.256]',
      '[IPv6:1:2:3]',
      '[IPv6:1::2::3]',
      '[IPv6::1]',
      '[IPv6:1.2.3.4::]',
    ]
    bad.push('[IPv6:1:2:3:4:5:6:7:8:9]', '[IPv6:12345::]', '[tag:x]', '[IPv6:1:2:3:4:5:6:7::8]', '[::1]')
    for (const literal of good) expect(typeof scanMailbox(`a@${literal}`, 0), literal).toBe('object')
    for (const literal of bad) expect(typeof scanMailbox(`a@${literal}`, 0), literal).toBe('string')
  })

  it('writes an address literal of what a socket says', () => {
    expect(addressLiteral('192.0.2.1')).toBe('[192.0.2.1]')
    expect(addressLiteral('::ffff:192.0.2.1')).toBe('[192.0.2.1]')
    expect(addressLiteral('fe80::1%eth0')).toBe('[IPv6:fe80::1]')
    expect(addressLiteral('pipe\r\n')).toBe('unknown')
  })

  it('reads one parameter after another', () => {
    const text = 'size=1 X-y'
    expect([scanKeyword(text, 0), scanValue(text, 4)]).toEqual([4, 6])
    expect([scanKeyword(text, 7), scanValue(text, 10)]).toEqual([10, 10])
    expect(scanValue('a=\u00e9b', 1)).toBe(4)
    for (const bad of ['', ' ', '=', '-a', '\u0131']) expect(scanKeyword(bad, 0), bad).toBe(-1)
    for (const bad of ['a=', 'a= ', 'a=b=c', 'a=1\t', 'a\t', 'a=\x7f', 'a=\x80'])
      expect(scanValue(bad, 1), bad).toBe(-1)
  })

  it('reads back xtext, and refuses what stands for a control character', () => {
    fc.assert(
      fc.property(printable, (text) => {
        expect(decodeXtext(encodeXtext(text))).toBe(text)
      }),
    )
    for (const bad of ['a+0D+0A', 'a+', 'a+4', 'a+4g', 'a=b', 'a b', '+2b', 'a+00', 'a+7F']) {
      expect(decodeXtext(bad), bad).toBeNull()
    }
  })

  it('formats replies: code and enhanced code on every line, long lines wrapped, nothing slipped in', () => {
    expect(formatReply({ code: 250, enhanced: '2.0.0', lines: ['a', 'b'] })).toBe(
      '250-2.0.0 a\r\n250 2.0.0 b\r\n',
    )
    expect(formatReply({ code: 354, enhanced: '', lines: ['go'] })).toBe('354 go\r\n')
    expect(formatReply({ code: 550, enhanced: '5.1.1', lines: ['né'] })).toBe('550 5.1.1 n?\r\n')
    const wrapped = formatReply({ code: 550, enhanced: '5.100.100', lines: ['x'.repeat(1000)] }).split('\r\n')
    expect(wrapped).toHaveLength(4)
    for (const line of wrapped) expect(line.length).toBeLessThanOrEqual(510)
    for (const lines of [['a\rb'], ['a\nb'], ['\0'], []]) {
      expect(() => formatReply({ code: 250, enhanced: '', lines })).toThrowError()
    }
    for (const code of [99, 200.5, 600, Number.NaN]) {
      expect(() => formatReply({ code, enhanced: '', lines: ['x'] })).toThrowError(/code/)
    }
  })
})
