import { describe, expect, it } from 'vitest'
import { MailError } from '../../src/core/index.js'
import type { Delivery, Logger, Policy, SessionContext, Transaction } from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import { commitReply, makeReceived, SmtpServerEngine, SmtpServerSession } from '../../src/smtp/index.js'
import { runScript } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { startServer, TestDelivery, testAuthenticator } from './harness.js'

const message = `S~ 220 .*
C: EHLO client.test
S*
S~ 250 .*
C: MAIL FROM:<a@c.test>
C: RCPT TO:<alice@example.test>
C: DATA
S~ 250 .*
S~ 250 .*
S~ 354 .*
C: Subject: x
C: 
C: hello
C: .
`

/** Runs a script and lets what follows the end of the connection happen. */
async function play(
  script: string,
  options: TestServerOptions = {},
  parts: Parameters<typeof startServer>[1] = {},
) {
  const server = startServer(options, parts)
  await runScript(script, () => server)
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve))
  return server
}

/** A delivery whose transactions do as usual but for what is given. */
function deliveryOf(change: Partial<Transaction>): TestDelivery {
  const delivery = new TestDelivery()
  const begin = delivery.begin.bind(delivery)
  delivery.begin = async (envelope, context) =>
    ({ ...(await begin(envelope, context)), ...change }) as Transaction
  return delivery
}

