import { describe, expect, test } from 'vitest'
import {
  decodeParameters,
  decodeWords,
  Headers,
  parseContentType,
  parseDate,
  parseMailboxes,
  parseMessage,
  unfold,
} from '../../src/mime/index.js'
import { bytes, lines } from './samples.js'

const mailbox = (value: string): string[] =>
  parseMailboxes(value).flatMap(({ name, address, group }) =>
    group === null
      ? [`${name} <${address}>`]
      : [`${name}:`, ...group.map((m) => `${m.name} <${m.address}>`), ';'],
  )

describe('RFC 2047 section 8', () => {
  test.each([
    ['=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore <moore@cs.utk.edu>'],
    ['=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>', 'Keld Jørn Simonsen <keld@dkuug.dk>'],
    ['=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>', 'André Pirard <PIRARD@vm1.ulg.ac.be>'],
    ['=?ISO-8859-1?Q?Olle_J=E4rnefors?= <ojarnef@admin.kth.se>', 'Olle Järnefors <ojarnef@admin.kth.se>'],
    ['=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?= <paf@nada.kth.se>', 'Patrik Fältström <paf@nada.kth.se>'],
    [
      'Nathaniel Borenstein <nsb@thumper.bellcore.com>\r\n (=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)',
      'Nathaniel Borenstein <nsb@thumper.bellcore.com>',
    ],
  ])('%s', (value, expected) => expect(mailbox(value)).toEqual([expected]))

  test('a subject of two words of different charsets', () => {
    const raw =
      '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?='
    expect(decodeWords(unfold(raw))).toBe('If you can read this you understand the example.')
    expect(decodeWords('=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=')).toBe('םולש ןב ילטפנ')
  })

  test.each([
    ['(=?ISO-8859-1?Q?a?=)', '(a)'],
    ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)', '(a b)'],
  ])('%j is displayed as %s', (raw, shown) => expect(decodeWords(unfold(raw))).toBe(shown))
})

describe('RFC 2231 sections 3 to 5', () => {
  const parametersOf = (...all: string[]): Map<string, string> =>
    decodeParameters(parseContentType(new Headers(lines(...all)).get('content-type') ?? '')?.parameters ?? [])

  test('continuations', () => {
    expect(
      parametersOf(
        'Content-Type: message/external-body; access-type=URL;',
        ' URL*0="ftp://";',
        ' URL*1="cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"',
      ),
    ).toEqual(
      new Map([
        ['access-type', 'URL'],
        ['url', 'ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar'],
      ]),
    )
  })

  test('a charset and a language', () => {
    expect(
      parametersOf(
        'Content-Type: application/x-stuff;',
        " title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
      ).get('title'),
    ).toBe('This is ***fun***')
  })

  test('both', () => {
    expect(
      parametersOf(
        'Content-Type: application/x-stuff',
        " title*0*=us-ascii'en'This%20is%20even%20more%20",
        ' title*1*=%2A%2A%2Afun%2A%2A%2A%20',
        ' title*2="isn\'t it!"',
      ).get('title'),
    ).toBe("This is even more ***fun*** isn't it!")
  })

  test('a language in an encoded word', () => {
    expect(decodeWords('=?US-ASCII*EN?Q?Keith_Moore?=')).toBe('Keith Moore')
  })
})

