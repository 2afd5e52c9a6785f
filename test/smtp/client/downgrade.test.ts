import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { factsOf, MessageReader } from '../../../src/mime/index.js'
import { downgrade } from '../../../src/smtp/client/downgrade/index.js'
import type { SmtpEnvelope } from '../../../src/smtp/index.js'
import { SmtpClientSession } from '../../../src/smtp/index.js'
import { startServer, TestDelivery } from '../harness.js'

const octets = (text: string): Buffer => Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'utf8')

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

async function sevenBit(message: Buffer, size = 1e9): Promise<Buffer | string> {
  const result = await downgrade(() => pieces(message, size), '7BIT', false)
  return typeof result === 'string' ? result : collect(result)
}

interface Leaf {
  readonly type: string
  readonly encoding: string
  readonly body: string
}

/** The tree of types, and each leaf decoded. */
function read(message: Uint8Array): { readonly tree: string; readonly leaves: readonly Leaf[] } {
  const reader = new MessageReader()
  reader.receive(message)
  reader.end()
  const leaves: Leaf[] = []
  let tree = ''
  let body: Uint8Array[] = []
  for (let event = reader.next(); event !== null; event = reader.next()) {
    if (event.type === 'partBegin') {
      const { type, subtype } = event.part.contentType
      tree += `(${type}/${subtype}`
      body = []
    } else if (event.type === 'body') body.push(event.data)
    else if (event.type === 'partEnd') {
      tree += ')'
      const { kind, contentType, encoding } = event.part
      if (kind === 'leaf')
        leaves.push({ type: contentType.subtype, encoding, body: Buffer.concat(body).toString('latin1') })
    }
  }
  return { tree, leaves }
}

const bodies = (message: Uint8Array): string[] => read(message).leaves.map(({ body }) => body)

const nested = octets(`From: a@c.test
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer
Content-Transfer-Encoding: 8bit

preamble
--outer
Content-Type: text/plain; charset=utf-8
X-Before: 1
content-transfer-encoding:
 8bit (a comment)
X-After: 2

Grüße,
--
a line with a space at its end 
--outer
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAEC
--outer
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

Subject: inner
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="in ner"
Content-Transfer-Encoding: 8bit

--in ner

no header of its own: ä
--in ner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<p>ascii after all</p>
--in ner--
--outer
Content-Type: image/x-bitmap

${'äöüß'.repeat(50)}
--outer--
epilogue
`)

