import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type AttachmentOptions,
  composeMessage,
  decodeParameters,
  type MailOptions,
  parseDate,
  parseMailboxes,
  parseMessage,
} from '../../../src/mime/index.js'
import { longLines, readParts } from './read.js'

const text = (maxLength: number) =>
  fc
    .oneof(fc.string({ unit: 'grapheme', maxLength }), fc.string({ maxLength }))
    .map((value) => value.replace(/[\r\n\0]/g, ''))
const body = fc
  .array(fc.oneof(text(90), fc.constantFrom('\n', '\r\n', '\n\n', '--', '.', 'From x', ' ', '\t')), {
    maxLength: 20,
  })
  .map((parts) => parts.join(''))
const filename = text(60).filter((value) => value !== '')
const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value))
const attachment: fc.Arbitrary<AttachmentOptions> = fc.record(
  { filename, content: fc.oneof(bytes, body) },
  { requiredKeys: ['content'] },
)
const mailbox = fc.record({ name: text(60), address: fc.constantFrom('a@b.example', 'c.d@e.example') })
const mail: fc.Arbitrary<MailOptions> = fc.record(
  {
    from: mailbox,
    to: fc.array(mailbox, { minLength: 1, maxLength: 4 }),
    subject: text(200),
    text: body,
    html: body,
    attachments: fc.array(attachment, { maxLength: 4 }),
    date: fc.date({ min: new Date('1950-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
    headers: fc.record({ 'X-Anything': text(100) }),
  },
  { requiredKeys: ['from'] },
)

/** Text as a message holds it: lines end with CRLF. */
const canonical = (value: string) => value.replace(/\r\n|\r|\n/g, '\r\n')

it('what is composed is read back as the same', () => {
  fc.assert(
    fc.property(mail, fc.boolean(), (given, smtpUtf8) => {
      const message = composeMessage(given, { smtpUtf8 }).bytesSync()
      const parts = readParts(message)
      const headers = parts[0]?.part.headers
      const addresses = (name: string) =>
        parseMailboxes(headers?.get(name) ?? '').map(({ name, address }) => ({ name, address }))
      expect(addresses('from')).toEqual([given.from])
      expect(addresses('to')).toEqual(given.to ?? [])
      expect(headers?.getText('subject') ?? undefined).toBe(given.subject)
      expect(headers?.getText('x-anything') ?? undefined).toBe(
        (given.headers as Record<string, string> | undefined)?.['X-Anything'],
      )
      if (given.date !== undefined) {
        const seconds = Math.floor((given.date as Date).getTime() / 1_000)
        expect(parseDate(headers?.get('date') ?? '')?.ms).toBe(seconds * 1_000)
      }

      const leaves = parts.filter(({ part }) => part.kind === 'leaf')
      const attachments = given.attachments ?? []
      const shown = leaves.slice(0, leaves.length - attachments.length)
      const texts = [given.text, given.html].filter((value) => value !== undefined)
      if (texts.length === 0 && attachments.length === 0) texts.push('')
      expect(shown.map((leaf) => leaf.body.toString().replace(/\r\n$/, ''))).toEqual(
        texts.map((value) => canonical(value as string).replace(/\r\n$/, '')),
      )
      for (const [index, given] of attachments.entries()) {
        const leaf = leaves[shown.length + index]
        expect(leaf?.body).toEqual(Buffer.from(given.content as string))
        const read = decodeParameters(leaf?.part.disposition?.parameters ?? []).get('filename')
        expect(read).toBe(given.filename)
        const name = decodeParameters(leaf?.part.contentType.parameters ?? []).get('name')
        expect(name).toBe(given.filename)
      }
      expect(longLines(message, 998)).toEqual([])
      expect(message.subarray(-2).toString()).toBe('\r\n')
      expect(message.toString('latin1')).not.toMatch(/[^\r]\n|\r[^\n]|\0/)
      if (!smtpUtf8) expect(message.toString('latin1')).toMatch(/^[\x01-\x7f]*$/)
    }),
    { numRuns: Number(process.env.MAILWRIGHT_RUNS ?? 300) },
  )
})

it('is the same message to parseMessage', () => {
  fc.assert(
    fc.property(mail, (given) => {
      const read = parseMessage(composeMessage(given).bytesSync())
      const withoutEnd = (value: string | null) => value?.replace(/(?:\r?\n)$/, '') ?? null
      const expected = (value: unknown) =>
        value === undefined ? null : withoutEnd((value as string).replace(/\r\n|\r|\n/g, '\n'))
      expect(read.defects).toEqual([])
      expect(read.from).toEqual([{ ...(given.from as object), group: null }])
      expect(read.to.map(({ name, address }) => ({ name, address }))).toEqual(given.to ?? [])
      expect(read.subject).toBe(given.subject ?? null)
      const lines = (value: string | null) => withoutEnd(value?.replace(/\r\n/g, '\n') ?? null)
      if (given.text !== undefined) expect(lines(read.text)).toBe(expected(given.text))
      if (given.html !== undefined) expect(lines(read.html)).toBe(expected(given.html))
      const attachments = given.attachments ?? []
      const files = read.parts.filter(({ disposition }) => disposition === 'attachment')
      expect(files.map(({ filename }) => filename)).toEqual(
        attachments.map(({ filename }) => filename ?? null),
      )
      expect(files.map(({ content }) => Buffer.from(content ?? []))).toEqual(
        attachments.map(({ content }) => Buffer.from(content as string)),
      )
    }),
    { numRuns: 200 },
  )
})

it('comes out in pieces as it does at once', async () => {
  await fc.assert(
    fc.asyncProperty(mail, async (given) => {
      const message = composeMessage({ ...given, date: 0 })
      expect(await message.bytes()).toEqual(message.bytesSync())
    }),
    { numRuns: 30 },
  )
})
