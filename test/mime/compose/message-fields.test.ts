import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  type AddressInput,
  composeMessage,
  type ParsedMessage,
  parseMailboxes,
  parseMessage,
} from '../../../src/mime/index.js'
import { clock, fieldsOf, fixedRandom } from './read.js'

const code = (value: string) => expect.objectContaining({ name: 'UsageError', code: value })
const from = 'sender@example.test'
const toField = (to: AddressInput, smtpUtf8 = false) => {
  const { header } = composeMessage({ from, to }, { smtpUtf8 })
  return /\r\nTo: ((?:.|\r\n )*)\r\n/.exec(header.toString('utf8'))?.[1]?.replace(/\r\n/g, '')
}

describe('addresses', () => {
  test.each<[AddressInput, string]>([
    ['a@b.example', 'a@b.example'],
    ['Bob <a@b.example>', 'Bob <a@b.example>'],
    ['"Smith, Bob" <a@b.example>', '"Smith, Bob" <a@b.example>'],
    ['a@b.example, c@d.example', 'a@b.example, c@d.example'],
    [['a@b.example', { name: 'C', address: 'c@d.example' }], 'a@b.example, C <c@d.example>'],
    [{ name: 'Zoë', address: 'z@b.example' }, '=?UTF-8?Q?Zo=C3=AB?= <z@b.example>'],
    [{ name: 'a "quoted" \\ name', address: 'z@b.example' }, '"a \\"quoted\\" \\\\ name" <z@b.example>'],
    ['Team: a@b.example, C <c@d.example>;', 'Team: a@b.example, C <c@d.example>;'],
    [{ name: 'Undisclosed recipients', group: [] }, 'Undisclosed recipients:;'],
    ['x@bücher.example', 'x@xn--bcher-kva.example'],
    ['x@例え。テスト', 'x@xn--r8jz45g.xn--zckzah'],
    ['x@[192.0.2.1]', 'x@[192.0.2.1]'],
    ['"odd one"@b.example', '"odd one"@b.example'],
    ['"plain"@b.example', 'plain@b.example'],
    [{ address: 'two..dots.@b.example' }, '"two..dots."@b.example'],
    // the address is the one in the brackets, and what looks like another stays inside the name
    ['evil@c.example <a@b.example>', '"evil@c.example" <a@b.example>'],
  ])('%j', (input, expected) => expect(toField(input)).toBe(expected))

  test.each<[AddressInput]>([
    ['nobody'],
    [{ address: '' }],
    [{ address: 'a@b@c.example' }],
    [{ address: 'a b@c.example' }],
    [{ address: '<a@b.example>' }],
    [{ address: 'a@b.example, c@d.example' }],
    [{ address: 'a@b_c .example' }],
    [{ address: `a@${'x'.repeat(64)}.example` }],
    [{ address: 'a@b..example' }],
    [{ name: '', group: [] }],
    [{ name: 'A', group: [{ name: 'B', group: [] }] }],
    [null as unknown as string],
    [{ address: `a@xn--\u2028.example` }],
  ])('%j is refused', (input) => expect(() => toField(input)).toThrow(code('ADDRESS')))

  it('in UTF-8 need smtpUtf8', () => {
    expect(() => toField('jörg@bücher.example')).toThrow(code('SMTPUTF8'))
    expect(toField('Jörg <jörg@bücher.example>', true)).toBe('"Jörg" <jörg@bücher.example>')
    const message = composeMessage({ from: 'jörg@bücher.example', subject: 'Grüße' }, { smtpUtf8: true })
    expect([message.smtpUtf8, message.envelope.from]).toEqual([true, 'jörg@bücher.example'])
    expect(message.messageId).toMatch(/@xn--bcher-kva\.example>$/)
    expect(composeMessage({ from }, { smtpUtf8: true }).smtpUtf8).toBe(false)
  })

  it('are read back as what was written', () => {
    const atom = fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}$/)
    const local = fc.oneof(
      atom,
      fc.tuple(atom, atom).map((pair) => pair.join('.')),
    )
    const domain = fc.constantFrom('b.example', 'xn--bcher-kva.example', '[192.0.2.1]')
    const name = fc
      .oneof(fc.string({ maxLength: 100 }), fc.string({ unit: 'grapheme', maxLength: 60 }))
      .map((text) => text.replace(/[\r\n\0]/g, ''))
    const mailbox = fc.record({ name, address: fc.tuple(local, domain).map((pair) => pair.join('@')) })
    const group = fc.record({
      name: name.filter((text) => text !== ''),
      group: fc.array(mailbox, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.array(fc.oneof(mailbox, group), { minLength: 1, maxLength: 8 }), (to) => {
        const message = composeMessage({ from, to })
        const read = parseMailboxes(fieldsOf(message).get('to') ?? '')
        const expected = to.map((each) =>
          'group' in each
            ? { name: each.name, address: '', group: each.group }
            : { name: each.name, address: each.address, group: null },
        )
        expect(read).toEqual(expected)
        for (const line of message.header.toString('latin1').split('\r\n')) {
          expect(line.length).toBeLessThanOrEqual(78)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('the fields of a message', () => {
  it('come out the same for the same clock and random octets', () => {
    const compose = () =>
      composeMessage({ from, text: 'a', html: 'b' }, { clock, random: fixedRandom() }).bytesSync().toString()
    expect(compose()).toBe(compose())
    expect(compose()).toContain('\r\nDate: Fri, 2 Jan 2026 03:04:05 +0000\r\n')
  })

  it('do not tell of Bcc, and the envelope does', () => {
    const mail = { from, to: 'a@b.example', cc: ['c@d.example', 'a@b.example'], bcc: 'e@f.example' }
    const message = composeMessage(mail)
    expect(message.bytesSync().toString()).not.toMatch(/e@f\.example|Bcc/)
    expect(message.envelope).toEqual({ from, to: ['a@b.example', 'c@d.example', 'e@f.example'] })
    expect(fieldsOf(composeMessage(mail, { keepBcc: true })).get('bcc')).toBe('e@f.example')
  })

  it('need an author, and a sender for more than one', () => {
    const two = ['a@b.example', 'c@d.example']
    expect(() => composeMessage({ text: 'x' })).toThrow(code('ADDRESS'))
    expect(() => composeMessage({ from: two })).toThrow(code('ADDRESS'))
    expect(() => composeMessage({ from, sender: two })).toThrow(code('ADDRESS'))
    expect(composeMessage({ from: two, sender: from }).envelope.from).toBe(from)
  })

  test.each([
    [undefined, null],
    ['<a@b>', '<a@b>'],
    ['a@b', '<a@b>'],
    ['<a@b> <c@d>', '<a@b> <c@d>'],
    ['<a@b><c@d>', '<a@b> <c@d>'],
    [['a@b', '<c@d>'], '<a@b> <c@d>'],
  ])('references %j', (references, expected) => {
    expect(fieldsOf(composeMessage({ from, references })).get('references')).toBe(expected)
  })

  it('fold references, and refuse what is none', () => {
    const references = Array.from({ length: 300 }, (_, index) => `<${index}.some-identifier@host.example>`)
    const message = composeMessage({ from, references })
    expect(fieldsOf(message).get('references')?.split(' ')).toEqual(references)
    for (const line of message.header.toString().split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
    expect(() => composeMessage({ from, inReplyTo: '<a b@c>' })).toThrow(code('MESSAGE_ID'))
    expect(() => composeMessage({ from, messageId: '<é@b>' })).toThrow(code('MESSAGE_ID'))
  })

  test.each([
    [new Date(0), 'Thu, 1 Jan 1970 00:00:00 +0000'],
    [86_400_000, 'Fri, 2 Jan 1970 00:00:00 +0000'],
    ['Fri, 21 Nov 1997 09:55:06 -0600', 'Fri, 21 Nov 1997 09:55:06 -0600'],
    ['1997-11-21T15:55:06Z', 'Fri, 21 Nov 1997 15:55:06 +0000'],
  ])('the date %s', (date, expected) => {
    expect(fieldsOf(composeMessage({ from, date })).get('date')).toBe(expected)
  })

  test.each([['yesterday'], [Number.NaN], [new Date(Number.NaN)], [Infinity]])(
    'the date %s is refused',
    (date) => {
      expect(() => composeMessage({ from, date })).toThrow(code('DATE'))
    },
  )

  it('of lists', () => {
    const fields = fieldsOf(
      composeMessage({
        from,
        list: {
          help: 'admin@example.test?subject=help',
          unsubscribe: ['u@example.test', { url: 'https://example.test/u?a=b c<d>', comment: 'Lösen' }],
          id: { url: 'list.example.test', comment: 'A list' },
          post: 'NO',
          unsubscribePost: 'List-Unsubscribe=One-Click',
        },
      }),
    )
    expect(fields.get('list-help')).toBe('<mailto:admin@example.test?subject=help>')
    expect(fields.get('list-unsubscribe')).toBe(
      '<mailto:u@example.test>, <https://example.test/u?a=b%20c%3Cd%3E> (=?UTF-8?B?TMO2c2Vu?=)',
    )
    expect(fields.get('list-id')).toBe('A list <list.example.test>')
    expect(fields.get('list-post')).toBe('NO')
    expect(fields.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
  })

  it('of every option are read back', () => {
    const given = {
      sender: 'Secretary <s@example.test>',
      replyTo: ['r@example.test', 'Team: t@example.test;'],
      to: 'a@b.example',
      cc: 'c@d.example',
      subject: 'Re: Grüße',
      messageId: 'own@example.test',
      inReplyTo: '<first@example.test>',
      references: ['first@example.test', 'second@example.test'],
      date: 0,
      priority: 'low',
      headers: { 'X-Own': 'ü' },
    } as const
    const read = parseMessage(composeMessage({ from, ...given }).bytesSync())
    const addresses = (list: ParsedMessage['to']): string[] => list.map(({ name, address }) => name + address)
    expect(read.defects).toEqual([])
    expect([read.from, read.to, read.cc, read.sender, read.replyTo].map(addresses)).toEqual([
      [from],
      ['a@b.example'],
      ['c@d.example'],
      ['Secretarys@example.test'],
      ['r@example.test', 'Team'],
    ])
    expect([read.subject, read.messageId, read.date?.ms]).toEqual(['Re: Grüße', 'own@example.test', 0])
    expect(read.inReplyTo).toEqual(['first@example.test'])
    expect(read.references).toEqual(['first@example.test', 'second@example.test'])
    expect([read.headers.get('importance'), read.headers.getText('x-own')]).toEqual(['Low', 'ü'])
  })

  it('of priority', () => {
    const fields = fieldsOf(composeMessage({ from, priority: 'high' }))
    expect([fields.get('importance'), fields.get('x-priority')]).toEqual(['High', '1 (Highest)'])
    expect(fieldsOf(composeMessage({ from, priority: 'normal' })).has('importance')).toBe(false)
    expect(() => composeMessage({ from, priority: 'urgent' as 'high' })).toThrow(code('OPTION'))
  })

  it('of the host, in order, addresses among them as addresses', () => {
    const headers = [
      { key: 'X-B', value: '1' },
      { key: 'x-a', value: '2' },
      { key: 'X-B', value: 'drei ü' },
      { key: 'Disposition-Notification-To', value: 'Zoë <z@b.example>' },
    ]
    const text = composeMessage({ from, headers }).header.toString()
    expect(text).toContain(
      'X-B: 1\r\nx-a: 2\r\nX-B: drei =?UTF-8?B?w7w=?=\r\nDisposition-Notification-To: =?UTF-8?Q?Zo=C3=AB?= <z@b.example>\r\n',
    )
  })

  it('never stand twice', () => {
    for (const name of ['Subject', 'message-id', 'MIME-Version', 'Content-Type', 'FROM']) {
      expect(() => composeMessage({ from, headers: { [name]: 'x' } })).toThrow(code('HEADER_DUPLICATE'))
    }
  })

  it('options that stand for nothing are refused', () => {
    expect(() => composeMessage({ from, reply_to: 'x' } as { from: string })).toThrow(code('OPTION'))
    expect(() => composeMessage({ from, attachments: [{ file: 'x' } as object] })).toThrow(code('OPTION'))
    expect(() => composeMessage({ from }, { utf8: true } as object)).toThrow(code('OPTION'))
  })
})
