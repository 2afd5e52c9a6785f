import { DotReader, toLatin1 } from '../src/core/index.js'
import { SmtpServerEngine } from '../src/smtp/index.js'

/**
 * The SMTP server engine alone, in process: the body of a message against a bare scan for CRLF-dot of the same octets,
 * with every check on, and a command against the search for its line's end and the slice of it as a string.
 */
const CHUNK = 65_536

function fastest(run: () => void, rounds = 25): number {
  for (let i = 0; i < 5; i++) run()
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint()
    run()
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  return best
}

function chunksOf(text: string): Buffer[] {
  const octets = Buffer.from(text, 'latin1')
  const chunks: Buffer[] = []
  for (let at = 0; at < octets.length; at += CHUNK) chunks.push(octets.subarray(at, at + CHUNK))
  return chunks
}

function lines(width: (line: number) => number, octets: number): string {
  const all: string[] = []
  for (let size = 0, line = 0; size < octets; line++) {
    const text = 'Wm9vb206IGEgbGluZSBvZiBhIG1lc3NhZ2UsIGFib3V0IG5vdGhpbmcgYXQgYWxsIHJlYWxseQ'.repeat(14)
    all.push(text.slice(0, width(line)))
    size += width(line) + 2
  }
  return `${all.join('\r\n')}\r\n`
}

const header = 'From: <alice@example.test>\r\nTo: <bob@example.test>\r\nSubject: x\r\n\r\n'
const bodies: Readonly<Record<string, string>> = {
  'base64, 76 a line': lines(() => 76, 8_000_000),
  'text, 0 to 90 a line': lines((line) => (line * 37) % 91, 8_000_000),
  'lines of 998': lines(() => 998, 8_000_000),
  'lines of 2': lines(() => 2, 1_000_000),
  'dots (1 MiB of "..")': '..\r\n'.repeat(262_144),
}

function begin(): SmtpServerEngine {
  const engine = new SmtpServerEngine({ hostname: 'mx.example.test', maxMessageSize: 1_000_000_000 })
  answer(engine)
  engine.receive(
    Buffer.from('EHLO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n', 'latin1'),
  )
  answer(engine)
  engine.takeOutput()
  return engine
}

function answer(engine: SmtpServerEngine): number {
  let octets = 0
  for (let event = engine.next(); event !== null; event = engine.next()) {
    if (event.type === 'body') octets += event.chunk.length
    else if (engine.need === 'answer') engine.accept()
  }
  return octets
}

console.log(`Node ${process.version}; GB a second, and the engine as a share of the scan`)
for (const [name, body] of Object.entries(bodies)) {
  const message = chunksOf(`${header}${body}.\r\n`)
  const octets = message.reduce((sum, chunk) => sum + chunk.length, 0)
  const scan = fastest(() => {
    for (const chunk of message) {
      for (let at = chunk.indexOf('\r\n.'); at !== -1; at = chunk.indexOf('\r\n.', at + 3));
    }
  })
  const reader = fastest(() => {
    const dots = new DotReader()
    for (const chunk of message) dots.read(chunk)
  })
  let engine = begin()
  const data = fastest(() => {
    for (const chunk of message) {
      engine.receive(chunk)
      answer(engine)
    }
    engine = begin()
  })
  const rate = (time: number): string => (octets / time).toFixed(2).padStart(6)
  console.log(
    `${name.padEnd(22)} scan ${rate(scan)}  DotReader ${rate(reader)}  engine ${rate(data)}  ratio ${(scan / data).toFixed(2)}`,
  )
}

console.log('nanoseconds a command, and how many times its scan and slice')
const commands: Readonly<Record<string, { readonly line: string; readonly reset: string }>> = {
  NOOP: { line: 'NOOP\r\n', reset: '' },
  MAIL: { line: 'MAIL FROM:<alice@sender.example> SIZE=10240 BODY=8BITMIME\r\n', reset: 'RSET\r\n' },
  RCPT: { line: 'RCPT TO:<somebody@recipient.example>\r\n', reset: '' },
}
for (const [name, { line, reset }] of Object.entries(commands)) {
  const count = 5000
  const group = Buffer.from((line + reset).repeat(count), 'latin1')
  const resets = Buffer.from((reset === '' ? 'NOOP\r\n' : reset).repeat(count), 'latin1')
  const limits = {
    junkCommands: Number.POSITIVE_INFINITY,
    messages: Number.POSITIVE_INFINITY,
    recipients: Number.POSITIVE_INFINITY,
  }
  const run = (octets: Buffer) => {
    const engine = new SmtpServerEngine({ hostname: 'mx.example.test', limits })
    answer(engine)
    engine.receive(Buffer.from('EHLO c.test\r\n', 'latin1'))
    if (name === 'RCPT') engine.receive(Buffer.from('MAIL FROM:<>\r\n', 'latin1'))
    answer(engine)
    return fastestOnce(engine, octets)
  }
  const fastestOnce = (engine: SmtpServerEngine, octets: Buffer): number => {
    const start = process.hrtime.bigint()
    engine.receive(octets)
    answer(engine)
    engine.takeOutput()
    return Number(process.hrtime.bigint() - start)
  }
  const times = (octets: Buffer): number => {
    let best = Number.POSITIVE_INFINITY
    for (let i = 0; i < 40; i++) best = Math.min(best, run(octets))
    return best / count
  }
  const own = reset === '' ? times(group) : times(group) - times(resets)
  let sum = 0
  const base =
    fastest(() => {
      for (let i = 0, at = 0; i < count; i++) {
        const end = group.indexOf(10, at)
        sum += toLatin1(group, at, end).length
        at = end + 1
      }
    }) / count
  if (sum < 0) throw new Error('nothing was scanned')
  console.log(
    `${name.padEnd(6)} engine ${own.toFixed(0).padStart(5)}  scan and slice ${base.toFixed(0).padStart(5)}  times ${(own / base).toFixed(1)}`,
  )
}
