import { describe, expect, it } from 'vitest'
import { CommandFault } from '../../../src/imap/grammar/cursor.js'
import { parseCommand, parseHead } from '../../../src/imap/grammar/parse-command.js'
import type { Command, FetchItem, SearchKey } from '../../../src/imap/index.js'
import { STAR } from '../../../src/imap/index.js'

function parse(text: string): Command | string {
  const line = `a ${text}`
  try {
    return parseCommand(line, parseHead(line))
  } catch (error) {
    if (error instanceof CommandFault) return `${error.status} ${error.responseCode ?? '-'}`
    throw error
  }
}

const BAD = 'BAD -'

function search(text: string): SearchKey | string {
  const command = parse(`SEARCH ${text}`)
  return typeof command === 'string' ? command : (command as Extract<Command, { name: 'SEARCH' }>).key
}

function fetchItems(text: string): readonly FetchItem[] | string {
  const command = parse(`FETCH 1 ${text}`)
  return typeof command === 'string' ? command : (command as Extract<Command, { name: 'FETCH' }>).items
}

describe('mailbox commands', () => {
  it.each<[string, Command | string]>([
    ['LIST "" *', { name: 'LIST', reference: '', pattern: '*' }],
    ['lsub "#news." "%"', { name: 'LSUB', reference: '#news.', pattern: '%' }],
    ['LIST "" {3+}\r\na%b', { name: 'LIST', reference: '', pattern: 'a%b' }],
    ['LIST "" ""', { name: 'LIST', reference: '', pattern: '' }],
    ['LIST "" &', 'NO CANNOT'],
    ['LIST ""', BAD],
    ['LIST *', BAD],
    ['RENAME a "b c"', { name: 'RENAME', from: 'a', to: 'b c' }],
    ['RENAME a', BAD],
    ['STATUS x (messages UNSEEN MESSAGES)', { name: 'STATUS', mailbox: 'x', items: ['MESSAGES', 'UNSEEN'] }],
    ['STATUS x ()', BAD],
    ['STATUS x (SIZE)', BAD],
    ['STATUS x MESSAGES', BAD],
    ['SELECT a]b', { name: 'SELECT', mailbox: 'a]b' }],
    ['SELECT a*b', BAD],
    ['SELECT "a\rb"', BAD],
    ['SELECT "a\\b"', BAD],
    ['SELECT "a', BAD],
    ['SELECT \xe9', BAD],
    ['SELECT "\xe9"', 'NO CANNOT'],
    ['SELECT ../../x', { name: 'SELECT', mailbox: '../../x' }],
    ['SELECT &AC8-', 'NO CANNOT'],
    ['ENABLE condstore X-FOO', { name: 'ENABLE', capabilities: ['CONDSTORE', 'X-FOO'] }],
    ['ENABLE', BAD],
    ['ENABLE ', BAD],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected)
  })
})

describe('message commands', () => {
  it.each<[string, Command | string]>([
    [
      'COPY 1:*,5 x',
      {
        name: 'COPY',
        uid: false,
        set: [
          [1, STAR],
          [5, 5],
        ],
        mailbox: 'x',
      },
    ],
    ['UID MOVE 4294967295 x', { name: 'MOVE', uid: true, set: [[4294967295, 4294967295]], mailbox: 'x' }],
    ['COPY 4294967296 x', BAD],
    ['COPY 0 x', BAD],
    ['COPY 1: x', BAD],
    ['COPY 1,,2 x', BAD],
    ['COPY 01 x', BAD],
    ['EXPUNGE', { name: 'EXPUNGE', uids: null }],
    ['EXPUNGE 1', BAD],
    ['UID EXPUNGE 3:5', { name: 'EXPUNGE', uids: [[3, 5]] }],
    ['UID EXPUNGE', BAD],
    [
      'STORE 1 +FLAGS.SILENT (\\DELETED \\deleted $x)',
      { name: 'STORE', uid: false, set: [[1, 1]], mode: 'add', silent: true, flags: ['\\Deleted', '$x'] },
    ],
    [
      'UID STORE 1 -flags \\Seen x',
      { name: 'STORE', uid: true, set: [[1, 1]], mode: 'remove', silent: false, flags: ['\\Seen', 'x'] },
    ],
    [
      'STORE 1 FLAGS ()',
      { name: 'STORE', uid: false, set: [[1, 1]], mode: 'replace', silent: false, flags: [] },
    ],
    ['STORE 1 FLAGS (\\Recent)', BAD],
    ['STORE 1 FLAGS (\\*)', BAD],
    ['STORE 1 FLAGS', BAD],
    ['STORE 1 FLAGS (a b', BAD],
    ['STORE 1 FLAGS.LOUD ()', BAD],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected)
  })
})

