import { describe, expect, test } from 'vitest'
import { MAX_FACT_STRING, MAX_FACT_TEXT } from '../../src/mime/facts.js'
import { FactsReader, factsOf, factsWithPrefix } from '../../src/mime/index.js'
import { bytes, checkTree, lines, outline } from './samples.js'

const address = (name: string | null, mailbox: string, host: string) => ({ name, route: null, mailbox, host })

describe('the tree', () => {
  test('a text message: offsets, lines and defaults (RFC 2045 section 5.2)', () => {
    const facts = factsOf(bytes('Subject: a\r\n\r\none\r\ntwo\r\n'))
    expect(facts.size).toBe(24)
    expect(facts.root).toEqual({
      type: 'text',
      subtype: 'plain',
      parameters: [['charset', 'us-ascii']],
      id: null,
      description: null,
      encoding: '7bit',
      md5: null,
      disposition: null,
      language: [],
      location: null,
      headerOffset: 0,
      bodyOffset: 14,
      endOffset: 24,
      lines: 2,
      parts: [],
      message: null,
    })
  })

  test('a multipart with a message inside, offsets counted by hand', () => {
    const message = lines(
      'Content-Type: multipart/mixed; boundary=x', // 0, 43 octets
      '', // 43
      'preamble', // 45
      '--x', // 55
      '', // 60: header of 1
      'one', // 62: body of 1, ends 65
      '--x', // 67
      'Content-Type: message/rfc822', // 72: header of 2
      '', // 102
      'Subject: in', // 104: body of 2 and header of the message
      'Content-Type: multipart/alternative; boundary=xy', // 117
      '', // 167
      '--xy', // 169: body of the message
      '', // 175: header of 2.1
      'a', // 177: ends 178
      '--xy', // 180
      'Content-Type: text/html', // 186: header of 2.2
      '', // 211
      '', // 213: body of 2.2, ends 213
      '--xy--', // 215
      '', // 223
      '--x--', // 225: the message ends 223
      'epilogue', // 232
    )
    const facts = factsOf(bytes(message))
    expect(facts.size).toBe(242)
    expect(outline(facts)).toEqual([
      '/ multipart/mixed 0 45 242 21',
      '/1 text/plain 60 62 65 0',
      '/2 message/rfc822 72 104 223 11',
      '/2/m multipart/alternative 104 169 223 8',
      '/2/m/1 text/plain 175 177 178 0',
      '/2/m/2 text/html 186 213 213 0',
    ])
    expect(facts.root.parts[1]?.message?.envelope.subject).toBe('in')
    checkTree(facts, bytes(message))
  })

  test('bare LF: line ends are one octet', () => {
    const message = 'Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\ntwo\n--x--\n'
    expect(outline(factsOf(bytes(message)))).toEqual([
      '/ multipart/mixed 0 43 62 5',
      '/1 text/plain 47 48 55 1',
    ])
  })

  test('parts of a digest are messages where they do not say otherwise (RFC 2046 section 5.1.5)', () => {
    const message = lines(
      'Content-Type: multipart/digest; boundary=x',
      '',
      '--x',
      '',
      'Subject: first',
      '',
      'a',
      '--x',
      'Content-Type: text/plain',
      '',
      'b',
      '--x--',
    )
    const facts = factsOf(bytes(message))
    expect(facts.root.parts.map(({ type, subtype }) => `${type}/${subtype}`)).toEqual([
      'message/rfc822',
      'text/plain',
    ])
    expect(facts.root.parts[0]?.message?.envelope.subject).toBe('first')
    expect(facts.root.parts[0]?.message?.root.lines).toBe(0)
  })

  test('a message/rfc822 that is encoded, or too deep, holds its octets as a message without header', () => {
    const encoded = factsOf(
      bytes(lines('Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', 'QTogYg==')),
    )
    expect(encoded.root.message?.root).toMatchObject({
      type: 'text',
      headerOffset: 67,
      bodyOffset: 67,
      endOffset: 77,
      lines: 1,
    })
    expect(encoded.root.message?.envelope.subject).toBeNull()
    const reader = new FactsReader({ depth: 0 })
    reader.write(bytes('Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\n'))
    expect(reader.end().root.message?.root).toMatchObject({ bodyOffset: 32, endOffset: 46 })
    expect(reader.defects).toEqual([{ code: 'tooDeep', offset: 0 }])
  })

  test('the fields of a part', () => {
    const message = lines(
      'Content-Type: IMAGE/PNG; name="a b.png"; Charset*0*=x',
      'Content-Transfer-Encoding: BASE64 (really)',
      'Content-ID: <a@b>',
      'Content-Description: a',
      '  long one',
      'Content-MD5: abc==',
      'Content-Disposition: Attachment; filename=a.png',
      'Content-Language: en, de (German)',
      'Content-Location: http://x.test/',
      '',
    )
    expect(factsOf(bytes(message)).root).toMatchObject({
      type: 'image',
      subtype: 'png',
      parameters: [
        ['name', 'a b.png'],
        ['charset*0*', 'x'],
      ],
      encoding: 'base64',
      id: '<a@b>',
      description: 'a  long one',
      md5: 'abc==',
      disposition: { type: 'attachment', parameters: [['filename', 'a.png']] },
      language: ['en', 'de'],
      location: 'http://x.test/',
    })
  })
})

