import { toLatin1 } from '../../src/core/index.js'
import { SmtpServerEngine } from '../../src/smtp/index.js'

/** What the engine alone takes, and what the same octets take that are no more than looked through. */
export interface EngineFigure {
  readonly name: string
  readonly engine: number
  readonly base: number
}

/** Bodies in GB a second, beside a bare scan for CRLF-dot; commands in nanoseconds, beside scan and slice of their line. */
export interface EngineFigures {
  readonly bodies: readonly EngineFigure[]
  readonly commands: readonly EngineFigure[]
}

const CHUNK = 65_536

const ROUNDS = 40

function timeOf(run: () => void): number {
  const start = process.hrtime.bigint()
  run()
  return Number(process.hrtime.bigint() - start)
}

/** Nanoseconds of the fastest round of each; they take turns, since the machine may have other work. */
function fastest<Name extends string>(runs: Readonly<Record<Name, () => number>>): Record<Name, number> {
  const names = Object.keys(runs) as Name[]
  const best = Object.fromEntries(names.map((name) => [name, Number.POSITIVE_INFINITY])) as Record<
    Name,
    number
  >
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) best[name] = Math.min(best[name], runs[name]())
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
/** Made when they are wanted, since every role has this module. */
const bodies: Readonly<Record<string, () => string>> = {
  'base64, 76 a line': () => lines(() => 76, 8_000_000),
  'text, 0 to 90 a line': () => lines((line) => (line * 37) % 91, 8_000_000),
  'lines of 998': () => lines(() => 998, 8_000_000),
  'lines of 2': () => lines(() => 2, 1_000_000),
  'dots (1 MiB of "..")': () => '..\r\n'.repeat(262_144),
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

/** The body of a message, with every check on, against a scan for CRLF-dot of the same octets. */
function measureBody(name: string, body: string): EngineFigure {
  const message = chunksOf(`${header}${body}.\r\n`)
  const octets = message.reduce((sum, chunk) => sum + chunk.length, 0)
  const { scan, data } = fastest({
    scan: () =>
      timeOf(() => {
        for (const chunk of message) {
          for (let at = chunk.indexOf('\r\n.'); at !== -1; at = chunk.indexOf('\r\n.', at + 3));
        }
      }),
    data: () => {
      const engine = begin()
      return timeOf(() => {
        for (const chunk of message) {
          engine.receive(chunk)
          answer(engine)
        }
      })
    },
  })
  return { name, engine: octets / data, base: octets / scan }
}

interface Written {
  readonly name: string
  readonly line: string
  /** What makes it possible once more; what that takes is not counted. */
  readonly reset: string
}

const commands: readonly Written[] = [
  { name: 'NOOP', line: 'NOOP\r\n', reset: '' },
  {
    name: 'MAIL',
    line: 'MAIL FROM:<alice@sender.example> SIZE=10240 BODY=8BITMIME\r\n',
    reset: 'RSET\r\n',
  },
  { name: 'RCPT', line: 'RCPT TO:<somebody@recipient.example>\r\n', reset: '' },
]

const COUNT = 5000
const limits = {
  junkCommands: Number.POSITIVE_INFINITY,
  messages: Number.POSITIVE_INFINITY,
  recipients: Number.POSITIVE_INFINITY,
}

/** A command against the search for its line's end and the slice of it as a string. */
function measureCommand({ name, line, reset }: Written): EngineFigure {
  const group = Buffer.from((line + reset).repeat(COUNT), 'latin1')
  const run = (octets: Buffer): number => {
    const engine = new SmtpServerEngine({ hostname: 'mx.example.test', limits })
    answer(engine)
    engine.receive(Buffer.from('EHLO c.test\r\n', 'latin1'))
    if (name === 'RCPT') engine.receive(Buffer.from('MAIL FROM:<>\r\n', 'latin1'))
    answer(engine)
    return timeOf(() => {
      engine.receive(octets)
      answer(engine)
      engine.takeOutput()
    })
  }
  const resets = Buffer.from(reset.repeat(COUNT), 'latin1')
  let sum = 0
  const times = fastest({
    commands: () => run(group),
    resets: () => (reset === '' ? 0 : run(resets)),
    scan: () =>
      timeOf(() => {
        for (let i = 0, at = 0; i < COUNT; i++) {
          const end = group.indexOf(10, at)
          sum += toLatin1(group, at, end).length
          at = end + 1
        }
      }),
  })
  if (sum < 0) throw new Error('nothing was scanned')
  return { name, engine: (times.commands - times.resets) / COUNT, base: times.scan / COUNT }
}

/** The SMTP server engine alone, in this process, which should have done nothing else. */
export function measureEngine(): EngineFigures {
  return {
    bodies: Object.entries(bodies).map(([name, body]) => measureBody(name, body())),
    commands: commands.map(measureCommand),
  }
}