describe('FETCH', () => {
  const body = (label: string, more: object): FetchItem =>
    ({
      type: 'BODY',
      section: { part: [], text: { type: 'WHOLE' } },
      peek: false,
      partial: null,
      label,
      ...more,
    }) as FetchItem

  it.each<[string, readonly FetchItem[] | string]>([
    ['FLAGS', [{ type: 'FLAGS' }]],
    ['fast', [{ type: 'FLAGS' }, { type: 'INTERNALDATE' }, { type: 'RFC822.SIZE' }]],
    ['ALL', [{ type: 'FLAGS' }, { type: 'INTERNALDATE' }, { type: 'RFC822.SIZE' }, { type: 'ENVELOPE' }]],
    [
      '(UID BODY BODYSTRUCTURE)',
      [
        { type: 'UID' },
        { type: 'BODYSTRUCTURE', extensible: false },
        { type: 'BODYSTRUCTURE', extensible: true },
      ],
    ],
    ['(ALL)', BAD],
    ['()', BAD],
    ['(FLAGS', BAD],
    ['(FLAGS  UID)', BAD],
    ['RFC822', [body('RFC822', {})]],
    [
      'RFC822.HEADER',
      [body('RFC822.HEADER', { peek: true, section: { part: [], text: { type: 'HEADER' } } })],
    ],
    ['RFC822.TEXT', [body('RFC822.TEXT', { section: { part: [], text: { type: 'TEXT' } } })]],
    ['body[]<0.10>', [body('BODY[]', { partial: { offset: 0, length: 10 } })]],
    [
      'BODY.PEEK[1.2.text]',
      [body('BODY[1.2.TEXT]', { peek: true, section: { part: [1, 2], text: { type: 'TEXT' } } })],
    ],
    ['BODY[3.MIME]', [body('BODY[3.MIME]', { section: { part: [3], text: { type: 'MIME' } } })]],
    ['BODY[2]', [body('BODY[2]', { section: { part: [2], text: { type: 'WHOLE' } } })]],
    [
      'BODY[4.header.fields.not (from "x y" {3+}\r\n)\r\n)]',
      [
        body('BODY[4.HEADER.FIELDS.NOT (FROM "X Y" {3}\r\n)\r\n)]', {
          section: { part: [4], text: { type: 'HEADER.FIELDS.NOT', fields: ['FROM', 'X Y', ')\r\n'] } },
        }),
      ],
    ],
    ['BODY[MIME]', BAD],
    ['BODY[0]', BAD],
    ['BODY[1.]', BAD],
    ['BODY[1', BAD],
    ['BODY[]<0.0>', BAD],
    ['BODY[]<0>', BAD],
    ['BODY[HEADER.FIELDS ()]', BAD],
    ['BODY[99999999999]', BAD],
  ])('%s', (text, expected) => {
    expect(fetchItems(text)).toEqual(expected)
  })
})