describe('SmtpServerSession', () => {
  it('gives the delivery a trace field that says how the message came', async () => {
    const delivery = new TestDelivery()
    await play(`${message}S~ 250 .*`, {}, { delivery })
    expect(delivery.kept[0]?.received).toBe(
      'Received: from client.test ([192.0.2.1])\r\n' +
        '\tby mx.example.test with ESMTP\r\n' +
        '\tid s1.1\r\n\tfor <alice@example.test>; Thu, 1 Jan 2026 00:00:00 +0000\r\n',
    )
    expect(delivery.kept[0]?.body).toBe('Subject: x\r\n\r\nhello\r\n')
  })

  it('names the transmission by RFC 3848 and no recipient where there are two', async () => {
    const delivery = new TestDelivery()
    await play(
      `S~ 220 .*
C: EHLO bad_(name
S*
S~ 250 .*
C: STARTTLS
S~ 220 .*
TLS
C: EHLO bad_(name
S*
S~ 250 .*
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S~ 235 .*
C: MAIL FROM:<>
C: RCPT TO:<alice@example.test>
C: RCPT TO:<bob@example.test>
C: DATA
S*
S~ 354 .*
C: .
S~ 250 .*
`,
      { auth: true, startTls: true },
      { delivery },
    )
    const { received, context } = delivery.kept[0] as (typeof delivery.kept)[0]
    expect(received).toBe(
      'Received: from [192.0.2.1] ([192.0.2.1]) (HELO bad_\\(name)\r\n' +
        '\tby mx.example.test with ESMTPSA (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n' +
        '\tid s1.1; Thu, 1 Jan 2026 00:00:00 +0000\r\n',
    )
    expect(context).toMatchObject({
      user: 'alice',
      transmission: 'ESMTPSA',
      helo: 'bad_(name',
      service: 'smtp',
    })
    expect(context.tls?.version).toBe('TLSv1.3')
  })

  it('lets nothing of the client break out of the trace field', () => {
    const context = {
      id: 'x',
      remoteAddress: 'evil\r\nX: y',
      helo: 'a)\r\nX: y(',
      transmission: 'SMTP',
      tls: { version: 'v', cipher: 'c)\n', serverName: null },
    } as unknown as SessionContext
    const text = Buffer.from(
      makeReceived(context, { hostname: 'mx', id: 'x', recipient: null, now: 0 }),
    ).toString()
    expect(text.match(/\r\n(?!\t|$)/g)).toBeNull()
    expect(text).not.toMatch(/[^\r]\n|\r[^\n]/)
  })

  it('answers a failure of the delivery by its kind, at each step, and goes on', async () => {
    const cases: readonly [Partial<Transaction>, string][] = [
      [
        { commit: () => Promise.reject(new MailError('diskFull', 'secret detail')) },
        '452 4.3.1 Insufficient system storage',
      ],
      [
        { commit: () => Promise.reject(new Error('secret detail')) },
        '451 4.3.0 Temporary failure, try again later',
      ],
      [
        { commit: async () => ({ reply: reply(250, '2.0.0', 'a\r\nb') }) },
        '451 4.3.0 Temporary failure, try again later',
      ],
      [{ write: () => Promise.reject(new MailError('overQuota', '')) }, '452 4.2.2 Mailbox is full'],
      [
        {
          write: () => {
            throw new MailError('tooLarge', '')
          },
        },
        '552 5.3.4 Message is too large',
      ],
    ]
    for (const [change, answer] of cases) {
      const delivery = deliveryOf(change)
      const server = await play(`${message}S: ${answer}\nC: NOOP\nS~ 250 .*\n`, {}, { delivery })
      expect(server.errors).toEqual([])
      expect(delivery.aborted).toEqual('write' in change ? ['refused'] : [])
    }
  })

  it('answers an exception at MAIL, RCPT and DATA with 451', async () => {
    const broken = () => Promise.reject(new Error('broken'))
    const delivery = deliveryOf({ recipient: broken })
    await play(
      'S~ 220 .*\nC: HELO c\nC: MAIL FROM:<>\nC: RCPT TO:<a@b>\nS~ 250 .*\nS~ 250 .*\nS: 451 4.3.0 Temporary failure, try again later\n',
      {},
      { delivery },
    )
    expect(delivery.aborted).toEqual(['lost'])
    const notReady = deliveryOf({ ready: broken })
    await play(
      `${message.slice(0, message.indexOf('S~ 354'))}S~ 451 .*\nC: MAIL FROM:<>\nS~ 250 .*\n`,
      {},
      { delivery: notReady },
    )
    expect(notReady.aborted).toEqual(['refused', 'lost'])
    const noBegin: Delivery = { ...new TestDelivery(), begin: broken }
    await play('S~ 220 .*\nC: HELO c\nC: MAIL FROM:<>\nS~ 250 .*\nS~ 451 .*\n', {}, { delivery: noBegin })
  })

  it('gives up a transaction for the right reason, once', async () => {
    const start =
      'S~ 220 .*\nC: HELO c.test\nC: MAIL FROM:<>\nC: RCPT TO:<alice@example.test>\nS~ 250 .*\nS~ 250 .*\nS~ 250 .*\n'
    const ends: readonly [string, string][] = [
      ['C: RSET\nS~ 250 .*\n', 'reset'],
      ['C: EHLO c.test\nS*\nS~ 250 .*\n', 'reset'],
      ['C: QUIT\nS~ 221 .*\nCLOSED\n', 'reset'],
      ['EOF\nCLOSED\n', 'lost'],
      ['', 'lost'],
      ['+300s\nS~ 421 .*\nCLOSED\n', 'lost'],
      ['C: DATA\nS~ 354 .*\nC| a\\nb\\r\\n\nC: .\nS~ 550 .*\n', 'refused'],
      ['C: DATA\nS~ 354 .*\nC: half\n', 'lost'],
    ]
    for (const [end, reason] of ends) {
      const delivery = new TestDelivery()
      await play(start + end, {}, { delivery })
      expect(delivery.aborted, end).toEqual([reason])
      expect(delivery.kept).toEqual([])
    }
  })

  it('gives up a transaction that begins when the client has gone, and tells it by the signal', async () => {
    const delivery = new TestDelivery()
    const begin = delivery.begin.bind(delivery)
    let go: () => void = () => undefined
    let gone = false
    delivery.begin = async (envelope, context) => {
      context.signal.addEventListener('abort', () => {
        gone = true
      })
      await new Promise<void>((resolve) => {
        go = resolve
      })
      return begin(envelope, context)
    }
    const server = startServer({}, { delivery })
    const client = server.connect()
    await client.write([Buffer.from('HELO c\r\nMAIL FROM:<>\r\n')])
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
    client.destroy()
    expect(gone).toBe(true)
    go()
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(delivery.begun).toBe(1)
    expect(delivery.aborted).toEqual(['lost'])
  })

  it('keeps a message whose client goes after the final dot, before the reply', async () => {
    const delivery = new TestDelivery()
    const begin = delivery.begin.bind(delivery)
    let go: () => void = () => undefined
    delivery.begin = async (envelope, context) => {
      const transaction = (await begin(envelope, context)) as Transaction
      return {
        ...transaction,
        commit: async (received) => {
          await new Promise<void>((resolve) => {
            go = resolve
          })
          return transaction.commit(received)
        },
      }
    }
    const server = startServer({}, { delivery })
    const client = server.connect()
    const text = 'HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\nx\r\n.\r\n'
    await client.write([Buffer.from(text)])
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
    client.destroy()
    go()
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(delivery.kept).toHaveLength(1)
    expect(delivery.aborted).toEqual([])
    expect(server.errors).toEqual([])
  })

  it('answers a pipelined group in one write', async () => {
    const client = startServer().connect()
    const greeting = await client.read()
    expect(Buffer.from(greeting ?? []).toString()).toBe('220 mx.example.test ESMTP\r\n')
    const group =
      'HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nRCPT TO:<x@example.test>\r\nDATA\r\n'
    await client.write([Buffer.from(group)])
    const replies = Buffer.from((await client.read()) ?? []).toString()
    expect(replies.match(/^\d{3} /gm)).toEqual(['250 ', '250 ', '250 ', '550 ', '354 '])
    client.destroy()
  })

  it('writes no control character of a user name to the log', async () => {
    const logged: unknown[] = []
    const engine = new SmtpServerEngine({ hostname: 'mx', mechanisms: ['PLAIN'], secure: true })
    const session = new SmtpServerSession({
      engine,
      connection: { id: 'x', remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0, tls: null },
      delivery: new TestDelivery(),
      authenticator: testAuthenticator,
      logger: { log: (_level, event, fields) => logged.push(event, fields) },
    })
    const credentials = { user: '\x1b[2Jalice', password: 'secret', authorizationId: '' }
    engine.next()
    engine.accept()
    engine.receive(Buffer.from('EHLO c\r\n'))
    engine.next()
    engine.accept()
    engine.receive(
      Buffer.from(`AUTH PLAIN ${Buffer.from(`\0${credentials.user}\0secret`).toString('base64')}\r\n`),
    )
    const event = engine.next()
    expect(event).toEqual({
      type: 'authenticate',
      mechanism: 'PLAIN',
      question: { type: 'plain', credentials },
    })
    if (event !== null) await session.handle(event)
    const login = engine.next()
    expect(login).toMatchObject({ type: 'login', mechanism: 'PLAIN', user: credentials.user })
    if (login !== null) await session.handle(login)
    expect(logged).toEqual([
      'auth.failed',
      { session: 'x', remote: '', mechanism: 'PLAIN', user: '\\x1b[2Jalice', failure: 'invalid' },
    ])
  })

  it('logs why a message was refused, by whomever', async () => {
    const logged: unknown[] = []
    const logger: Logger = {
      log: (_level, event, { code, from, to }) => event === 'smtp.refused' && logged.push([code, from, to]),
    }
    const client = startServer({ chunking: true, maxMessageSize: 10 }, { logger }).connect()
    await client.read()
    const envelope = 'MAIL FROM:<a@c.test>\r\nRCPT TO:<alice@example.test>\r\n'
    const before = `EHLO c\r\n${envelope}BDAT 11 LAST\r\n12345678901${envelope}`
    await client.write([Buffer.from(`${before}RCPT TO:<bob@example.test>\r\nDATA\r\n`)])
    await client.read()
    await client.write([Buffer.from('a\nb\r\n.\r\nQUIT\r\n')])
    while ((await client.read()) !== null);
    expect(logged).toEqual([
      [552, 'a@c.test', ['alice@example.test']],
      [550, 'a@c.test', ['alice@example.test', 'bob@example.test']],
    ])
  })

  it('shuts down a session that is in a transaction', async () => {
    const delivery = new TestDelivery()
    const server = startServer({}, { delivery })
    const client = server.connect()
    await client.read()
    await client.write([Buffer.from('HELO c\r\nMAIL FROM:<>\r\n')])
    await client.peer.settled()
    server.drivers[0]?.shutdown('shutdown')
    const said: string[] = []
    for (let chunk = await client.read(); chunk !== null; chunk = await client.read())
      said.push(Buffer.from(chunk).toString())
    expect(said.join('')).toMatch(/421 4\.3\.2 [^\r]*\r\n$/)
    expect(delivery.aborted).toEqual(['shutdown'])
  })

  it('asks the policy at each step, before the delivery', async () => {
    const asked: string[] = []
    const policy: Policy = {
      connect: async (context) => {
        asked.push(`connect ${context.remoteAddress}`)
        return undefined
      },
      helo: async (context) => {
        asked.push(`helo ${context.helo} ${context.transmission}`)
        return context.helo === 'bad' ? reply(550, '5.7.1', 'Bad name') : undefined
      },
      mail: async (envelope) => {
        asked.push(`mail ${envelope.reversePath}`)
        return envelope.reversePath === '' ? reply(450, '4.7.1', 'Greylisted') : undefined
      },
      recipient: async (recipient) =>
        recipient.localPart === 'bob' ? reply(550, '5.7.1', 'Not for you') : undefined,
    }
    const delivery = new TestDelivery()
    await play(
      `S~ 220 .*
C: HELO bad
S: 550 5.7.1 Bad name
C: MAIL FROM:<>
S~ 503 .*
C: EHLO good
S*
S~ 250 .*
C: MAIL FROM:<>
S: 450 4.7.1 Greylisted
C: MAIL FROM:<a@c.test>
S~ 250 .*
C: RCPT TO:<bob@example.test>
S: 550 5.7.1 Not for you
C: EHLO bad
S: 550 5.7.1 Bad name
C: RCPT TO:<alice@example.test>
S~ 250 .*
C: RSET
S~ 250 .*
`,
      {},
      { delivery, policy },
    )
    expect(asked).toEqual([
      'connect 192.0.2.1',
      'helo bad SMTP',
      'helo good ESMTP',
      'mail ',
      'mail a@c.test',
      'helo bad ESMTP',
    ])
    expect(delivery.begun).toBe(1)
  })

  it('refuses a connection by policy, and holds the greeting while the policy thinks', async () => {
    await play(
      'S: 554 5.7.1 Blocked\nCLOSED\n',
      {},
      { policy: { connect: async () => reply(554, '5.7.1', 'Blocked') } },
    )
    await play(
      'S: 421 4.7.0 Later\nCLOSED\n',
      {},
      { policy: { connect: async () => reply(421, '4.7.0', 'Later') } },
    )
    await play(
      'S: 421 4.3.0 Temporary failure, try again later\nCLOSED\n',
      {},
      {
        policy: { connect: () => Promise.reject(new Error('broken')) },
      },
    )
  })

  it('slows the client down while the delivery is slow', async () => {
    const waiting: (() => void)[] = []
    let taken = 0
    const delivery = deliveryOf({
      write: (chunk) => {
        taken += chunk.length
        return new Promise<void>((resolve) => waiting.push(resolve))
      },
    })
    delivery.features.maxMessageSize = 10_000_000
    const server = startServer({ maxMessageSize: 10_000_000 }, { delivery })
    const client = server.connect()
    await client.write([Buffer.from('HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n')])
    const chunk = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(40))
    let blocked = 0
    for (let i = 0; i < 20; i++) if (client.write([chunk]) !== undefined) blocked++
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(taken).toBe(chunk.length)
    expect(blocked).toBeGreaterThan(0)
    void client.write([Buffer.from('.\r\n')])
    for (let i = 0; i < 200; i++) {
      waiting.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(taken).toBe(20 * chunk.length)
    client.destroy()
  })

  it('tells the authenticator where the credentials come from', async () => {
    const seen: unknown[] = []
    await play(
      'S~ 220 .*\nC: EHLO c\nS*\nS~ 250 .*\nC: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS~ 235 .*\n',
      { implicitTls: true },
      {
        authenticator: {
          ...testAuthenticator,
          plain: async (credentials, context) => {
            seen.push([credentials, { ...context, signal: null }])
            return { ok: true, user: 'alice' }
          },
        },
      },
    )
    expect(seen).toEqual([
      [
        { user: 'alice', password: 'secret', authorizationId: '' },
        {
          protocol: 'smtp',
          mechanism: 'PLAIN',
          remoteAddress: '192.0.2.1',
          session: 's1',
          secure: true,
          signal: null,
        },
      ],
    ])
  })

  it('chooses the one reply for many recipients that loses no mail', () => {
    const ok = reply(250, '2.0.0', 'OK')
    const later = reply(450, '4.2.0', 'Later')
    const never = reply(550, '5.2.0', 'Never')
    expect(commitReply({ recipients: [ok, never, later] })).toBe(later)
    expect(commitReply({ recipients: [ok, never] })).toBe(never)
    expect(commitReply({ recipients: [ok, ok] })).toBe(ok)
    expect(commitReply({ recipients: [] }).code).toBe(451)
    expect(commitReply({ reply: never })).toBe(never)
  })

  it('does not start a submission service where nobody can log in', () => {
    expect(() => startServer({ service: 'submission' }).connect()).toThrowError(/authenticator/)
  })
})
