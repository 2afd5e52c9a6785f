import { describe, expect, it } from 'vitest'
import type { SmtpServerOptions } from '../../src/smtp/index.js'
import { SmtpServerEngine } from '../../src/smtp/index.js'
import { growth } from '../support/growth.js'

const NEVER = Number.POSITIVE_INFINITY
const limits = { junkCommands: NEVER, errors: NEVER, messages: NEVER, recipients: NEVER, headerFields: NEVER }
const ENVELOPE = 'EHLO c.test\r\nMAIL FROM:<a@c.test>\r\nRCPT TO:<b@example.test>\r\n'
const DATA = `${ENVELOPE}DATA\r\n`

type Flood = readonly [string, number, (n: number) => string, Partial<SmtpServerOptions>]

/** What a client sends in one chunk, n times what it repeats. */
const floods: readonly Flood[] = [
  ['NOOP', 20_000, (n) => 'NOOP\r\n'.repeat(n), {}],
  ['unknown verbs', 20_000, (n) => 'FOO bar\r\n'.repeat(n), {}],
  ['MAIL and RSET', 10_000, (n) => `EHLO c.test\r\n${'MAIL FROM:<a@c.test>\r\nRSET\r\n'.repeat(n)}`, {}],
  ['recipients', 10_000, (n) => `${ENVELOPE}${'RCPT TO:<b@example.test>\r\n'.repeat(n)}`, {}],
  ['chunks of an octet', 10_000, (n) => `${ENVELOPE}${'BDAT 1\r\nx'.repeat(n)}`, {}],
  ['lines of two dots', 100_000, (n) => `${DATA}${'..\r\n'.repeat(n)}.\r\n`, {}],
  ['header fields', 50_000, (n) => `${DATA}${'a: b\r\n'.repeat(n)}\r\n.\r\n`, {}],
  ['bare line feeds, refused', 200_000, (n) => `${DATA}${'a\n'.repeat(n)}\r\n.\r\n`, {}],
  ['bare line feeds', 50_000, (n) => `${DATA}${'a\n'.repeat(n)}\r\n.\r\n`, { bareLineEnds: 'normalize' }],
  [
    'bare carriage returns',
    50_000,
    (n) => `${DATA}${'a\r'.repeat(n)}\r\n.\r\n`,
    { bareLineEnds: 'normalize' },
  ],
]

/** Feeds the engine one chunk, and says yes to all it asks. */
function run(text: Buffer, options: Partial<SmtpServerOptions> = {}): number {
  const engine = new SmtpServerEngine({
    hostname: 'mx.example.test',
    maxMessageSize: NEVER,
    limits,
    ...options,
  })
  let events = 0
  let fed = false
  for (;;) {
    const event = engine.next()
    if (event !== null) events++
    engine.takeOutput()
    if (engine.need === 'answer') engine.accept()
    else if (event === null) {
      if (fed) return events
      fed = true
      engine.receive(text)
    }
  }
}

describe('the server engine takes time in proportion to', () => {
  it.each<Flood>(floods)('%s', (_name, n, text, options) => {
    const ratio = growth(n, (size) => {
      const octets = Buffer.from(text(size))
      return () => void run(octets, options)
    })
    expect(ratio).toBeLessThan(6)
  })

  it('the chunks of a message whose line ends are mended, not its lines', () => {
    const text = Buffer.from(`${DATA}${'a\n'.repeat(5000)}\r\n.\r\n`)
    expect(run(text, { bareLineEnds: 'normalize' })).toBeLessThan(20)
  })
})