describe('RFC 5322 appendix A', () => {
  const body = ['', 'This is a message just to say hello.', 'So, "Hello".']

  test('A.1.1 and A.1.2: mailboxes', () => {
    const message = parseMessage(
      bytes(
        lines(
          'From: "Joe Q. Public" <john.q.public@example.com>',
          'Sender: Michael Jones <mjones@machine.example>',
          'To: Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
          'Cc: <boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
          'Date: Tue, 1 Jul 2003 10:52:37 +0200',
          'Message-ID: <5678.21-Nov-1997@example.com>',
          ...body,
        ),
      ),
    )
    const shown = (list: readonly { name: string; address: string }[]): string[] =>
      list.map(({ name, address }) => `${name} <${address}>`)
    expect(shown(message.from)).toEqual(['Joe Q. Public <john.q.public@example.com>'])
    expect(shown(message.sender)).toEqual(['Michael Jones <mjones@machine.example>'])
    expect(shown(message.to)).toEqual([
      'Mary Smith <mary@x.test>',
      ' <jdoe@example.org>',
      'Who? <one@y.test>',
    ])
    expect(shown(message.cc)).toEqual([' <boss@nil.test>', 'Giant; "Big" Box <sysservices@example.net>'])
    expect(message.date?.ms).toBe(Date.UTC(2003, 6, 1, 8, 52, 37))
    expect([message.messageId, message.text]).toEqual([
      '5678.21-Nov-1997@example.com',
      'This is a message just to say hello.\r\nSo, "Hello".\r\n',
    ])
  })

  test('A.1.3: groups', () => {
    expect(mailbox('A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;')).toEqual([
      'A Group:',
      'Ed Jones <c@a.test>',
      ' <joe@where.test>',
      'John <jdoe@one.test>',
      ';',
    ])
    expect(mailbox('Undisclosed recipients:;')).toEqual(['Undisclosed recipients:', ';'])
    expect(parseDate('Thu, 13 Feb 1969 23:32:54 -0330')?.ms).toBe(Date.UTC(1969, 1, 14, 3, 2, 54))
  })

  test('A.2 to A.4: replies, resent fields, traces', () => {
    const message = parseMessage(
      bytes(
        lines(
          'Received: from x.y.test',
          '   by example.net',
          '   via TCP',
          '   for <mary@example.net>;  21 Nov 1997 10:05:43 -0600',
          'Resent-From: Mary Smith <mary@example.net>',
          'Reply-To: "Mary Smith: Personal Account" <smith@home.example>',
          'Subject: Re: Saying Hello',
          'In-Reply-To: <3456@example.net>',
          'References: <1234@local.machine.example> <3456@example.net>',
          ...body,
        ),
      ),
    )
    expect(message.replyTo[0]?.name).toBe('Mary Smith: Personal Account')
    expect(message.references).toEqual(['1234@local.machine.example', '3456@example.net'])
    expect(message.inReplyTo).toEqual(['3456@example.net'])
    expect(message.headers.get('resent-from')).toBe('Mary Smith <mary@example.net>')
  })

  test('A.5: white space, comments and other oddities', () => {
    const message = parseMessage(
      bytes(
        lines(
          'From: Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>',
          'To:A Group(Some people)',
          "     :Chris Jones <c@(Chris's host.)public.example>,",
          '         joe@example.org,',
          '  John <jdoe@one.test> (my dear friend); (the end of the group)',
          'Cc:(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;',
          'Date: Thu,',
          '      13',
          '        Feb',
          '          1969',
          '      23:32',
          '               -0330 (Newfoundland Time)',
          'Message-ID:              <testabcd.1234@silly.test>',
          '',
          'Testing.',
        ),
      ),
    )
    expect(message.from).toEqual([{ name: 'Pete', address: 'pete@silly.test', group: null }])
    expect(message.to).toEqual([
      {
        name: 'A Group',
        address: '',
        group: [
          { name: 'Chris Jones', address: 'c@public.example' },
          { name: '', address: 'joe@example.org' },
          { name: 'John', address: 'jdoe@one.test' },
        ],
      },
    ])
    expect(message.cc).toEqual([{ name: 'Hidden recipients', address: '', group: [] }])
    expect(message.date).toEqual({ ms: Date.UTC(1969, 1, 14, 3, 2), offsetMinutes: -210 })
    expect(message.messageId).toBe('testabcd.1234@silly.test')
  })

  test('A.6: obsolete forms', () => {
    expect(mailbox('Joe Q. Public <john.q.public@example.com>')).toEqual([
      'Joe Q. Public <john.q.public@example.com>',
    ])
    expect(mailbox('Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example')).toEqual([
      'Mary Smith <mary@example.net>',
      ' <jdoe@test.example>',
    ])
    expect(parseDate('21 Nov 97 09:55:06 GMT')?.ms).toBe(Date.UTC(1997, 10, 21, 9, 55, 6))
    const message = parseMessage(
      bytes(
        lines(
          'From  : John Doe <jdoe@machine(comment).  example>',
          'To    : Mary Smith',
          '  ',
          '          <mary@example.net>',
          'Subject     : Saying Hello',
          'Date  : Fri, 21 Nov 1997 09(comment):   55  :  06 -0600',
          'Message-ID  : <1234   @   local(blah)  .machine .example>',
          ...body,
        ),
      ),
    )
    expect(message.from[0]?.address).toBe('jdoe@machine.example')
    expect(message.to[0]).toEqual({ name: 'Mary Smith', address: 'mary@example.net', group: null })
    expect(message.subject).toBe('Saying Hello')
    expect(message.date?.ms).toBe(Date.UTC(1997, 10, 21, 15, 55, 6))
    expect(message.messageId).toBe('1234@local.machine.example')
  })
})
