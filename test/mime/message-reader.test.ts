import { describe, expect, test } from 'vitest'
import { MessageReader } from '../../src/mime/index.js'
import { bytes, eventsOf, lines, samples } from './samples.js'

const events = (text: string, limits = {}): string[] => eventsOf([bytes(text)], limits)
const defects = (text: string, limits = {}): string[] => {
  const reader = new MessageReader(limits)
  reader.receive(bytes(text))
  reader.end()
  while (reader.next() !== null);
  return reader.defects.map(({ code, offset }) => `${code} ${offset}`)
}

describe('events', () => {
  test('a text message', () => {
    expect(events('Subject: a\r\n\r\none\r\n')).toEqual([
      'header 0-14 "Subject: a\\r\\n\\r\\n"',
      'begin 0 in null leaf text/plain 0-14',
      'body "one\\r\\n"',
      'end 0 19',
      'message 19 []',
    ])
  })

  test('no octets at all are a message without header and body', () => {
    expect(events('')).toEqual([
      'header 0-0 ""',
      'begin 0 in null leaf text/plain 0-0',
      'end 0 0',
      'message 0 []',
    ])
  })

  test('bodies are decoded, the line end before a delimiter is not part of them', () => {
    const bodies = events(samples.alternative ?? '').filter((event) => event.startsWith('body'))
    expect(bodies).toEqual(['body "plain"', 'body "a=b c"'])
  })

  test('multiparts and messages nest, ends come innermost first', () => {
    const order = events(samples.nested ?? '').filter((event) => /^(begin|end|body)/.test(event))
    expect(order.map((event) => event.replace(/ \d+(-\d+)?$/, ''))).toEqual([
      'begin 0 in null multipart multipart/mixed',
      'begin 1 in 0 multipart multipart/mixed',
      'begin 2 in 1 leaf text/plain',
      'body "--abc\\r\\n-"',
      'end 2',
      'end 1',
      'begin 3 in 0 message message/rfc822',
      'begin 4 in 3 multipart multipart/digest',
      'begin 5 in 4 message message/rfc822',
      'begin 6 in 5 leaf text/plain',
      'body "x"',
      'end 6',
      'end 5',
      'end 4',
      'end 3',
      'begin 7 in 0 leaf text/plain',
      'body "hello"',
      'end 7',
      'end 0',
    ])
  })

  test('a boundary reused inside belongs to the inner multipart until that is closed', () => {
    const bodies = events(samples.sameBoundary ?? '').filter((event) => /^(begin|body)/.test(event))
    expect(bodies.map((event) => event.replace(/ \d+-\d+$/, ''))).toEqual([
      'begin 0 in null multipart multipart/mixed',
      'begin 1 in 0 multipart multipart/mixed',
      'begin 2 in 1 leaf text/plain',
      'body "in"',
      'begin 3 in 0 leaf text/plain',
      'body "out"',
    ])
  })

  test('a delimiter in a header block ends it', () => {
    const text = 'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nX: y\r\n--a\r\n\r\nz\r\n--a--'
    expect(events(text)).toContain('header 50-56 "X: y\\r\\n"')
    expect(events(text)).toContain('body "z"')
    expect(defects(text)).toEqual(['headerUnterminated 56'])
  })

  test.each([
    ['Subject: a\rTo: b\r\rbody', ['headerUnterminated 22', 'bareCr 10']],
    ['Subject: a\rb\r\n\tc\rd\r\n\r\nbody\r', ['bareCr 10']],
    ['Subject: a\r\r\n\r\nbody', ['bareCr 10']],
    ['X: y\nSubject: a\n b\n\nbody\r', []],
    ['Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nX: y\rz\r\n\r\nb\r\n--a--', ['bareCr 54']],
  ])('a CR that ends no line of a header block is named: %j', (text, named) => {
    expect(defects(text)).toEqual(named)
  })

  test('every event covers the raw octets of a body without gaps', () => {
    const reader = new MessageReader()
    const body = `${'QUJD'.repeat(19)}\r\n`.repeat(3_000)
    reader.receive(bytes(`Content-Transfer-Encoding: base64\r\n\r\n${body}`))
    reader.end()
    let at = 37
    let decoded = 0
    for (let event = reader.next(); event !== null; event = reader.next()) {
      if (event.type !== 'body') continue
      expect(event.offset).toBe(at)
      expect(event.endOffset - event.offset).toBeLessThanOrEqual(65_540)
      at = event.endOffset
      decoded += event.data.length
    }
    expect(at).toBe(37 + body.length)
    expect(decoded).toBe(3_000 * 57)
  })

  test('what is received after the end is not read', () => {
    const reader = new MessageReader()
    reader.receive(bytes('A: b\r\n\r\nc'))
    reader.end()
    reader.receive(bytes('d'))
    let size = 0
    for (let event = reader.next(); event !== null; event = reader.next())
      if (event.type === 'messageEnd') size = event.size
    expect(size).toBe(9)
    expect(reader.next()).toBeNull()
  })
})

