import type { MessageFacts, PartFacts } from '../../src/interfaces/message-facts.js'
import { FactsReader, MessageReader } from '../../src/mime/index.js'
import type { MimeLimits } from '../../src/mime/limits.js'

export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
export const lines = (...all: string[]): string => all.map((line) => `${line}\r\n`).join('')

/** Small messages with every kind of part, delimiter and damage. */
export const samples: Readonly<Record<string, string>> = {
  empty: '',
  text: lines('Subject: a', 'To: b@c', '', 'one', 'two'),
  headerOnly: 'Subject: a\r\nTo: b',
  noHeader: lines('hello there', '', 'more'),
  alternative: lines(
    'Content-Type: multipart/alternative; boundary=ab',
    '',
    'preamble',
    '--ab',
    '',
    'plain',
    '--ab',
    'Content-Type: text/html',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'a=3Db =',
    'c  ',
    '--ab--',
    'epilogue',
  ),
  bareLf:
    'Content-Type: multipart/mixed; boundary=q\n\n--q\n\na\n--q\nContent-Type: text/html\n\n\nb\n\n--q--\n',
  nested: lines(
    'Content-Type: multipart/mixed; boundary="a"',
    '',
    '--a',
    'Content-Type: multipart/mixed; boundary="ab"',
    '',
    '--ab',
    'X: 1',
    '',
    '--abc',
    '-',
    '--ab--',
    '--a',
    'Content-Type: message/rfc822',
    '',
    'Subject: in',
    'Content-Type: multipart/digest; boundary=d',
    '',
    '--d',
    '',
    'Subject: digested',
    '',
    'x',
    '--d--',
    '',
    '--a  ',
    'Content-Transfer-Encoding: base64',
    '',
    'aGVs',
    'bG8=',
    '--a--',
  ),
  unterminated:
    'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nX: y\r\n\r\nbody\r\n--a\r\n\r\n-\r\n-',
  immediate: '--a\r\nContent-Type: multipart/x; boundary=a\r\n\r\n--a\r\n--a\r\nX: y\r\n--a--',
  runsIntoDelimiter: lines(
    'Content-Type: multipart/mixed; boundary=a',
    '--a',
    'Content-Type: multipart/mixed; boundary="b:c"',
    '--b',
    '--b:c',
    '',
    '--a',
    'Content-Type: multipart/digest; boundary=b',
    '--b',
    ' left over',
    'Subject: in',
    '--b',
    '',
    ' left over',
    '\tas well',
    'Subject: in',
    '',
    '--b--',
    '--a--',
  ),
  leftOver: ' left over\r\nSubject: a\nContent-Length: 4\r\n\r\n\0body',
  indented: lines(' indented', ' twice', 'and text', 'Note: x'),
  sameBoundary: lines(
    'Content-Type: multipart/mixed; boundary=a',
    '',
    '--a',
    'Content-Type: multipart/mixed; boundary=a',
    '',
    '--a',
    '',
    'in',
    '--a--',
    '--a',
    '',
    'out',
    '--a--',
  ),
}

/** Whole numbers from 0 to `below` - 1, the same for the same seed. */
export function randomly(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    // the low bits of such a sequence repeat soon
    return Math.floor((state / 0x80000000) * below)
  }
}

const fields = [
  'Subject: =?utf-8?q?caf=C3=A9?=\r\n =?utf-8?b?4pyT?=',
  'To: a@b.test, "c, d" <e@f.test>,\r\n\tG: h@i.test;',
  "Content-Disposition: attachment; filename*1=b; filename*0*=utf-8''%C3%A9",
  `X-Long: ${'word '.repeat(30)}`,
  'X-Raw: \xe9\xc3\xa9\0',
  'no field',
  'X: a\rb',
]
const leaves = [
  'text/plain; charset=utf-8',
  'text/html',
  'image/png; name="a b"',
  'message/delivery-status',
  'odd',
]
const encodings = ['7bit', 'base64', 'quoted-printable', 'x-uuencode', 'x-yenc', 'x-odd']
const bodies = [
  ...['text\r\n', '=C3=A9 =\r\n', 'QUJD', '=41', '--', '-', '\r', '\n', '\r\n', ' \t', '.'],
  ...['--b1\r\n', '\n--b1x', 'begin 644 x\n#0V%T\n'],
]

/** A message of parts, fields, encodings and damage at random, of about `size` octets. */
function generate(size: number, seed: number): string {
  const random = randomly(seed)
  const pick = (from: readonly string[]): string => from[random(from.length)] as string
  const once = (times: number, text: string): string => (random(times) === 0 ? text : '')
  const lineEnd = (): string => pick(['\r\n', '\r\n', '\r\n', '\n'])
  const header = (type: string): string => {
    let text = ''
    for (let i = random(4); i > 0; i--) text += pick(fields) + lineEnd()
    return `${text}Content-Type: ${type}${lineEnd()}`
  }
  const multipart = (boundary: string): string =>
    `${header(`multipart/${pick(['mixed', 'digest', 'signed'])}; boundary=${boundary}`)}${lineEnd()}`
  const open = ['b']
  let text = `Subject: ${seed}\r\n${multipart('b')}`
  while (text.length < size) {
    text += `${lineEnd()}--${open.at(-1)}${once(20, 'x')}${once(8, ' \t')}${lineEnd()}`
    const kind = random(10)
    if (kind < 2 && open.length < 6) {
      open.push(`b${pick(['', '1', '12', String(open.length)])}`)
      text += multipart(open.at(-1) as string)
    } else if (kind === 2)
      text += `${header('message/rfc822')}${lineEnd()}${header(pick(leaves))}${lineEnd()}`
    else if (kind === 3) text += pick(bodies)
    else {
      text += header(pick(leaves))
      if (random(2) === 0) text += `Content-Transfer-Encoding: ${pick(encodings)}${lineEnd()}`
      text += random(12) === 0 ? '' : lineEnd()
      for (let i = random(40); i > 0; i--) text += pick(bodies)
    }
    // the last one may be left open
    if (open.length > 1 && random(4) === 0) text += `${lineEnd()}--${open.pop()}${once(8, 'x')}--`
  }
  return text
}

