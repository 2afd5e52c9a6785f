import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAnyAddresses } from '../../src/mime/addresses.js'
import { parseAddresses, parseMailboxes } from '../../src/mime/index.js'
import { plainAddresses } from '../../src/mime/plain-addresses.js'

/** `name <@route:mailbox@host>` of each, a group as `name{` and `}`. */
const short = (text: string): string[] =>
  parseAddresses(text).map(({ name, route, mailbox, host }) => {
    if (host === null) return mailbox === null ? '}' : `${mailbox}{`
    return `${name ?? '-'} <${route === null ? '' : `${route}:`}${mailbox}@${host}>`
  })

describe('RFC 5322 appendix A', () => {
  test.each([
    ['John Doe <jdoe@machine.example>', ['John Doe <jdoe@machine.example>']],
    ['"Joe Q. Public" <john.q.public@example.com>', ['Joe Q. Public <john.q.public@example.com>']],
    [
      'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
      ['Mary Smith <mary@x.test>', '- <jdoe@example.org>', 'Who? <one@y.test>'],
    ],
    [
      '<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
      ['- <boss@nil.test>', 'Giant; "Big" Box <sysservices@example.net>'],
    ],
    [
      'A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;',
      ['A Group{', 'Ed Jones <c@a.test>', '- <joe@where.test>', 'John <jdoe@one.test>', '}'],
    ],
    ['Undisclosed recipients:;', ['Undisclosed recipients{', '}']],
    [
      '"Mary Smith: Personal Account" <smith@home.example>',
      ['Mary Smith: Personal Account <smith@home.example>'],
    ],
    ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['Pete <pete@silly.test>']],
    [
      "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
      ['A Group{', 'Chris Jones <c@public.example>', '- <joe@example.org>', 'John <jdoe@one.test>', '}'],
    ],
    ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', ['Hidden recipients{', '}']],
    ['Joe Q. Public <john.q.public@example.com>', ['Joe Q. Public <john.q.public@example.com>']],
    [
      'Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example',
      ['Mary Smith <@node.test:mary@example.net>', '- <jdoe@test.example>'],
    ],
    ['John Doe <jdoe@machine(comment).  example>', ['John Doe <jdoe@machine.example>']],
    ['Mary Smith\r\n  \r\n          <mary@example.net>', ['Mary Smith <mary@example.net>']],
  ])('%j', (text, expected) => expect(short(text)).toEqual(expected))
})

describe('other forms', () => {
  test.each([
    ['', []],
    [' , ;, ', []],
    ['<>', ['- <@>']],
    ['root', ['- <root@>']],
    ['root (Charlie)', ['Charlie <root@>']],
    ['joe@x.test (Joe (the) Doe)', ['Joe (the) Doe <joe@x.test>']],
    ['<joe@x.test> (Joe)', ['Joe <joe@x.test>']],
    ['Joe Doe joe@x.test', ['Joe Doe <joe@x.test>']],
    ['joe @ x.test Joe Doe, b@c', ['- <joe@x.test>', '- <b@c>']],
    ['a@b via C <d@e>, f@g', ['a@b via C <d@e>', '- <f@g>']],
    ['A a@b (c) D <e@f>', ['A a@b D <e@f>']],
    ['a@b c@d <e@f>', ['- <a@b>', 'c@d <e@f>']],
    ['<a@b> C <d@e>', ['- <a@b>', 'C <d@e>']],
    ['<mailto:a@b> (C)', ['C <mailto:a@b>']],
    ['<http://a.b/c:d>', ['- <http://a.b/c:d@>']],
    ['a . b@c', ['- <a.b@c>']],
    ['joe@x.test <joe@x.test>', ['joe@x.test <joe@x.test>']],
    ['<@a.test,@b.test:c@d.test>', ['- <@a.test,@b.test:c@d.test>']],
    ['"john smith"@x.test', ['- <john smith@x.test>']],
    ['joe@[192.0.2.1]', ['- <joe@[192.0.2.1]>']],
    ['joe@[IPv6:2001:db8::1], b@c', ['- <joe@[IPv6:2001:db8::1]>', '- <b@c>']],
    ['a@b; c@d', ['- <a@b>', '- <c@d>']],
    ['A <a@b> B <c@d>', ['A <a@b>', 'B <c@d>']],
    ['Joe <joe@x.test, Ann <ann@y.test>', ['Joe <joe@x.test>', 'Ann <ann@y.test>']],
    ['A: b@c, d@e', ['A{', '- <b@c>', '- <d@e>', '}']],
    ['A: B: b@c;, d@e', ['A{', '- <b@c>', '}', '- <d@e>']],
    ['=?utf-8?Q?Doe,_John?= <j@x>', ['=?utf-8?Q?Doe,_John?= <j@x>']],
    ['=?utf-8?Q?only?=', ['=?utf-8?Q?only?= <@>']],
    ['John Doe', ['John Doe <@>']],
    ['"unclosed <a@b>', ['unclosed <a@b>']],
    ['a@[unclosed, b@c', ['- <a@[unclosed>', '- <b@c>']],
    ['(unclosed a@b', []],
    ['a@b@c', ['- <a@b@c>']],
  ])('%j', (text, expected) => expect(short(text)).toEqual(expected))
})

describe('as text', () => {
  test('names are decoded, groups hold their members', () => {
    expect(parseMailboxes('=?utf-8?q?J=C3=B6?= <j@x.test>, Team: "a b"@y.test, c@d;, e@f')).toEqual([
      { name: 'Jö', address: 'j@x.test', group: null },
      {
        name: 'Team',
        address: '',
        group: [
          { name: '', address: '"a b"@y.test' },
          { name: '', address: 'c@d' },
        ],
      },
      { name: '', address: 'e@f', group: null },
    ])
  })

  test('UTF-8 addresses (RFC 6532)', () => {
    const raw = Buffer.from('Jörg <jörg@bücher.test>', 'utf8').toString('latin1')
    expect(parseMailboxes(raw)).toEqual([{ name: 'Jörg', address: 'jörg@bücher.test', group: null }])
  })

  test('no address', () => {
    expect(parseMailboxes('<>, root, John Doe').map(({ address }) => address)).toEqual(['', 'root', ''])
  })
})

test('the short cut for plain addresses gives exactly what the whole parser does', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      'b.c',
      '@',
      '@d.e',
      '<',
      '>',
      ' ',
      '  ',
      ',',
      ', ',
      '"x y"',
      '"',
      'Name',
      '.',
      '=?utf-8?q?x,?=',
      '=?',
    ],
    ...[
      '(c)',
      ':',
      ';',
      '[',
      '\\',
      '\r\n ',
      '\xe9',
      '\u20ac',
      'a@b',
      'N M <a@b>',
      '"q" <a@b>',
      '<>',
      '=',
      '\0',
    ],
  )
  let plain = 0
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('')
      const short = plainAddresses(text, 0, text.length)
      if (short === null) return
      plain++
      expect(short).toEqual(parseAnyAddresses(text))
    }),
    { numRuns: 5_000 },
  )
  expect(plain).toBeGreaterThan(100)
})
