import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it, test } from 'vitest'
import { composeMessage, decodeParameters, type MailOptions } from '../../../src/mime/index.js'
import { longLines, readParts, shape } from './read.js'

const from = 'a@b.example'
const code = (value: string) => expect.objectContaining({ name: 'UsageError', code: value })
const file = (filename: string) => ({ filename, content: 'x' })
const image = { filename: 'a.png', cid: 'a', content: Buffer.from([1, 2, 3]) }

describe('nesting', () => {
  test.each<[string, Omit<MailOptions, 'from'>, string]>([
    ['nothing', {}, 'text/plain'],
    ['text', { text: 'a' }, 'text/plain'],
    ['html', { html: 'a' }, 'text/html'],
    ['both', { text: 'a', html: 'b' }, 'multipart/alternative(text/plain text/html)'],
    ['an image', { html: 'b', attachments: [image] }, 'multipart/related(text/html image/png)'],
    ['an image without html', { text: 'b', attachments: [image] }, 'multipart/mixed(text/plain image/png)'],
    ['a file only', { attachments: [file('a.pdf')] }, 'multipart/mixed(application/pdf)'],
    [
      'all of it',
      {
        text: 'a',
        html: 'b',
        icalEvent: { method: 'request', content: 'BEGIN:VCALENDAR' },
        alternatives: [{ contentType: 'text/x-web-markdown', content: '*a*' }],
        attachments: [file('a.pdf'), image, file('b.csv')],
      },
      'multipart/mixed(multipart/alternative(text/plain multipart/related(text/html image/png) text/calendar ' +
        'text/x-web-markdown) application/pdf text/csv application/ics)',
    ],
    ['an invitation', { icalEvent: { content: 'X', filename: false } }, 'text/calendar'],
  ])('%s', (_name, mail, expected) =>
    expect(shape(composeMessage({ from, ...mail }).bytesSync())).toBe(expected),
  )

  it('gives parts their fields', () => {
    const message = composeMessage({
      from,
      html: 'b',
      icalEvent: { method: 'request', content: 'X' },
      attachments: [
        { ...image, headers: { 'Content-Description': 'ä' } },
        { filename: 'naïve "name".txt', content: 'ü', contentDisposition: 'inline' },
        { filename: false, content: Buffer.from('x') },
        { content: 'a,b', contentType: 'text/csv; header=present' },
      ],
    }).bytesSync()
    const byType = new Map(readParts(message).map((read) => [read.type, read.part]))
    const get = (type: string, name: string) => byType.get(type)?.headers.get(name)
    expect(get('image/png', 'content-id')).toBe('<a>')
    expect(get('image/png', 'content-disposition')).toBe('inline; filename=a.png')
    expect(byType.get('image/png')?.headers.getText('content-description')).toBe('ä')
    expect(get('multipart/related', 'content-type')).toContain('type="text/html"')
    expect(get('text/calendar', 'content-type')).toBe('text/calendar; charset=utf-8; method=REQUEST')
    expect(get('application/octet-stream', 'content-disposition')).toBe('attachment')
    expect(get('text/csv', 'content-type')).toBe('text/csv; header=present; charset=utf-8')
    const disposition = byType.get('text/plain')?.disposition
    expect(disposition?.type).toBe('inline')
    expect(decodeParameters(disposition?.parameters ?? []).get('filename')).toBe('naïve "name".txt')
  })
})