/** The messages that `generate` makes of as many seeds, each with its name. */
export function generated(size: number, count: number): [name: string, text: string][] {
  return Array.from({ length: count }, (_, i) => [`generated from ${i}`, generate(size, 7_919 * (i + 1))])
}

/** Feeds the chunks and gives every event as text, pieces of one body joined. */
export function eventsOf(chunks: readonly Uint8Array[], limits: Partial<MimeLimits> = {}): string[] {
  const reader = new MessageReader(limits)
  const seen: string[] = []
  let body = ''
  const pull = (): void => {
    for (let event = reader.next(); event !== null; event = reader.next()) {
      if (event.type === 'body') {
        body += Buffer.from(event.data).toString('latin1')
        continue
      }
      if (body !== '') seen.push(`body ${JSON.stringify(body)}`)
      body = ''
      if (event.type === 'header') {
        seen.push(
          `header ${event.offset}-${event.endOffset} ${JSON.stringify(Buffer.from(event.block).toString('latin1'))}`,
        )
      } else if (event.type === 'partBegin') {
        const { index, parent, kind, contentType, headerOffset, bodyOffset } = event.part
        const type = `${contentType.type}/${contentType.subtype}`
        seen.push(`begin ${index} in ${parent} ${kind} ${type} ${headerOffset}-${bodyOffset}`)
      } else if (event.type === 'partEnd') seen.push(`end ${event.part.index} ${event.endOffset}`)
      else seen.push(`message ${event.size} ${JSON.stringify(event.defects)}`)
    }
  }
  for (const chunk of chunks) {
    reader.receive(chunk)
    pull()
  }
  reader.end()
  pull()
  return seen
}

export function factsIn(chunks: readonly Uint8Array[], limits: Partial<MimeLimits> = {}): MessageFacts {
  const reader = new FactsReader(limits)
  for (const chunk of chunks) reader.write(chunk)
  return reader.end()
}

/** Everything both readers tell, as one text: compared much faster than what it says of. */
export function told(chunks: readonly Uint8Array[], limits: Partial<MimeLimits> = {}): string {
  return `${eventsOf(chunks, limits).join('\n')}\n${JSON.stringify(factsIn(chunks, limits))}`
}

/** The message cut at those places; each chunk in memory of its own. */
export function cut(message: Buffer, places: readonly number[]): Buffer[] {
  const ordered = [0, ...[...places].sort((a, b) => a - b), message.length]
  const chunks: Buffer[] = []
  for (let i = 1; i < ordered.length; i++) {
    chunks.push(Buffer.from(message.subarray(ordered[i - 1], ordered[i])))
  }
  return chunks
}

/** Every part with its path in IMAP's sense of nesting, for comparisons. */
export function outline(facts: MessageFacts): string[] {
  const out: string[] = []
  const open: [string, PartFacts][] = [['', facts.root]]
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const [path, part] = entry
    const { type, subtype, headerOffset, bodyOffset, endOffset } = part
    out.push(`${path || '/'} ${type}/${subtype} ${headerOffset} ${bodyOffset} ${endOffset} ${part.lines}`)
    if (part.message !== null) open.push([`${path}/m`, part.message.root])
    for (let i = part.parts.length - 1; i >= 0; i--)
      open.push([`${path}/${i + 1}`, part.parts[i] as PartFacts])
  }
  return out
}

/** Throws where the tree is not well formed: offsets nested and in order, lines counted right. */
export function checkTree(facts: MessageFacts, message: Buffer): void {
  const fail = (what: string, part: PartFacts): never => {
    throw new Error(`${what}: ${JSON.stringify(part)}`)
  }
  if (
    facts.size !== message.length ||
    facts.root.headerOffset !== 0 ||
    facts.root.endOffset !== message.length
  ) {
    throw new Error('the root is not the whole message')
  }
  const open: PartFacts[] = [facts.root]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part.headerOffset > part.bodyOffset || part.bodyOffset > part.endOffset) fail('offsets', part)
    let count = 0
    for (let i = part.bodyOffset; i < part.endOffset; i++) if (message[i] === 10) count++
    if (count !== part.lines) fail('lines', part)
    const isMessage = part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global')
    if (isMessage !== (part.message !== null)) fail('message', part)
    let from = part.bodyOffset
    for (const child of part.message === null ? part.parts : [part.message.root]) {
      if (child.headerOffset < from || child.endOffset > part.endOffset) fail('nesting', child)
      from = child.endOffset
      open.push(child)
    }
  }
}