describe('SEARCH', () => {
  const seen: SearchKey = { type: 'FLAG', flag: '\\Seen', set: true }
  const all: SearchKey = { type: 'ALL' }

  it.each<[string, SearchKey | string]>([
    ['all', all],
    ['ALL SEEN', { type: 'AND', keys: [all, seen] }],
    ['NOT NOT SEEN', { type: 'NOT', key: { type: 'NOT', key: seen } }],
    ['OR ALL (SEEN ALL)', { type: 'OR', keys: [all, { type: 'AND', keys: [seen, all] }] }],
    [
      'OR NOT SEEN OR ALL ALL',
      {
        type: 'OR',
        keys: [
          { type: 'NOT', key: seen },
          { type: 'OR', keys: [all, all] },
        ],
      },
    ],
    ['((SEEN))', seen],
    [
      '2:4,* UID 7',
      {
        type: 'AND',
        keys: [
          {
            type: 'SEQUENCE',
            set: [
              [2, 4],
              [STAR, STAR],
            ],
          },
          { type: 'UID', set: [[7, 7]] },
        ],
      },
    ],
    [
      'NEW',
      {
        type: 'AND',
        keys: [
          { type: 'RECENT', set: true },
          { type: 'FLAG', flag: '\\Seen', set: false },
        ],
      },
    ],
    ['UNKEYWORD $a', { type: 'FLAG', flag: '$a', set: false }],
    ['SINCE 1-Feb-1994', { type: 'INTERNALDATE', test: 'since', day: Date.UTC(1994, 1, 1) }],
    ['SENTON "29-feb-2024"', { type: 'SENTDATE', test: 'on', day: Date.UTC(2024, 1, 29) }],
    ['BEFORE 29-Feb-2023', BAD],
    ['BEFORE 1-Foo-2023', BAD],
    ['LARGER 4294967295', { type: 'SIZE', test: 'larger', octets: 4294967295 }],
    ['SMALLER -1', BAD],
    ['SUBJECT {4+}\r\n\xe9"\r\n', { type: 'HEADER', field: 'SUBJECT', text: '\xe9"\r\n' }],
    ['HEADER x-y ""', { type: 'HEADER', field: 'X-Y', text: '' }],
    [
      'TEXT a BODY b',
      {
        type: 'AND',
        keys: [
          { type: 'TEXT', text: 'a' },
          { type: 'BODY', text: 'b' },
        ],
      },
    ],
    ['', BAD],
    ['()', BAD],
    ['(ALL', BAD],
    ['ALL)', BAD],
    ['ALL ', BAD],
    ['OR ALL', BAD],
    ['NOT', BAD],
    ['CONSTRUCTOR', BAD],
  ])('%s', (text, expected) => {
    expect(search(text)).toEqual(expected)
  })

  it('passes the charset on in capitals', () => {
    expect(parse('UID SEARCH CHARSET "utf-8" ALL')).toEqual({
      name: 'SEARCH',
      uid: true,
      charset: 'UTF-8',
      key: all,
    })
    expect(parse('SEARCH CHARSET utf-8')).toBe(BAD)
  })

  it('nests 99 deep and no deeper', () => {
    expect(search(`${'NOT '.repeat(99)}ALL`)).toMatchObject({ type: 'NOT' })
    expect(search(`${'('.repeat(99)}ALL${')'.repeat(99)}`)).toEqual(all)
    expect(search(`${'NOT '.repeat(100)}ALL`)).toBe(BAD)
    expect(search(`${'('.repeat(100_000)}`)).toBe(BAD)
    expect(search(`${'OR '.repeat(100_000)}`)).toBe(BAD)
  })

  it('takes time in proportion to its length', () => {
    const time = (text: string): number => {
      const start = performance.now()
      search(text)
      return performance.now() - start
    }
    for (const unit of ['ALL ', '(ALL) ', 'NOT ALL ', 'OR ALL ALL ', 'SUBJECT "a\\"b" ', '1,2:3 ']) {
      time(unit.repeat(2_000))
      expect(time(unit.repeat(40_000))).toBeLessThan(1_500)
    }
  })
})

describe('a command head', () => {
  it.each<[string, string | null, string]>([
    ['a1.x NOOP', 'a1.x', 'NOOP'],
    ['a uid fetch 1', 'a', 'UID FETCH'],
    ['a UID', 'a', 'UID'],
    ['a LOGIN {3}\r\n', 'a', 'LOGIN'],
    ['a NOOP2', 'a', ''],
    ['a', null, ''],
    ['', null, ''],
    [' a NOOP', null, ''],
    ['* NOOP', null, ''],
    ['a\tNOOP', null, ''],
    ['\xe9 NOOP', null, ''],
    [`${'t'.repeat(255)} NOOP`, 't'.repeat(255), 'NOOP'],
    [`${'t'.repeat(256)} NOOP`, null, ''],
    ['__proto__ NOOP', '__proto__', 'NOOP'],
  ])('%j', (text, tag, name) => {
    expect(parseHead(text)).toMatchObject({ tag, name })
  })
})