describe('the envelope', () => {
  test('every field, as it stands', () => {
    const message = lines(
      'Date: Fri, 21 Nov 1997 09:55:06 -0600',
      'subject: =?utf-8?q?a?=',
      ' b',
      'From: A <a@b.test>',
      'Sender: s@b.test',
      'Reply-To: r@b.test',
      'To: t@b.test, "U" <u@b.test>',
      'TO: v@b.test',
      'Cc: c@b.test',
      'Bcc: d@b.test',
      'In-Reply-To: <1@x>',
      'Message-ID: <2@x>',
      '',
    )
    expect(factsOf(bytes(message)).envelope).toEqual({
      date: 'Fri, 21 Nov 1997 09:55:06 -0600',
      subject: '=?utf-8?q?a?= b',
      from: [address('A', 'a', 'b.test')],
      sender: [address(null, 's', 'b.test')],
      replyTo: [address(null, 'r', 'b.test')],
      to: [address(null, 't', 'b.test'), address('U', 'u', 'b.test'), address(null, 'v', 'b.test')],
      cc: [address(null, 'c', 'b.test')],
      bcc: [address(null, 'd', 'b.test')],
      inReplyTo: '<1@x>',
      messageId: '<2@x>',
    })
  })

  test('absent fields are null, empty ones are empty', () => {
    expect(factsOf(bytes('Subject:\r\nFrom:\r\n\r\n')).envelope).toMatchObject({
      date: null,
      subject: '',
      from: [],
      sender: [],
      messageId: null,
    })
  })
})

describe('bounds', () => {
  test('long strings are cut, the whole has an end', () => {
    const long = 'x'.repeat(100_000)
    expect(factsOf(bytes(`Subject: ${long}\r\n\r\n`)).envelope.subject).toHaveLength(MAX_FACT_STRING)
    const many = bytes(`To: ${'a@b,'.repeat(250_000)}\r\n\r\n`)
    const kept = factsOf(many).envelope.to.length
    expect(kept).toBeGreaterThan(20_000)
    expect(kept).toBeLessThan(MAX_FACT_TEXT / 32)
    const part = `--x\r\nContent-Description: ${'y'.repeat(30_000)}\r\n\r\n\r\n`
    const parts = factsOf(bytes(`Content-Type: multipart/mixed; boundary=x\r\n\r\n${part.repeat(1_000)}`))
    expect(JSON.stringify(parts).length).toBeLessThan(2 * MAX_FACT_TEXT)
    expect(parts.root.parts).toHaveLength(1_000)
  })

  test('facts are plain JSON', () => {
    const facts = factsOf(
      bytes('Content-Type: multipart/mixed; boundary=x\r\n__proto__: 1\r\n\r\n--x\r\n\r\na\r\n--x--\r\n'),
    )
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts)
  })
})

describe('factsWithPrefix', () => {
  const message = lines(
    'Subject: a',
    'To: b@c',
    'Content-Type: multipart/mixed; boundary=x',
    '',
    '--x',
    'Content-Type: message/rfc822',
    '',
    'Subject: inner',
    '',
    'text',
    '--x',
    '',
    'more',
    '--x--',
  )

  test.each([
    ['Return-Path: <a@b>\r\nReceived: from x\r\n\tby y\r\n'],
    ['Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nMessage-ID: <1@x>\r\nTo: first@x\r\n'],
    [''],
  ])('gives what reading the whole gives: %j', (prefix) => {
    const before = factsOf(bytes(message))
    const copy = structuredClone(before)
    const facts = factsWithPrefix(before, bytes(prefix))
    expect(facts).toEqual(factsOf(bytes(prefix + message)))
    checkTree(facts, bytes(prefix + message))
    expect(before).toEqual(copy)
  })
})