describe('damage', () => {
  test('a first line that is no field begins the body', () => {
    expect(events('hello there\r\n\r\nx')).toContain('body "hello there\\r\\n\\r\\nx"')
    expect(defects('hello there\r\n\r\nx')).toEqual(['headerMissing 0'])
    expect(defects('From joe@x Fri Nov 21\r\nA: b\r\n\r\nx')).toEqual([])
  })

  test('an unusable Content-Type is text/plain, a multipart without boundary too', () => {
    expect(events('Content-Type: text\r\n\r\nx')[1]).toContain('leaf text/plain')
    expect(defects('Content-Type: text\r\n\r\nx')).toEqual(['contentTypeUnusable 0'])
    expect(events('Content-Type: multipart/mixed\r\n\r\nx')[1]).toContain('leaf text/plain')
    expect(defects('Content-Type: multipart/mixed\r\n\r\nx')).toEqual(['boundaryMissing 0'])
  })

  test.each(['""', '"  "', ';', '(comment)'])('an empty boundary is none: boundary=%s', (boundary) => {
    const text = `Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n--\r\n\r\nx\r\n----\r\n`
    expect(events(text)).toContain('body "--\\r\\n\\r\\nx\\r\\n----\\r\\n"')
    expect(defects(text)).toEqual(['boundaryMissing 0'])
  })

  test('parts without header, with an empty one, and without a body', () => {
    const part = [
      '--a\r\nno field\r\n',
      '--a\r\n\r\nx\r\n',
      '--a\r\nX: y\r\n',
      '--a\r\n\r\n',
      '--a\r\n',
    ].join('')
    const seen = events(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${part}--a--`)
    expect(seen.filter((event) => event.startsWith('begin'))).toHaveLength(6)
    expect(seen.filter((event) => event.startsWith('body'))).toEqual(['body "no field"', 'body "x"'])
    expect(seen.at(-1)).toContain(
      '[{"code":"headerMissing","offset":50},{"code":"headerUnterminated","offset":81}]',
    )
  })

  test('line ends of both kinds, and NUL, are read as they stand', () => {
    const text =
      'Subject: a\nContent-Type: multipart/mixed; boundary=a\r\n\n--a\r\n\none\0\ntwo\r\r\n--a\nX: y\r\n\n\r\n--a--\n'
    expect(events(text).filter((event) => event.startsWith('body'))).toEqual(['body "one\\u0000\\ntwo\\r"'])
    expect(defects(text)).toEqual(['lineEndsMixed 52', 'lineEndsMixed 82'])
  })

  const long = 'y'.repeat(200)
  test.each([
    ['A: b\r\nC: d\n e\n\r\nx', ['lineEndsMixed 10']],
    ['A: b\nC: d\n\r\nx', ['lineEndsMixed 10']],
    ['A: b\r\nC: d\r\n\nx', ['lineEndsMixed 12']],
    ['no field\nA: b\r\n\r\nx', ['firstLineUnusable 0', 'lineEndsMixed 13']],
    [`A: ${long}\r\nC: ${long}\n\r\nx`, ['lineEndsMixed 408']],
    [`A: ${long}\r\nC: ${long}\r\n\r\nx\ny`, []],
    ['A: b\n\nC: d\r\nx\0\n', []],
    ['A: b\0c\0\r\nD\0: e\r\n\r\nx', ['nul 4']],
    ['A: b\r\n\0: e\r\n\r\nx', ['nul 6']],
    [`A: ${long}\0\r\n\r\n\0`, ['nul 203']],
    ['A: b\r\nC: \0d\re\n\r\nx', ['bareCr 11', 'lineEndsMixed 13', 'nul 9']],
  ])('line ends of both kinds in one header block, and NUL in it, are named: %j', (text, named) => {
    expect(defects(text)).toEqual(named)
  })

  test.each([
    ['5\r\n\r\nhello', []],
    ['005 \r\n\r\nhello', []],
    ['0\r\n\r\n', []],
    ['4\r\n\r\nhello', ['contentLengthWrong 6']],
    ['6\r\n\r\nhello', ['contentLengthWrong 6']],
    ['\r\n\r\n', ['contentLengthWrong 6']],
    ['five\r\n\r\nhello', ['contentLengthWrong 6']],
    ['5\r\nContent-Length: 9\r\n\r\nhello', []],
    [
      '1\r\nContent-Type: multipart/x; boundary=a\r\n\r\n--a\r\nContent-Length: 2\r\n\r\nx',
      ['boundaryUnterminated 93', 'contentLengthWrong 6'],
    ],
    [
      '60\r\nContent-Type: message/rfc822\r\n\r\nContent-Length: 7\r\n\r\nhello, and more of it than seven octets',
      [],
    ],
  ])('Content-Length %j, which is the number of octets in the body, or not', (text, named) => {
    expect(defects(`A: b\r\nContent-Length: ${text}`)).toEqual(named)
  })

  test('a message may begin with a line that is no field when the next is one', () => {
    const read = (text: string): [header: string, defects: string[]] => [
      events(text)[0]?.replace(/^header (\d+-\d+) .*/, '$1') ?? '',
      defects(text),
    ]
    const first = ['firstLineUnusable 0']
    expect(read(' folded\r\nSubject: s\r\n\r\nx')).toEqual(['0-23', first])
    expect(read(' folded\r\n\tonce more\r\nSubject: s\r\n\r\nx')).toEqual(['0-35', first])
    expect(read('+OK 12 octets\r\nSubject: s\r\n\r\nx')).toEqual(['0-29', first])
    expect(read('--a\r\nSubject: s\r\n\r\nx')).toEqual(['0-19', first])
    expect(read(' folded\r\nSubject: s')).toEqual(['0-19', [...first, 'headerUnterminated 19']])
    const none = ['0-0', ['headerMissing 0']]
    expect(read(' indented\r\nand text\r\nNote: x\r\n\r\nx')).toEqual(none)
    expect(read('hello\r\n world\r\nand text\r\n')).toEqual(none)
    expect(read('hello\r\nFrom here\r\n')).toEqual(none)
    expect(read(' hello\r\n\r\nNote: x')).toEqual(none)
    expect(read(' hello')).toEqual(none)
    expect(read(`${' indented\r\n'.repeat(200)}`)).toEqual(none)
    expect(read(`${' indented\r\n'.repeat(200)}Note: x`)[1]).toEqual([...first, 'headerUnterminated 2207'])
    expect(defects(`${' indented\r\n'.repeat(200)}Note: x`, { headerBlock: 1_024 })).toEqual([
      'headerMissing 0',
    ])
  })

  test('a message inside may do so too, a part of a multipart may not', () => {
    const text = 'Hello\r\nNote: x\r\n\r\ny'
    expect(events(`Content-Type: message/rfc822\r\n\r\n${text}`)).toContain('body "y"')
    const part = `Content-Type: multipart/x; boundary=a\r\n\r\n--a\r\n${text}\r\n--a--`
    expect(events(part)).toContain(`body ${JSON.stringify(text)}`)
    expect(defects(part)).toEqual(['headerMissing 46'])
    const cutOff =
      'Content-Type: multipart/x; boundary=a\r\n\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nHello\r\n--a--'
    expect(events(cutOff)).toContain('body "Hello"')
  })

  test('a multipart whose header runs into its delimiter', () => {
    const type = (boundary: string): string => `Content-Type: multipart/mixed; boundary="${boundary}"\r\n`
    const part = 'Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nb2s=\r\n'
    const simple = `${type('b')}--b\r\n${part}--b--\r\n`
    expect(events(simple).filter((event) => /^(begin|body)/.test(event))).toEqual([
      'begin 0 in null multipart multipart/mixed 0-45',
      'begin 1 in 0 leaf text/html 50-112',
      'body "ok"',
    ])
    expect(defects(simple)).toEqual(['headerUnterminated 45'])
    const nested = `${type('b')}--b  \r\n${type('bc')}X: y\r\n--bc\r\n${part}--bc--\r\n--b\r\n\r\nlast\r\n--b--\r\n`
    expect(events(nested).filter((event) => /^(begin|body)/.test(event))).toEqual([
      'begin 0 in null multipart multipart/mixed 0-45',
      'begin 1 in 0 multipart multipart/mixed 52-104',
      'begin 2 in 1 leaf text/html 110-172',
      'body "ok"',
      'begin 3 in 0 leaf text/plain 191-193',
      'body "last"',
    ])
    expect(defects(nested)).toEqual(['headerUnterminated 45', 'headerUnterminated 104'])
    // closed at once, cut off, and a message inside
    expect(defects(`${type('b')}--b--\r\n`)).toEqual(['headerUnterminated 45'])
    expect(defects(`${type('b')}--b`)).toEqual(['headerUnterminated 45', 'boundaryUnterminated 48'])
    expect(events(`Content-Type: message/rfc822\r\n\r\n${simple}`)).toContain('body "ok"')
    // a line that begins alike is none, nor is one that stands before the type
    expect(defects(`${type('b')}--bc\r\n\r\n--b--`)).toEqual([])
    expect(defects(`A: b\r\n--b\r\n${type('b')}\r\n--b--`)).toEqual([])
    expect(defects(`Content-Type: text/plain; boundary=b\r\n--b\r\n\r\n`)).toEqual([])
  })

  test('a boundary in RFC 2231 sections', () => {
    const text = 'Content-Type: multipart/mixed; boundary*1=b; boundary*0=a\r\n\r\n--ab\r\n\r\nx\r\n--ab--'
    expect(events(text)).toContain('body "x"')
  })

  test('encodings of containers and unknown encodings', () => {
    const multipart = lines(
      'Content-Type: multipart/x; boundary=a',
      'Content-Transfer-Encoding: base64',
      '',
      '--a',
      '',
      'x',
      '--a--',
    )
    expect(events(multipart)).toContain('body "x"')
    expect(defects(multipart)).toEqual(['encodingOfContainer 0'])
    const message = lines('Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '', 'QTogYg==')
    expect(events(message)).toContain('body "A: b"')
    expect(events('Content-Transfer-Encoding: x-odd\r\n\r\nx')).toContain('body "x"')
    expect(defects('Content-Transfer-Encoding: x-odd\r\n\r\nx')).toEqual(['encodingUnknown 0'])
  })

  test('a body that is not what its encoding says', () => {
    expect(defects('Content-Transfer-Encoding: base64\r\n\r\nno base64 at all!')).toEqual([
      'encodingDamaged 37',
    ])
    const parts = [
      'base64\r\n\r\nQUJD',
      'quoted-printable\r\n\r\n=zz',
      'x-yenc\r\n\r\n',
      'x-uuencode\r\n\r\nx',
    ]
      .map((part) => `\r\n--a\r\nContent-Transfer-Encoding: ${part}`)
      .join('')
    expect(defects(`Content-Type: multipart/mixed; boundary=a\r\n${parts}\r\n--a\r\n?`)).toEqual([
      'encodingDamaged 145',
      'encodingDamaged 240',
      'headerMissing 248',
      'boundaryUnterminated 249',
    ])
  })

  test('a multipart that is never closed', () => {
    expect(defects('Content-Type: multipart/x; boundary=a\r\n\r\n--a\r\n\r\nb')).toEqual([
      'boundaryUnterminated 49',
    ])
  })

  test('a line is a delimiter only when nothing but white space follows', () => {
    const text =
      'Content-Type: multipart/x; boundary=a\r\n\r\n--a\r\n\r\n--ab\r\n--a b\r\n --a\r\nx--a\r\n--a \t\r\n\r\ny\r\n--a--'
    const bodies = events(text).filter((event) => event.startsWith('body'))
    expect(bodies).toEqual(['body "--ab\\r\\n--a b\\r\\n --a\\r\\nx--a"', 'body "y"'])
  })
})

describe('limits', () => {
  test('a header block over the limit ends at the last line that fits, and its part is a raw leaf', () => {
    const text = `Content-Type: multipart/x; boundary=a\r\n${'X: y\r\n'.repeat(300)}\r\n--a\r\n\r\nb\r\n--a--`
    const seen = events(text, { headerBlock: 1_024 })
    expect(seen[0]).toContain('header 0-1023 ')
    expect(seen[1]).toContain('leaf multipart/x 0-1023')
    expect(defects(text, { headerBlock: 1_024 })).toEqual(['headerTooLong 0'])
  })

  test('fields over the limit are not looked at', () => {
    const text = `${'X: y\r\n'.repeat(5)}Content-Type: text/html\r\n\r\nb`
    expect(events(text, { headerFields: 5 })[1]).toContain('text/plain')
    expect(events(text, { headerFields: 6 })[1]).toContain('text/html')
    expect(defects(text, { headerFields: 5 })).toEqual(['tooManyFields 0'])
  })

  test('a container too deep is a leaf', () => {
    const seen = events(samples.nested ?? '', { depth: 1 }).filter((event) => event.startsWith('begin'))
    expect(seen.map((event) => event.split(' ').slice(3, 6).join(' '))).toEqual([
      'null multipart multipart/mixed',
      '0 leaf multipart/mixed',
      '0 leaf message/rfc822',
      '0 leaf text/plain',
    ])
    expect(defects(samples.nested ?? '', { depth: 1 }).map((d) => d.split(' ')[0])).toEqual([
      'tooDeep',
      'tooDeep',
    ])
  })

  test('after the last part allowed the rest is one raw leaf', () => {
    const text = `Content-Type: multipart/x; boundary=a\r\n\r\n${'--a\r\n\r\nb\r\n'.repeat(5)}--a--\r\n`
    const seen = events(text, { parts: 3 })
    expect(seen.filter((event) => event.startsWith('begin'))).toHaveLength(4)
    expect(seen.at(-4)).toBe(`body ${JSON.stringify(`\r\nb\r\n${'--a\r\n\r\nb\r\n'.repeat(2)}--a--\r\n`)}`)
    expect(defects(text, { parts: 3 })[0]).toBe('tooManyParts 66')
  })

  test('parameters over the limit are not looked at', () => {
    const text = 'Content-Type: multipart/x; a=1; b=2; boundary=a\r\n\r\n--a\r\n\r\nx'
    expect(defects(text, { parameters: 2 })).toEqual(['tooManyParameters 0', 'boundaryMissing 0'])
    expect(defects(text, { parameters: 3 })).toEqual(['boundaryUnterminated 59'])
  })

  test('a boundary over 998 octets is none, white space over 256 octets after a delimiter makes it none', () => {
    const withBoundary = (size: number): string =>
      `Content-Type: multipart/x; boundary=${'a'.repeat(size)}\r\n\r\n--${'a'.repeat(size)}\r\n\r\nx\r\n--${'a'.repeat(size)}--`
    expect(defects(withBoundary(998))).toEqual([])
    expect(defects(withBoundary(999))).toEqual(['boundaryMissing 0'])
    const padded = (size: number): string =>
      `Content-Type: multipart/x; boundary=a\r\n\r\n--a${' '.repeat(size)}\r\n\r\nx\r\n--a--`
    expect(events(padded(256))).toContain('body "x"')
    expect(events(padded(300))).not.toContain('body "x"')
  })

  test('no more than 1,000 defects are kept', () => {
    const part = '--a\r\nno field\r\n'
    expect(defects(`Content-Type: multipart/x; boundary=a\r\n\r\n${part.repeat(1_500)}--a--`)).toHaveLength(
      1_000,
    )
  })

  test('a limit out of range is refused', () => {
    expect(() => new MessageReader({ depth: -1 })).toThrow(expect.objectContaining({ code: 'LIMIT' }))
  })

  test('10,000 nested messages and 10,000 nested multiparts', () => {
    const messages = 'Content-Type: message/rfc822\r\n\r\n'.repeat(10_000)
    expect(defects(messages).map((d) => d.split(' ')[0])).toEqual(['tooDeep'])
    let nested = ''
    for (let i = 0; i < 10_000; i++) nested += `Content-Type: multipart/x; boundary=b${i}\r\n\r\n--b${i}\r\n`
    expect(events(nested).filter((event) => event.startsWith('begin'))).toHaveLength(101)
  })
})
