import { describe, expect, test } from 'vitest'
import { bodyDecoder, findEncodedFiles, joinPartials, parseMessage, parseTnef } from '../../src/mime/index.js'
import { bytes, lines } from './samples.js'

const u16 = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [value & 255, value >> 8]))
const u32 = (value: number): Buffer => {
  const octets = Buffer.alloc(4)
  octets.writeUInt32LE(value)
  return octets
}

/** An attribute of a TNEF stream. */
function attribute(id: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([1]), u32(id), u32(data.length), data, u16(0)])
}

/** A MAPI property of one value of variable size. */
function property(id: number, type: number, data: Buffer): Buffer {
  const padding = Buffer.alloc((4 - (data.length % 4)) % 4)
  return Buffer.concat([u16(type, id), u32(1), u32(data.length), data, padding])
}

const winmail = Buffer.concat([
  u32(0x223e9f78),
  u16(1),
  attribute(0x00069007, u32(1252)),
  attribute(0x00018004, bytes('subject\0')),
  attribute(
    0x00069003,
    Buffer.concat([
      u32(3),
      Buffer.concat([u16(3, 0x8001), Buffer.alloc(16), u32(0), u32(7), u32(9)]),
      property(0x1000, 0x1f, Buffer.from('t\u00e9xt\0', 'utf16le')),
      property(0x1013, 0x102, bytes('<p>h</p>')),
    ]),
  ),
  attribute(0x00069002, Buffer.alloc(14)),
  attribute(0x00018010, bytes('SHORT~1.TXT\0')),
  attribute(0x0006800f, bytes('content')),
  attribute(
    0x00069005,
    Buffer.concat([
      u32(2),
      property(0x3707, 0x1e, bytes('long name.txt\0')),
      property(0x370e, 0x1e, bytes('Text/Plain\0')),
    ]),
  ),
])

describe('winmail.dat', () => {
  test('is read', () => {
    const tnef = parseTnef(winmail)
    expect([tnef?.subject, tnef?.text, tnef?.html]).toEqual(['subject', 'téxt', '<p>h</p>'])
    expect(tnef?.attachments).toEqual([
      { name: 'long name.txt', type: 'text/plain', contentId: null, content: bytes('content') },
    ])
    expect(parseTnef(bytes('no'))).toBeNull()
  })

  test('cut anywhere it gives what was read before', () => {
    for (let end = 0; end < winmail.length; end++) {
      const tnef = parseTnef(winmail.subarray(0, end))
      expect(tnef?.attachments.length ?? 0).toBeLessThanOrEqual(1)
    }
    for (let at = 0; at < winmail.length; at++) {
      const damaged = Buffer.from(winmail)
      damaged[at] = 0xff
      parseTnef(damaged)
    }
  })

  test('its files are attachments of the message, its body stands in for one', () => {
    const message = parseMessage(
      bytes(
        lines(
          'Content-Type: application/ms-tnef; name=winmail.dat',
          'Content-Transfer-Encoding: base64',
          '',
          winmail.toString('base64'),
        ),
      ),
    )
    expect(message.attachments.map(({ source, filename }) => [source, filename])).toEqual([
      ['part', 'winmail.dat'],
      ['tnef', 'long name.txt'],
    ])
    expect([message.text, message.html]).toEqual(['téxt', '<p>h</p>'])
  })
})

test('message/partial is put together (RFC 2046 section 5.2.2)', () => {
  const head = (number: number, total: string): string[] => [
    `X-Outer: ${number}`,
    `Subject: part ${number}`,
    'Message-ID: <outer@x>',
    `Content-Type: message/partial; id="abc@x"; number=${number}${total}`,
    '',
  ]
  const first = bytes(
    lines(
      ...head(1, ''),
      'X-Inner: dropped',
      'Subject: whole',
      'Message-ID: <in@x>',
      'Content-Type: text/plain',
      '',
      'one',
    ),
  )
  const second = bytes(lines(...head(2, '; total=2'), 'two'))
  const whole = joinPartials([second, first])
  expect(whole?.toString()).toBe(
    lines('X-Outer: 1', 'Subject: whole', 'Message-ID: <in@x>', 'Content-Type: text/plain', '', 'one', 'two'),
  )
  expect(joinPartials([first])).toBeNull()
  expect(joinPartials([second])).toBeNull()
  expect(joinPartials([first, bytes('Subject: x\r\n\r\n')])).toBeNull()
  expect(joinPartials([])).toBeNull()
})

describe('uuencode and yEnc', () => {
  test('decode the same however they are cut', () => {
    const uu = bytes(`junk\nbegin 644 x\n#0V%T\nM${'0V%T'.repeat(15)}\n\`\nend\njunk`)
    const yenc = bytes(`=ybegin line=9 name=x\r\n${'abc=}'.repeat(300)}\r\n=yend\r\n`)
    for (const [encoding, body] of [
      ['x-uuencode', uu],
      ['x-yenc', yenc],
    ] as const) {
      const whole = bodyDecoder(encoding)
      const expected = Buffer.concat([whole.write(body), whole.end()])
      expect(expected.length).toBeGreaterThan(40)
      for (const size of [1, 2, 3, 7]) {
        const decoder = bodyDecoder(encoding)
        const out: Buffer[] = []
        for (let at = 0; at < body.length; at += size) out.push(decoder.write(body.subarray(at, at + size)))
        expect(Buffer.concat([...out, decoder.end()])).toEqual(expected)
      }
    }
  })

  test('many beginnings without an end cost linear time', () => {
    const start = performance.now()
    expect(findEncodedFiles(bytes('begin 644 x\n=ybegin name=y\n'.repeat(100_000)))).toEqual([])
    expect(findEncodedFiles(bytes('begin 644 x\nend\n'.repeat(10_000)))).toHaveLength(10_000)
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})
