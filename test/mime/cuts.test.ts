import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type ParsedMessage, parseMessage } from '../../src/mime/index.js'
import { bytes, checkTree, cut, factsIn, generated, lines, randomly, samples, told } from './samples.js'

describe('the same events and facts however the input is cut', () => {
  const small = Object.entries({ ...samples, ...Object.fromEntries(generated(2_000, 6)) })
  test.each(small)('%s, cut in two anywhere and in single octets', (_name, text) => {
    const message = bytes(text)
    expect(message.length).toBeLessThanOrEqual(4_096)
    const whole = told([message])
    checkTree(factsIn([message]), message)
    for (let place = 1; place < message.length; place++) {
      if (told(cut(message, [place])) !== whole) expect(told(cut(message, [place]))).toBe(whole)
    }
    const everywhere = [...message.keys()].filter((place) => place > 0)
    expect(told(cut(message, everywhere))).toBe(whole)
  })

  const filler = (samples.alternative ?? '').repeat(200)
  const encoded = Buffer.from(filler).toString('base64').replace(/.{76}/g, '$&\r\n')
  const large: [name: string, text: string][] = [
    ...generated(12_000, 6),
    [
      'of every encoding',
      `Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\nContent-Type: message/rfc822\r\n\r\n${samples.nested}\r\n--zz\r\n\r\n${filler.slice(0, 30_000)}\r\n--zz\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded.slice(0, 30_000)}\r\n--zz\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'=C3=A9 = \r\n \t\r\n'.repeat(1_000)}--zz\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n${`M${'0V%T'.repeat(15)}\r\n`.repeat(100)}\`\r\nend\r\n--zz--\r\n`,
    ],
    [
      'of a long header',
      `${'Subject: =?utf-8?q?a?=\r\n\tb\r\n'.repeat(800)}${'To: c@d,\n e@f\n'.repeat(200)}\r\nbody`,
    ],
    [
      'of lines like delimiters',
      lines(
        'Content-Type: multipart/mixed; boundary=abc',
        '',
        ...Array<string>(1_000).fill('--ab\r\n--abc-'),
      ),
    ],
  ]
  test.each(large)('a message %s, at 200 random sets of cuts', (_name, text) => {
    const message = bytes(text)
    expect(message.length).toBeGreaterThan(4_096)
    const whole = told([message])
    checkTree(factsIn([message]), message)
    const random = randomly(7)
    for (let round = 0; round < 200; round++) {
      const places = Array.from({ length: 1 + random(60) }, () => random(message.length))
      if (told(cut(message, places)) !== whole)
        expect([places, told(cut(message, places))]).toEqual([places, whole])
    }
  })

  test.each(generated(3_000, 20))('%s, as an object, other bodies sent elsewhere', async (_name, text) => {
    const message = bytes(text)
    const random = randomly(5)
    const places = Array.from({ length: 20 }, () => random(message.length))
    const shown = ({ parts, ...of }: ParsedMessage): unknown => [
      ...[of.text, of.html, of.defects, of.size],
      parts.map(({ type, filename, headerOffset, endOffset }) => [type, filename, headerOffset, endOffset]),
    ]
    const elsewhere = { write: () => undefined }
    const read = await parseMessage(Readable.from(cut(message, places)), {
      sink: ({ type }) => (type.startsWith('text/') ? null : elsewhere),
    })
    expect(shown(read)).toEqual(shown(parseMessage(message)))
  })

  test('limits fall in the same place', () => {
    const message = bytes(`${samples.nested}${'X'.repeat(3_000)}`)
    const long = bytes(`A: ${'b'.repeat(600)}\r\nC: ${'d'.repeat(600)}\r\n\r\nbody`)
    for (const [input, limits] of [
      [message, { parts: 3 }],
      [message, { depth: 1 }],
      [long, { headerBlock: 1_024 }],
      [bytes('x'.repeat(3_000)), { headerBlock: 1_024 }],
    ] as const) {
      const whole = told([input], limits)
      checkTree(factsIn([input], limits), input)
      for (let place = 1; place < input.length; place += 7) {
        expect(told(cut(input, [place]), limits)).toBe(whole)
      }
    }
  })
})