describe('the transfer encoding of text', () => {
  const encodingOf = (text: string) => readParts(composeMessage({ from, text }).bytesSync())[0]?.part.encoding
  test.each([
    ['', '7bit'],
    ['plain\ntext\n', '7bit'],
    ['x'.repeat(998), '7bit'],
    ['x'.repeat(999), 'quoted-printable'],
    ['grüße an alle, und bis bald', 'quoted-printable'],
    ['日本語', 'base64'],
    ['a\0b', 'quoted-printable'],
  ])('%j', (text, expected) => expect(encodingOf(text)).toBe(expected))

  it('may be chosen, where it can hold the text', () => {
    const compose = (content: string, contentTransferEncoding: string) =>
      composeMessage({ from, text: { content, contentTransferEncoding } })
    expect(compose('é', '8bit').bodyType).toBe('8BITMIME')
    expect(compose('é', 'base64').bodyType).toBe('7BIT')
    expect(() => compose('é', '7bit')).toThrow(code('CONTENT'))
    expect(() => compose('é', 'binary')).toThrow(code('CONTENT'))
  })

  it('of a text attachment keeps every octet', () => {
    for (const content of ['a\nb', 'a\rb\r\n', 'a \r\n', 'a', '\r\n\r\n', 'é\n', '']) {
      const bytes = composeMessage({ from, attachments: [{ filename: 'a.txt', content }] }).bytesSync()
      expect(readParts(bytes)[1]?.body.toString()).toBe(content)
    }
  })

  it('leaves a message alone, but for its line ends', () => {
    const content = 'Subject: ü\n\n--=_x\nbody'
    const attach = (more: object) => composeMessage({ from, attachments: [{ content, ...more }] })
    const message = attach({ contentType: 'message/rfc822' })
    expect(message.bodyType).toBe('8BITMIME')
    expect(message.bytesSync().toString()).toContain('\r\n\r\nSubject: ü\r\n\r\n--=_x\r\nbody\r\n--')
    expect(() => attach({ contentType: 'message/rfc822', contentTransferEncoding: 'base64' })).toThrow(
      code('CONTENT'),
    )
    expect(() =>
      composeMessage({ from, attachments: [{ content: 'a\0', contentType: 'message/rfc822' }] }),
    ).toThrow(code('CONTENT'))
    expect(shape(attach({ filename: 'a.eml' }).bytesSync())).toBe('multipart/mixed(application/octet-stream)')
  })
})

describe('boundaries', () => {
  it('stand in no body, whatever the random octets', () => {
    const zeros = (size: number) => new Uint8Array(size)
    let inner = composeMessage({ from, text: 'a', html: 'b' }, { random: zeros }).bytesSync()
    for (let depth = 0; depth < 5; depth++) {
      const attachments = [{ contentType: 'message/rfc822', content: inner }]
      inner = composeMessage({ from, text: 'a', attachments }, { random: zeros }).bytesSync()
    }
    let expected = 'multipart/alternative(text/plain text/html)'
    for (let depth = 0; depth < 5; depth++)
      expected = `multipart/mixed(text/plain message/rfc822(${expected}))`
    expect(shape(inner)).toBe(expected)
  })

  it('are of one length', () => {
    const message = composeMessage({
      from,
      text: 'a',
      html: 'b',
      attachments: [image, file('a.pdf')],
    }).bytesSync()
    const found = [...message.toString().matchAll(/boundary="([^"]*)"/g)].map((match) => match[1] as string)
    expect(new Set(found).size).toBe(3)
    expect(new Set(found.map((boundary) => boundary.length)).size).toBe(1)
  })
})

describe('content from elsewhere', () => {
  test.each<[string, Omit<MailOptions, 'from'>, string]>([
    ['an attachment by path', { attachments: [{ path: '/etc/passwd' }] }, 'readFile'],
    ['a text by path', { text: { path: '/etc/passwd' } }, 'readFile'],
    ['html by URL', { html: { href: 'http://192.0.2.1/' } }, 'fetch'],
    ['an attachment by URL', { attachments: [{ path: 'HTTPS://192.0.2.1/' }] }, 'fetch'],
    ['an alternative', { alternatives: [{ path: 'a' }] }, 'readFile'],
    ['an event', { icalEvent: { path: 'a.ics' } }, 'readFile'],
    ['a file URL', { attachments: [{ path: 'file:///etc/passwd' }] }, 'readFile'],
  ])('%s is off', (_name, mail, option) => {
    expect(() => composeMessage({ from, ...mail })).toThrow(code('CONTENT_ACCESS'))
    expect(() => composeMessage({ from, ...mail })).toThrow(option)
  })

  it('comes from where the host lets it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mailwright-'))
    try {
      writeFileSync(join(folder, 'über.txt'), 'from a file')
      const urls: string[] = []
      const message = composeMessage(
        {
          from,
          attachments: [
            { path: join(folder, 'über.txt') },
            { path: 'https://files.example/a/b%20c.png?x=1' },
            { href: 'data:text/plain;charset=utf-8;base64,w7w=' },
            { path: 'data:,a%20b' },
          ],
        },
        {
          readFile: (path) => createReadStream(path),
          fetch: async (url) => {
            urls.push(url)
            return Readable.from([Buffer.from('from a URL')])
          },
        },
      )
      for (let twice = 0; twice < 2; twice++) {
        const parts = readParts(await message.bytes()).slice(1)
        expect(parts.map(({ body }) => body.toString())).toEqual(['from a file', 'from a URL', 'ü', 'a b'])
        expect(parts.map(({ type }) => type)).toEqual(['text/plain', 'image/png', 'text/plain', 'text/plain'])
        const names = parts.map(({ part }) =>
          decodeParameters(part.disposition?.parameters ?? []).get('filename'),
        )
        expect(names).toEqual(['über.txt', 'b c.png', undefined, undefined])
      }
      expect(urls).toHaveLength(2)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('has to be one thing', () => {
    const attach = (attachment: object) => composeMessage({ from, attachments: [attachment] })
    expect(() => attach({ content: 'a', path: 'b' })).toThrow(code('CONTENT'))
    expect(() => attach({ content: 5 })).toThrow(code('CONTENT'))
    expect(() => attach({ content: 'a', encoding: 'rot13' })).toThrow(code('CONTENT'))
    expect(() => attach({ content: 'a', contentType: 'pdf' })).toThrow(code('CONTENT_TYPE'))
    expect(() => composeMessage({ from, text: Buffer.from([0xff]) })).toThrow(code('CONTENT'))
    expect(readParts(attach({ content: 'w7w=', encoding: 'base64' }).bytesSync())[1]?.body.toString()).toBe(
      'ü',
    )
  })
})

