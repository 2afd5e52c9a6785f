import { describe, expect, it } from 'vitest'
import type { WireEntry } from '../../src/core/index.js'
import { WireLog } from '../../src/core/index.js'
import { reply } from '../../src/interfaces/index.js'
import { SmtpServerEngine } from '../../src/smtp/index.js'
import { Talk } from './talk.js'

const EHLO = 'EHLO c.test\r\n'
const closed = (talk: Talk) => talk.events.at(-1)

describe('SmtpServerEngine', () => {
  it('refuses options that cannot work', () => {
    const make = (options: object) => () => new SmtpServerEngine({ hostname: 'mx.test', ...options })
    expect(make({ hostname: 'no host' })).toThrowError(/hostname/)
    expect(make({ hostname: 'a\r\nb' })).toThrowError(/hostname/)
    expect(make({ mechanisms: ['NONSENSE'] })).toThrowError(/NONSENSE/)
    expect(make({ maxMessageSize: 0.5 })).toThrowError(/maxMessageSize/)
    expect(make({ limits: { recipients: 99 } })).toThrowError(/recipients/)
    expect(make({ requireTls: true })).toThrowError(/requireTls/)
    expect(make({ greetingDelayMs: -1 })).toThrowError(/greetingDelayMs/)
    expect(make({ greeting: 'x\r\ny' })).toThrowError(/greeting/)
  })

  it('answers a client that speaks before the greeting with 554 and closes', () => {
    const engine = new SmtpServerEngine({ hostname: 'mx.test' })
    engine.receive(Buffer.from(EHLO))
    expect(engine.next()).toEqual({ type: 'closed', reason: 'protocol' })
    expect(Buffer.concat(engine.takeOutput()).toString()).toMatch(/^554 5\.5\.0 /)
    expect(engine.need).toBe('closed')
  })

  it('notices a client that speaks while the host decides on the connection', () => {
    const engine = new SmtpServerEngine({ hostname: 'mx.test' })
    expect(engine.next()).toEqual({ type: 'connect' })
    engine.receive(Buffer.from(EHLO))
    engine.accept()
    expect(Buffer.concat(engine.takeOutput()).toString()).toMatch(/^554 /)
  })

  it('lets the host refuse a connection', () => {
    const engine = new SmtpServerEngine({ hostname: 'mx.test' })
    engine.next()
    engine.reply(reply(554, '5.7.1', 'Go away'))
    expect(Buffer.concat(engine.takeOutput()).toString()).toBe('554 5.7.1 Go away\r\n')
    expect(engine.next()).toEqual({ type: 'closed', reason: 'refused' })
  })

  it('says 421 for shutdown in every state, and gives a pending answer first', () => {
    const idle = new Talk()
    idle.engine.shutdown('shutdown')
    expect(idle.run()).toBe('421 4.3.2 Service is shutting down\r\n')
    expect(closed(idle)).toEqual({ type: 'closed', reason: 'shutdown' })

    const inMessage = new Talk().begin()
    inMessage.send('half a mess')
    inMessage.engine.shutdown('shutdown')
    expect(inMessage.run()).toMatch(/^421 4\.3\.2 /)
    expect(inMessage.events.slice(-2)).toEqual([
      { type: 'reset', reason: 'shutdown', refusal: null },
      { type: 'closed', reason: 'shutdown' },
    ])

    const committing = new Talk().begin()
    committing.onAsk = () => false
    committing.send('x\r\n.\r\nNOOP\r\n')
    committing.engine.shutdown('shutdown')
    expect(committing.run()).toBe('')
    committing.engine.accept()
    expect(committing.run()).toBe('250 2.0.0 Message accepted\r\n421 4.3.2 Service is shutting down\r\n')
    expect(committing.events.some((event) => event.type === 'reset')).toBe(false)

    const beforeData = new Talk()
    beforeData.onAsk = (event) => {
      if (event.type === 'data') return false
      beforeData.engine.accept()
      return true
    }
    beforeData.begin()
    beforeData.engine.shutdown('shutdown')
    beforeData.engine.accept()
    expect(beforeData.run()).toMatch(/^421 4\.3\.2 /)

    const upgrading = new Talk({ startTls: true })
    upgrading.send(`${EHLO}STARTTLS\r\n`)
    upgrading.engine.shutdown('shutdown')
    expect(upgrading.run()).toBe('')
    upgrading.engine.upgraded('tls', null)
    expect(upgrading.run()).toMatch(/^421 /)
  })

  it('says 421 instead of the greeting over the connection limit', () => {
    const engine = new SmtpServerEngine({ hostname: 'mx.test' })
    engine.shutdown('tooManyConnections')
    expect(engine.next()).toEqual({ type: 'closed', reason: 'shutdown' })
    expect(Buffer.concat(engine.takeOutput()).toString()).toBe('421 4.7.0 Too many connections\r\n')
  })

  it('ends at once when the host has failed, since no answer will come', () => {
    const talk = new Talk()
    talk.onAsk = () => false
    talk.send(EHLO)
    talk.engine.shutdown('internalError')
    expect(talk.run()).toMatch(/^421 4\.3\.0 /)
    expect(talk.engine.need).toBe('closed')
  })

  it('takes an answer that comes after the end as void, and throws for one that nobody asked for', () => {
    const talk = new Talk()
    expect(() => talk.engine.accept()).toThrowError(/no question/)
    talk.onAsk = () => false
    talk.send(EHLO)
    expect(() => talk.engine.reply(reply(250, '2.0.0', 'a\r\n250 b'))).toThrowError(/control/)
    expect(() => talk.engine.reply(reply(250, '5.0.0', 'a'))).toThrowError(/enhanced/)
    expect(() => talk.engine.reply(reply(354, '', 'a'))).toThrowError(/no answer/)
    expect(talk.engine.need).toBe('answer')
    talk.engine.lost()
    talk.engine.accept()
    expect(talk.run()).toBe('')
    expect(closed(talk)).toEqual({ type: 'closed', reason: 'lost' })
  })

  it('closes after a 421 of the host and drops the transaction', () => {
    const talk = new Talk()
    talk.onAsk = (event) => {
      if (event.type === 'rcpt') talk.engine.reply(reply(421, '4.7.0', 'Enough'))
      else talk.engine.accept()
      return true
    }
    expect(talk.send(`${EHLO}MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nNOOP\r\n`)).toMatch(
      /421 4\.7\.0 Enough\r\n$/,
    )
    expect(talk.events.slice(-2)).toEqual([
      { type: 'reset', reason: 'refused', refusal: null },
      { type: 'closed', reason: 'refused' },
    ])
  })

  it('closes when a refused DATA has a message queued behind it, and not when it has none', () => {
    const message = 'Subject: x\r\n\r\nRSET\r\n.\r\n'
    const waiting = new Talk()
    waiting.send('HELO c.test\r\nMAIL FROM:<>\r\n')
    expect(waiting.send('DATA\r\n')).toBe('503 5.5.1 Send RCPT first\r\n')
    expect(waiting.engine.need).toBe('input')
    for (const command of ['DATA', 'DATA x']) {
      const eager = new Talk()
      eager.send('HELO c.test\r\nMAIL FROM:<>\r\n')
      expect(eager.send(`${command}\r\n${message}`)).toMatch(/^50[123] [^\r]*\r\n421 4\.5\.0 [^\r]*\r\n$/)
      expect(closed(eager)).toEqual({ type: 'closed', reason: 'protocol' })
    }
    const late = new Talk()
    late.onAsk = (event) => {
      if (event.type === 'data') late.engine.reply(reply(450, '4.2.0', 'Later'))
      else late.engine.accept()
      return true
    }
    const output = late.send(`HELO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n${message}`)
    expect(output).toMatch(/450 4\.2\.0 Later\r\n421 4\.5\.0 [^\r]*\r\n$/)
    expect(late.events.filter((event) => event.type === 'reset')).toHaveLength(1)
  })

  it('takes at least 100 recipients and answers 452 past the limit, keeping those it has', () => {
    const talk = new Talk({ limits: { recipients: 100 } })
    talk.send(`HELO c.test\r\nMAIL FROM:<>\r\n`)
    const output = talk.send(Array.from({ length: 102 }, (_, i) => `RCPT TO:<u${i}@b.test>\r\n`).join(''))
    expect(output.match(/^250 /gm)).toHaveLength(100)
    expect(output.match(/^452 4\.5\.3 /gm)).toHaveLength(2)
    expect(talk.send('DATA\r\n')).toMatch(/^354 /)
  })

  it('bounds memory for a line that never ends, and answers it once', () => {
    const talk = new Talk()
    let output = ''
    for (let i = 0; i < 16; i++) output += talk.send('x'.repeat(65_536))
    expect(output).toBe('500 5.5.6 Line too long\r\n')
    expect(talk.send('yyy\r\nNOOP\r\n')).toBe('250 2.0.0 OK\r\n')
  })

  it('gives AUTH its own line limit', () => {
    const talk = new Talk({ mechanisms: ['PLAIN'], secure: true })
    talk.send(EHLO)
    const payload = 'A'.repeat(8000)
    expect(talk.send(`AUTH PLAIN ${payload}\r\n`)).toMatch(/^501 5\.5\.2 /)
    expect(talk.send(`NOOP ${payload}\r\n`)).toMatch(/^500 5\.5\.6 /)
    expect(talk.send(`AUTH PLAIN ${'A'.repeat(12_288)}\r\n`)).toMatch(/^500 5\.5\.6 /)
    expect(talk.send('AUTH PLAIN\r\n')).toBe('334 \r\n')
    expect(talk.send(`${'A'.repeat(12_288)}\r\nNOOP\r\n`)).toBe('500 5.5.6 Line too long\r\n250 2.0.0 OK\r\n')
  })

  it('refuses a header over its limits, and counts no body as header', () => {
    const fields = (count: number): string =>
      Array.from({ length: count }, (_, i) => `X-${i}: a\r\n b\r\n`).join('')
    const limited = { limits: { headerFields: 100, headerOctets: 65_536 } }
    expect(new Talk(limited).begin().send(`${fields(100)}\r\nx\r\n.\r\n`)).toMatch(/^250 /)
    expect(new Talk(limited).begin().send(`${fields(101)}\r\nx\r\n.\r\n`)).toMatch(
      /^552 5\.3\.4 Message header/,
    )
    const long = `X: ${'a'.repeat(66_000)}\r\n`
    expect(new Talk(limited).begin().send(`${long}\r\n.\r\n`)).toMatch(/^552 5\.3\.4 Message header/)
    expect(new Talk(limited).begin().send(`A: b\r\n\r\n${long}.\r\n`)).toMatch(/^250 /)
    expect(new Talk(limited).begin().send(`no header at all\r\n${long}.\r\n`)).toMatch(/^250 /)
  })

  it('never splits a long line', () => {
    const line = 'x'.repeat(200_000)
    const talk = new Talk().begin()
    expect(talk.send(`${line}\r\n.\r\n`)).toMatch(/^250 /)
    expect(talk.messages[0]).toBe(`${line}\r\n`)
  })

  it('lets other sessions run between the commands of a flood of 100,000 in one chunk', () => {
    const count = 100_000
    const talk = new Talk({ limits: { junkCommands: Number.POSITIVE_INFINITY } })
    const start = performance.now()
    const output = talk.send('NOOP\r\n'.repeat(count))
    expect(output.length).toBe(count * '250 2.0.0 OK\r\n'.length)
    expect(talk.events.filter((event) => event.type === 'busy').length).toBeGreaterThan(count / 300)
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('reads a mebibyte of nothing but dots in a moment', () => {
    const talk = new Talk().begin()
    const text = `${'..\r\n'.repeat(262_144)}.\r\n`
    const start = performance.now()
    expect(talk.send(text)).toMatch(/^250 /)
    expect(performance.now() - start).toBeLessThan(2000)
    expect(talk.messages[0]).toBe('.\r\n'.repeat(262_144))
  })

  it('shows no secret and no body in its wire log', () => {
    const entries: WireEntry[] = []
    const talk = new Talk({
      mechanisms: ['PLAIN', 'LOGIN'],
      secure: true,
      wireLog: new WireLog((entry) => entries.push(entry)),
    })
    talk.onAsk = (event) => {
      if (event.type === 'authenticate') talk.engine.answerAuth({ ok: false, failure: 'invalid' })
      else talk.engine.accept()
      return true
    }
    talk.send(EHLO)
    talk.send(
      'AUTH PLAIN U0VDUkVU\r\nauth login U0VDUkVU\r\nU0VDUkVU\r\nAUTH U0VDUkVU\r\nU0VDUkVU\r\nNOOP\r\n',
    )
    talk.send('MAIL FROM:<a@c.test>\r\nRCPT TO:<b@c.test>\r\nDATA\r\nU0VDUkVU\r\n.\r\n\x1b[31m\r\n')
    const shown = entries.map((entry) => `${entry.from} ${entry.kind} ${entry.text}`)
    expect(shown.join('\n')).not.toContain('U0VDUkVU')
    expect(shown).toContain('client secret AUTH PLAIN ***')
    expect(shown).toContain('client line MAIL FROM:<a@c.test>')
    expect(shown).toContain('client line \\x1b[31m')
    expect(
      entries.filter((entry) => entry.kind === 'octets').reduce((sum, each) => sum + each.octets, 0),
    ).toBe(13)
  })

  it('gives each command a new deadline and a message one with a rate', () => {
    const talk = new Talk({ limits: { dataRate: 100 } })
    const first = talk.engine.wait
    talk.send('NO')
    expect(talk.engine.wait).toBe(first)
    talk.send('OP\r\n')
    expect(talk.engine.wait).not.toBe(first)
    expect(talk.engine.wait).toEqual({ kind: 'command', ms: 300_000 })
    talk.begin()
    const data = talk.engine.wait
    expect(data).toEqual({ kind: 'data', ms: 300_000, minRate: 100 })
    talk.send('x')
    expect(talk.engine.wait).toBe(data)
    talk.engine.timedOut()
    expect(talk.run()).toBe('421 4.4.2 Timeout\r\n')
  })
})
