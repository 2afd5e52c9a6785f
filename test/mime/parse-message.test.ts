import { describe, expect, test } from 'vitest'
import { type ParsedMessage, parseMessage } from '../../src/mime/index.js'
import { bytes, lines } from './samples.js'

const parse = (...all: string[]): ParsedMessage => parseMessage(bytes(lines(...all)))
const octets = (content: Uint8Array | null | undefined): string | null =>
  content === null || content === undefined ? null : Buffer.from(content).toString('latin1')

async function* chunksOf(message: Buffer, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < message.length; at += size) yield message.subarray(at, at + size)
}

const mixed = lines(
  'From: "A. Writer" <a@b.example>',
  'To: c@d.example, Friends: =?utf-8?q?=C3=89va?= <e@f.example>, g@h.example;',
  'Cc: i@j.example',
  'Cc: k@l.example',
  'Subject: =?utf-8?q?caf=C3=A9?=',
  'Date: Fri, 21 Nov 1997 09:55:06 -0600',
  'Message-ID: <1@b.example>',
  'In-Reply-To: <0@b.example>',
  'References: <x@y>\r\n <0@b.example>',
  'Content-Type: multipart/mixed; boundary=m',
  '',
  '--m',
  'Content-Type: multipart/related; boundary=r',
  '',
  '--r',
  'Content-Type: multipart/alternative; boundary=a',
  '',
  '--a',
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'caf=E9',
  '--a',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<p>caf\xc3\xa9</p>',
  '--a--',
  '--r',
  'Content-Type: image/png',
  'Content-ID: <logo@b>',
  'Content-Transfer-Encoding: base64',
  '',
  'iVBORw==',
  '--r--',
  '--m',
  'Content-Type: application/pdf; name="a.pdf"',
  "Content-Disposition: attachment; filename*0*=utf-8''b%C3%A9; filename*1=.pdf",
  'Content-Description: a file',
  '',
  'PDF',
  '--m',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  'From: x@y',
  '',
  'inside',
  '--m--',
)

describe('an ordinary message', () => {
  const message = parseMessage(bytes(mixed))

  test('header fields are typed', () => {
    expect(message.from).toEqual([{ name: 'A. Writer', address: 'a@b.example', group: null }])
    expect(message.to[1]?.group).toEqual([
      { name: 'Éva', address: 'e@f.example' },
      { name: '', address: 'g@h.example' },
    ])
    expect(message.cc.map(({ address }) => address)).toEqual(['i@j.example', 'k@l.example'])
    expect(message.subject).toBe('café')
    expect(message.date).toEqual({ ms: Date.UTC(1997, 10, 21, 15, 55, 6), offsetMinutes: -360 })
    expect([message.messageId, message.inReplyTo, message.references]).toEqual([
      '1@b.example',
      ['0@b.example'],
      ['x@y', '0@b.example'],
    ])
  })

  test('text, HTML and attachments', () => {
    expect(message.text).toBe('café')
    expect(message.html).toBe('<p>café</p>')
    expect(message.attachments.map(({ type, filename, contentId }) => [type, filename, contentId])).toEqual([
      ['image/png', null, 'logo@b'],
      ['application/pdf', 'bé.pdf', null],
      ['message/rfc822', null, null],
    ])
    expect(message.attachments.map(({ content }) => octets(content))).toEqual([
      '\x89PNG',
      'PDF',
      'Subject: inner\r\nFrom: x@y\r\n\r\ninside',
    ])
    expect(message.attachments[1]?.part.description).toBe('a file')
  })

  test('a message inside is a message, its parts are its own', () => {
    const inner = message.attachments[2]?.part.message
    expect([inner?.subject, inner?.text, inner?.parts.length]).toEqual(['inner', 'inside', 1])
    expect(message.parts).toHaveLength(8)
    expect(message.root.parts).toHaveLength(3)
    expect([message.defects, message.size]).toEqual([[], mixed.length])
  })

  test('a stream gives the same', async () => {
    const { text, html, attachments, defects } = await parseMessage(chunksOf(bytes(mixed), 7))
    expect({ text, html, attachments: attachments.length, defects }).toEqual({
      text: message.text,
      html: message.html,
      attachments: 3,
      defects: [],
    })
  })

  test('a sink takes bodies as they come, the rest is kept', async () => {
    const written: string[] = []
    const streamed = await parseMessage(chunksOf(bytes(mixed), 5), {
      sink: (part) =>
        part.type !== 'application/pdf'
          ? null
          : {
              write: async (chunk) => {
                written.push(Buffer.from(chunk).toString())
              },
              end: () => {
                written.push(`end of ${part.filename}`)
              },
            },
    })
    expect(written.join('')).toBe('PDFend of bé.pdf')
    expect([streamed.text, streamed.attachments[1]?.content, streamed.root.raw]).toEqual(['café', null, null])
  })

  test('a stream that fails rejects', async () => {
    async function* failing(): AsyncIterable<Uint8Array> {
      yield bytes('A: b\r\n')
      throw new Error('gone')
    }
    await expect(parseMessage(failing())).rejects.toThrow('gone')
  })
})