describe('streams', () => {
  it('are written as they are read, in base64', async () => {
    const content = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index & 0xff))
    async function* pieces() {
      for (let at = 0; at < content.length; at += 7) yield content.subarray(at, at + 7)
    }
    const message = composeMessage({
      from,
      text: Readable.from(['grü', 'ße']),
      attachments: [{ stream: pieces() }],
    })
    expect(() => message.bytesSync()).toThrow(code('CONTENT'))
    const parts = readParts(await message.bytes())
    expect(parts.map(({ part }) => part.encoding)).toEqual(['7bit', 'base64', 'base64'])
    expect(parts[1]?.body.toString()).toBe('grüße')
    expect(parts[2]?.body).toEqual(content)
    await expect(message.bytes()).rejects.toThrow(code('CONSUMED'))
  })

  it('of any size need the memory of a piece', async () => {
    const piece = Buffer.alloc(1_048_576, 'x')
    let read = 0
    let written = 0
    async function* endless() {
      for (; read < 200; read++) yield piece
    }
    const message = composeMessage({ from, attachments: [{ content: endless() }] })
    let most = 0
    for await (const bytes of message) {
      written += bytes.length
      most = Math.max(most, bytes.length)
      // nothing is read ahead of what was taken
      expect(read * piece.length).toBeLessThan(written + 2 * piece.length)
    }
    expect(most).toBeLessThan(200_000)
    expect(written).toBeGreaterThan((200 * piece.length * 4) / 3)
  })

  it('end the message with their error, and are closed when it is given up', async () => {
    const broken = new Readable({ read: () => undefined })
    const unread = new Readable({ read: () => undefined })
    const message = composeMessage({ from, attachments: [{ content: broken }, { content: unread }] })
    broken.destroy(new Error('gone'))
    await new Promise((resolve) => setImmediate(resolve))
    await expect(message.bytes()).rejects.toThrow('gone')
    expect(unread.destroyed).toBe(true)

    const other = new Readable({ read: () => undefined })
    for await (const _ of composeMessage({ from, attachments: [{ content: other }] })) break
    expect(other.destroyed).toBe(true)
  })

  it('that break the rules of their encoding end the message', async () => {
    const attach = (text: string) =>
      composeMessage({
        from,
        attachments: [{ content: Readable.from([text]), contentType: 'message/rfc822' }],
      })
    await expect(attach(`a: b\n\n${'x'.repeat(999)}`).bytes()).rejects.toThrow(code('CONTENT'))
    expect((await attach('a: b\n\nc').bytes()).toString()).toContain('\r\n\r\na: b\r\n\r\nc\r\n--')
  })

  it('that are none are refused when they are opened', async () => {
    const message = composeMessage({ from, attachments: [{ path: 'a' }] }, { readFile: () => 5 as never })
    await expect(message.bytes()).rejects.toThrow(code('CONTENT'))
  })
})

it('a message ends with CRLF, and no line is over 998', async () => {
  for (const text of ['', 'a', 'a\n', 'é', '日本', 'x'.repeat(5_000)]) {
    for (const input of [text, Readable.from([text])]) {
      const bytes = await composeMessage({ from, text: input }).bytes()
      expect(bytes.subarray(-2).toString()).toBe('\r\n')
      expect(longLines(bytes, 998)).toEqual([])
    }
  }
  const tail = composeMessage({
    from,
    alternatives: [{ contentType: 'text/plain', content: Buffer.from('é') }],
  })
  expect(readParts(tail.bytesSync())[0]?.body.toString()).toBe('é')
})