describe('downgrade to 7-bit', () => {
  it('encodes the bodies that need it and leaves every other octet as it stands', async () => {
    const message = await sevenBit(nested)
    expect(String(message)).toBe(
      octets(`From: a@c.test
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer
Content-Transfer-Encoding: 7bit

preamble
--outer
Content-Type: text/plain; charset=utf-8
X-Before: 1
Content-Transfer-Encoding: quoted-printable
X-After: 2

Gr=C3=BC=C3=9Fe,
--
a line with a space at its end=20
--outer
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAEC
--outer
Content-Type: message/rfc822
Content-Transfer-Encoding: 7bit

Subject: inner
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="in ner"
Content-Transfer-Encoding: 7bit

--in ner
Content-Transfer-Encoding: quoted-printable

no header of its own: =C3=A4
--in ner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 7bit

<p>ascii after all</p>
--in ner--
--outer
Content-Type: image/x-bitmap
Content-Transfer-Encoding: base64

${(
  Buffer.from('äöüß'.repeat(50))
    .toString('base64')
    .match(/.{1,76}/g) ?? []
).join('\n')}
--outer--
epilogue
`).toString(),
    )
    expect(bodies(message as Buffer)).toEqual(bodies(nested))
  })

  it('does the same however the message is cut, and makes its line ends CRLF', async () => {
    const expected = await sevenBit(nested)
    for (const size of [1, 2, 3, 7, 64, 1000]) expect(await sevenBit(nested, size)).toEqual(expected)
    const unix = Buffer.from(nested.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
    for (const size of [1, 5, 1e9]) expect(await sevenBit(unix, size)).toEqual(expected)
  })

  it('gives a message that is no MIME message yet what makes it one', async () => {
    expect(String(await sevenBit(octets('Subject: x\n\nabcdefghijFür\n')))).toBe(
      'Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\nabcdefghijF=C3=BCr\r\n',
    )
    const digest = octets(
      'Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nabcdefghijklü\n--b\n\nSubject: two\n\nu\n--b--\n',
    )
    expect(String(await sevenBit(digest))).toBe(
      octets(
        'Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n' +
          'Content-Transfer-Encoding: quoted-printable\nMIME-Version: 1.0\n\nabcdefghijkl=C3=BC\n--b\n\nSubject: two\n\nu\n--b--\n',
      ).toString(),
    )
  })

  it('lets no soft line break make a delimiter', async () => {
    const tricky = octets(
      `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nü${'x'.repeat(69)}--b\n${'x'.repeat(75)}--b--\n--b--\n`,
    )
    const message = (await sevenBit(tricky)) as Buffer
    expect(bodies(message)).toEqual(bodies(tricky))
    expect(read(message).tree).toBe('(multipart/mixed(text/plain))')
    for (const line of message.toString().split('\r\n')) expect(line.length).toBeLessThanOrEqual(76)
  })

  it('refuses what it could not change without loss', async () => {
    const multipart = (type: string, part: string): Buffer =>
      octets(`MIME-Version: 1.0\nContent-Type: multipart/${type}; boundary=b\n\n--b\n${part}\n--b--\n`)
    for (const [message, why] of [
      [octets('Subject: ü\n\nx\n'), 'in a header'],
      [multipart('mixed', 'X-Name: ü\n\nx'), 'in a header'],
      [multipart('mixed', 'Content-Type: message/rfc822\n\nSubject: ü\n\nx'), 'in a header'],
      [multipart('signed', '\nü'), 'signed'],
      [multipart('mixed', 'Content-Type: multipart/signed; boundary=c\n\n--c\n\nü\n--c--'), 'signed'],
      [multipart('signed', 'Content-Type: message/rfc822\n\nSubject: x\n\nü'), 'signed'],
      [
        multipart('mixed', 'Content-Type: message/partial; id=x; number=1\n\nx: y\n\nü'),
        'must not be encoded',
      ],
      [
        multipart('mixed', 'Content-Type: message/external-body; access-type=x\n\nA: b\n\nü'),
        'must not be encoded',
      ],
      [multipart('mixed', 'Content-Transfer-Encoding: quoted-printable\n\nü'), 'encoded already'],
      [multipart('mixed', 'Content-Transfer-Encoding: x-own\n\nü'), 'encoded already'],
      [multipart('mixed', '\nx\n--b--\nü'), 'outside of its parts'],
      [
        octets('MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\nü\n--b\n\nx\n--b--\n'),
        'outside',
      ],
      [octets('ü without a header\n'), 'without a proper header'],
    ] as const) {
      expect(await sevenBit(message), message.toString()).toMatch(new RegExp(`^holds 8-bit octets .*${why}`))
    }
  })

  it('leaves alone what is signed and needs nothing', async () => {
    const signed = octets(
      'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\n\nabcdefghijklü\n--a\n' +
        'Content-Type: multipart/signed; boundary=b\n\n--b\nContent-Transfer-Encoding: 8bit\n\nascii\n--b--\n--a--\n',
    )
    const message = String(await sevenBit(signed))
    expect(message).toContain('--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\nascii\r\n--b--')
    expect(message).toContain('=C3=BC')
  })

  it('notices a source that gives another message the second time', async () => {
    let turn = 0
    const result = await downgrade(
      () => [octets(turn++ === 0 ? 'A: b\n\nx\n' : 'A: b\n\nü\n')],
      '7BIT',
      false,
    )
    await expect(collect(result as AsyncIterable<Uint8Array>)).rejects.toMatchObject({ code: 'BODY' })
  })

  it('keeps every leaf and the structure of any message, or refuses', async () => {
    const text = fc.array(
      fc.constantFrom(
        'ü',
        'x',
        '=',
        ' ',
        '\t',
        '\r\n',
        '.',
        '--',
        '--a',
        '--b',
        'ß'.repeat(40),
        'y'.repeat(80),
      ),
      { maxLength: 25 },
    )
    const leaf = fc
      .tuple(
        text,
        fc.constantFrom('', 'Content-Transfer-Encoding: 8bit\n', 'Content-Type: image/x\n', 'broken\n'),
      )
      .map(([lines, header]) => `${header}\n${lines.join('')}`)
    const inner = fc
      .array(leaf, { maxLength: 3 })
      .map(
        (parts) =>
          `Content-Type: multipart/related; boundary=b\n\n${parts.map((p) => `--b\n${p}\n`).join('')}--b--`,
      )
    const message = fc
      .array(
        fc.oneof(
          leaf,
          inner,
          leaf.map((each) => `Content-Type: message/rfc822\n\nA: b\n${each}`),
        ),
        { maxLength: 4 },
      )
      .map((parts) =>
        octets(
          `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n${parts.map((p) => `--a\n${p}\n`).join('')}--a--\n`,
        ),
      )
    await fc.assert(
      fc.asyncProperty(message, fc.integer({ min: 1, max: 50 }), async (given, size) => {
        const whole = await sevenBit(given)
        expect(await sevenBit(given, size)).toEqual(whole)
        if (typeof whole === 'string') return
        expect(whole.every((octet) => octet < 128)).toBe(true)
        expect(read(whole).tree).toBe(read(given).tree)
        expect(bodies(whole)).toEqual(bodies(given))
      }),
      { numRuns: 300 },
    )
  })

  it('holds no more of a large message than passes', async () => {
    const line = Buffer.from(`${'ä'.repeat(30)}\r\n`)
    const chunk = Buffer.concat(new Array(1000).fill(line))
    const source = function* () {
      yield octets('MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n')
      for (let part = 0; part < 3; part++) {
        yield octets(`--b\nContent-Type: text/x\n\n`)
        for (let i = 0; i < 100; i++) yield chunk
      }
      yield octets('--b--\n')
    }
    const result = await downgrade(source, '7BIT', false)
    let most = 0
    let all = 0
    for await (const piece of result as AsyncIterable<Uint8Array>) {
      most = Math.max(most, piece.length)
      all += piece.length
    }
    expect(all).toBeGreaterThan(300 * chunk.length * 1.3)
    expect(most).toBeLessThan(chunk.length * 3)
  })
})

describe('downgrade of binary messages', () => {
  const binary = Buffer.from(
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n' +
      '--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\x01\x80\r\xff\n\xfe\xfd\xfc\xfb\xfa\xf9\r\n' +
      '--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nabcdefghijgr\xfc\xdfe\r\n' +
      `--b\r\nContent-Type: text/plain\r\n\r\n${'x'.repeat(2000)}\r\n--b--\r\n`,
    'latin1',
  )

  it('encodes what is binary for a peer with 8BITMIME, and what is 8-bit for one without', async () => {
    for (const [target, encodings, label] of [
      ['8BITMIME', ['base64', '8bit', 'quoted-printable'], '8bit'],
      ['7BIT', ['base64', 'quoted-printable', 'quoted-printable'], '7bit'],
    ] as const) {
      for (const size of [1, 10, 1e9]) {
        const result = await downgrade(() => pieces(binary, size), target, true)
        const message = await collect(result as AsyncIterable<Uint8Array>)
        expect(read(message).leaves.map(({ encoding }) => encoding)).toEqual(encodings)
        expect(bodies(message)).toEqual(bodies(binary))
        expect(factsOf(message).root.encoding).toBe(label)
      }
    }
  })

  it('refuses what is binary outside of its parts, and what is signed', async () => {
    for (const [text, why] of [
      ['A: b\n\nx\r\n', /^is binary outside/],
      ['A: b\0\r\n\r\nx\r\n', /^is binary outside/],
      [
        'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\na\nb\r\n--b--\r\n',
        /binary octets that are signed/,
      ],
    ] as const) {
      expect(await downgrade(() => [Buffer.from(text)], '8BITMIME', true)).toMatch(why)
    }
  })
})

describe('SmtpClientSession', () => {
  async function send(
    body: Parameters<SmtpClientSession['send']>[1],
    envelope: Partial<SmtpEnvelope> = { body: '8BITMIME' },
    features: TestDelivery['features'] | object = { eightBitMime: false },
    options = {},
  ) {
    const delivery = new TestDelivery(1_000_000, features)
    const server = startServer({}, { delivery })
    const session = new SmtpClientSession(
      server.connect(),
      { hostname: 'client.test', ...options },
      { clock: server.clock },
    )
    await session.ready
    const outcome = await session.send({ from: 'a@c.test', to: ['alice@example.test'], ...envelope }, body)
    await session.close()
    return { recipient: outcome.recipients[0], kept: delivery.kept[0] }
  }

  it('sends an 8-bit message to a server without 8BITMIME, encoded', async () => {
    for (const body of [nested, [nested.subarray(0, 99), nested.subarray(99)], () => pieces(nested, 50)]) {
      const { recipient, kept } = await send(body, { body: '8BITMIME', size: nested.length })
      expect(recipient).toMatchObject({ accepted: true })
      expect(kept?.envelope).toMatchObject({ body: '7BIT', size: null })
      const sent = Buffer.from(kept?.body ?? '', 'latin1')
      expect(sent.every((octet) => octet < 128)).toBe(true)
      expect(bodies(sent)).toEqual(bodies(nested))
    }
    const { kept } = await send(nested, { body: '8BITMIME', size: nested.length }, { eightBitMime: true })
    expect(kept?.body).toBe(nested.toString('latin1'))
    expect(kept?.envelope).toMatchObject({ body: '8BITMIME', size: nested.length })
  })

  it('refuses, with the reason, what cannot be encoded, what can be read once, and all where told to', async () => {
    const header = octets('Subject: ü\n\nx\n')
    const text = (recipient: Awaited<ReturnType<typeof send>>['recipient']) => [
      recipient?.stage,
      recipient?.reply.code,
      recipient?.reply.enhanced,
      recipient?.reply.lines[0],
    ]
    expect(text((await send(header)).recipient)).toEqual([
      'local',
      554,
      '5.6.3',
      'The message holds 8-bit octets in a header and the peer does not offer 8BITMIME',
    ])
    const plain = [
      'local',
      554,
      '5.6.3',
      'The message holds 8-bit octets and the peer does not offer 8BITMIME',
    ]
    expect(text((await send(pieces(nested, 9))).recipient)).toEqual(plain)
    expect(text((await send(nested, undefined, undefined, { downgrade: false })).recipient)).toEqual(plain)
    const binary = Buffer.from('MIME-Version: 1.0\r\n\r\n\0')
    expect((await send(binary, { body: 'BINARYMIME' }, { eightBitMime: true })).kept?.body).toMatch(
      /Content-Transfer-Encoding: quoted-printable\r\n\r\n=00\r\n$/,
    )
  })

  it('closes when it is told to stop while it looks the message through, and rejects with what the source threw', async () => {
    const server = startServer({}, { delivery: new TestDelivery(1000, { eightBitMime: false }) })
    const make = async () => {
      const session = new SmtpClientSession(server.connect(), { hostname: 'c.test' }, { clock: server.clock })
      await session.ready
      return session
    }
    const envelope = { from: '', to: ['alice@example.test'], body: '8BITMIME' } as const
    const broken = await make()
    const thrown = (): Iterable<Uint8Array> => {
      throw new Error('no such file')
    }
    await expect(broken.send(envelope, thrown)).rejects.toThrow('no such file')
    const text = ['A: b\n\nü\n'] as unknown as Uint8Array[]
    await expect(broken.send(envelope, text)).rejects.toMatchObject({ code: 'BODY' })
    expect((await broken.send(envelope, octets('A: b\n\nü\n'))).recipients[0]?.accepted).toBe(true)
    await broken.close()
    const slow = await make()
    const abort = new AbortController()
    const never = async function* (): AsyncGenerator<Uint8Array> {
      await new Promise(() => undefined)
    }
    const sending = slow.send(envelope, never, { signal: abort.signal })
    await expect(slow.send(envelope, never)).rejects.toMatchObject({ code: 'STATE' })
    abort.abort(new Error('enough'))
    await expect(sending).rejects.toThrow('enough')
    expect(await slow.closed).toMatchObject({ code: 'LOST' })
    const lost = await make()
    const losing = lost.send(envelope, async function* () {
      lost.destroy()
      await lost.closed
      yield octets('A: b\n\nü\n')
    })
    await expect(losing).rejects.toMatchObject({ code: 'LOST' })
  })
})