describe('which parts are shown', () => {
  test('a part of an alternative that is missing is stood in for', () => {
    const message = parse('Content-Type: text/html', '', '<b>x</b>')
    expect([message.text, message.html, message.attachments]).toEqual([null, '<b>x</b>\r\n', []])
  })

  test('texts beside each other are joined, a plain footer of an HTML body is kept in both', () => {
    const message = parse(
      'Content-Type: multipart/mixed; boundary=m',
      '',
      '--m',
      'Content-Type: text/html',
      '',
      '<p>one</p>',
      '--m',
      '',
      'two <3',
      '--m--',
    )
    expect(message.text).toBe('one\ntwo <3')
    expect(message.html).toBe('<p>one</p>\n<pre>two &lt;3</pre>')
  })

  test.each([
    ['; start="<root@x>"', '<img src="cid:i">', 1],
    ['; start="<none@x>"', null, 2],
    ['', null, 2],
  ])('the part of a multipart/related that `start` names (RFC 2387): %j', (start, html, attachments) => {
    const message = parse(
      `Content-Type: multipart/related; boundary=m${start}`,
      '',
      '--m',
      'Content-Type: image/png',
      '',
      'png',
      '--m',
      'Content-Type: text/html',
      'Content-ID: <root@x>',
      '',
      '<img src="cid:i">',
      '--m--',
    )
    expect([message.html, message.attachments.length]).toEqual([html, attachments])
  })

  test('text with a file name or as an attachment is no body', () => {
    const message = parse(
      'Content-Type: multipart/mixed; boundary=m',
      '',
      '--m',
      '',
      'body',
      '--m',
      'Content-Type: text/plain; name=a.txt',
      '',
      'file',
      '--m',
      'Content-Disposition: attachment',
      '',
      'other',
      '--m--',
    )
    expect(message.text).toBe('body')
    expect(message.attachments.map(({ content }) => octets(content))).toEqual(['file', 'other'])
  })

  test('format=flowed with delsp, a charset of a byte order mark, one of a meta element', () => {
    expect(
      parse('Content-Type: text/plain; format=flowed; delsp=yes', '', 'a b ', 'c', '> q ', '> r').text,
    ).toBe('a bc\r\n> qr\r\n')
    expect(parse('Content-Type: text/plain; charset=us-ascii', '', '\xef\xbb\xbf\xc3\xa9').text).toBe('é\r\n')
    const html = '<html><head><meta charset="iso-8859-2"></head>\xb1</html>'
    expect(parse('Content-Type: text/html', '', html).html).toContain('ą')
    expect(parse('Content-Type: text/plain; charset=no-such', '', 'caf\xe9').text).toBe('café\r\n')
  })

  test('text over the limit is cut and named', () => {
    const message = parseMessage(bytes('\r\n0123456789'), { textLength: 4 })
    expect([message.text, octets(message.root.content), message.defects]).toEqual([
      '0123',
      '0123456789',
      [{ code: 'textTooLong', offset: 2 }],
    ])
  })
})

describe('damage', () => {
  test('parameters of Content-Disposition over the limit are not looked at, and named', () => {
    const message = parse(`Content-Disposition: attachment${';a=b'.repeat(100)}; filename=c`, '', 'x')
    expect([message.attachments[0]?.filename, message.defects]).toEqual([
      null,
      [{ code: 'tooManyParameters', offset: 0 }],
    ])
    const part = `--m\r\nContent-Disposition: a${';a=b'.repeat(101)}\r\n\r\n\r\n`
    const many = `Content-Type: multipart/mixed; boundary=m\r\n\r\n${part.repeat(1_500)}--m--`
    expect(parseMessage(bytes(many)).defects).toHaveLength(1_000)
  })

  test('a message/rfc822 in base64 is opened', () => {
    const inner = Buffer.from('Subject: inside\r\n\r\nbody').toString('base64')
    const message = parse('Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', inner)
    expect(message.root.message?.subject).toBe('inside')
    expect(message.defects).toEqual([{ code: 'encodingOfContainer', offset: 0 }])
  })

  test('messages in base64 inside of each other are opened up to eight deep', () => {
    let text = 'Subject: innermost\r\n\r\nx'
    for (let i = 0; i < 12; i++) {
      const encoded = Buffer.from(text).toString('base64')
      text = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}`
    }
    let depth = 0
    let message: ParsedMessage | null = parseMessage(bytes(text))
    for (; message !== null; message = message.root.message) depth++
    expect(depth).toBe(9)
  })

  test('a multipart that is really in base64 is opened, one that only says so is read as it stands', () => {
    const parts = lines('--m', '', 'one', '--m', 'Content-Type: text/html', '', 'two', '--m--')
    const head = ['Content-Type: multipart/mixed; boundary=m', 'Content-Transfer-Encoding: base64', '']
    const really = parse(...head, Buffer.from(parts).toString('base64'))
    expect([really.text, really.parts.length]).toEqual(['one\ntwo', 3])
    const plain = parse(...head, parts)
    expect([plain.text, plain.parts.length]).toEqual(['one\ntwo', 3])
  })

  test('a multipart without a delimiter keeps its octets', () => {
    const message = parse('Content-Type: multipart/mixed; boundary=m', '', 'text')
    expect(octets(message.root.content)).toBe('text\r\n')
    expect(message.attachments).toHaveLength(1)
  })

  test('cut off anywhere it is a message', () => {
    for (let end = 0; end <= mixed.length; end++) {
      const message = parseMessage(bytes(mixed.slice(0, end)))
      expect([message.size, message.root.endOffset]).toEqual([end, end])
      if (message.root.parts.length > 0 && end < mixed.length - 7)
        expect(message.defects.map(({ code }) => code)).toContain('boundaryUnterminated')
    }
  })

  test('an address field holds as many addresses as its header block', () => {
    const message = parseMessage(bytes(`To: ${'a@b,'.repeat(100_000)}\r\n\r\n`))
    expect([message.to.length, message.defects]).toEqual([100_000, []])
  })

  test('Content-Length is not believed', () => {
    expect(parse('Content-Length: 3', '', 'longer than that').text).toBe('longer than that\r\n')
    expect(parse('Content-Length: 99999', '', 'x').text).toBe('x\r\n')
  })

  test('names of Object.prototype are plain data', () => {
    const message = parse(
      '__proto__: a',
      'constructor: b',
      'Content-Type: text/plain; __proto__=c; constructor=d',
      '',
      'x',
    )
    expect([message.headers.get('__proto__'), message.headers.get('constructor')]).toEqual(['a', 'b'])
    expect([message.root.parameters.get('__proto__'), message.root.parameters.get('constructor')]).toEqual([
      'c',
      'd',
    ])
  })

  test('no octets, NUL, bare CR', () => {
    expect(parseMessage(bytes('')).text).toBe('')
    expect(parseMessage(bytes('Subject: a\0b\r\n\r\nc\0')).subject).toBe('a\0b')
    expect(parseMessage(bytes('Subject: a\r\rb')).parts).toHaveLength(1)
  })
})

test('multipart/signed is byte-exact', () => {
  const signed = 'Content-Type: text/plain\r\n\r\nsigned  \r\n text\r\n'
  const message = parseMessage(
    bytes(
      `Content-Type: multipart/signed; boundary=s; protocol="application/pgp-signature"\r\n\r\n--s\r\n${signed}\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n`,
    ),
  )
  expect(octets(message.root.parts[0]?.raw)).toBe(signed)
  expect(message.text).toBe('signed  \r\n text\r\n')
})

describe('files in a text', () => {
  test('uuencoded ones become attachments', () => {
    const message = parse('', 'see', 'begin 644 a b.txt', '#0V%T', '`', 'end', 'bye')
    expect(message.text).toBe('see\r\nbye\r\n')
    const [file] = message.attachments
    expect([file?.source, file?.filename, octets(file?.content)]).toEqual(['uuencode', 'a b.txt', 'Cat'])
  })

  test('yEnc ones as well; what never ends is text', () => {
    const encoded = [...'Cat=']
      .map((letter) => String.fromCharCode((letter.charCodeAt(0) + 42) % 256))
      .join('')
    const message = parse(
      '',
      '=ybegin line=128 size=4 name=cat.bin',
      encoded,
      '=yend size=4',
      'begin 644 x',
      'M',
    )
    expect(octets(message.attachments[0]?.content)).toBe('Cat=')
    expect(message.text).toBe('begin 644 x\r\nM\r\n')
  })

  test('as transfer encodings', () => {
    const encoded = parse('Content-Transfer-Encoding: x-uuencode', '', 'begin 644 x', '#0V%T', '`', 'end')
    expect([octets(encoded.root.content), encoded.defects]).toEqual(['Cat', []])
    const binary = parseMessage(bytes('Content-Transfer-Encoding: BINARY\r\n\r\n\0\n\r\xff'))
    expect([octets(binary.root.content), binary.defects]).toEqual(['\0\n\r\xff', []])
  })
})
