import { describe, expect, it } from 'vitest'
import { MailError } from '../../src/core/index.js'
import type { Delivery, SessionContext, Transaction } from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import type { SmtpServerFeatures, SmtpServerOptions } from '../../src/smtp/index.js'
import { SmtpServerEngine } from '../../src/smtp/index.js'
import { runScript } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { startServer, TestDelivery } from './harness.js'
import { Talk } from './talk.js'

const turns = async (count = 5): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function play(script: string, options: TestServerOptions, delivery: Delivery) {
  const server = startServer(options, { delivery })
  await runScript(script, () => server)
  await turns()
  return server
}

const message = 'S~ 250 .*\nS~ 250 .*\nS~ 354 .*\nC: Subject: x\nC: \nC: .\nS~ 250 .*\n'

describe('what the envelope says reaches the delivery', () => {
  it('of every extension', async () => {
    const features = {
      smtpUtf8: true,
      dsn: true,
      requireTls: true,
      deliverBy: { minimumSeconds: 0 },
      futureRelease: { maximumSeconds: 1000 },
      mtPriority: { profile: '' },
      rrvs: true,
      noSoliciting: [],
    }
    const delivery = new TestDelivery(100_000, features)
    await play(
      `S~ 220 .*
C: EHLO c.test
S*
S~ 250 AUTH.*
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S~ 235 .*
C: MAIL FROM:<alice@ö.test> SMTPUTF8 BODY=8BITMIME SIZE=12 RET=FULL ENVID=a+2Bb REQUIRETLS BY=120;RT HOLDFOR=60 MT-PRIORITY=-3 SOLICIT=a.b:C,d
C: RCPT TO:<jörg@bücher.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2B1@c.test RRVS=2014-04-03T23:01:00Z
C: DATA
${message}`,
      { service: 'submission', auth: true, implicitTls: true },
      delivery,
    )
    const kept = delivery.kept[0]
    expect(kept?.envelope).toEqual({
      reversePath: 'alice@ö.test',
      size: 12,
      body: '8BITMIME',
      smtpUtf8: true,
      ret: 'FULL',
      envelopeId: 'a+b',
      requireTls: true,
      deliverBy: { seconds: 120, mode: 'return', trace: true },
      hold: { seconds: 60 },
      priority: -3,
      solicitation: ['a.b:C', 'd'],
    })
    expect(kept?.details).toEqual([
      {
        address: 'jörg@bücher.test',
        localPart: 'jörg',
        domain: 'bücher.test',
        notify: ['SUCCESS', 'DELAY'],
        originalRecipient: 'rfc822;Bob+1@c.test',
        validSince: { since: Date.UTC(2014, 3, 3, 23, 1), otherwise: 'reject' },
      },
    ])
    expect(Buffer.from(kept?.received ?? '', 'latin1').toString()).toMatch(
      /with UTF8SMTPSA .*\r\n\t\(SOLICIT=a\.b:C,d\)\r\n.*\r\n\tfor <jörg@bücher\.test>; /,
    )
    expect(kept?.context.transmission).toBe('UTF8SMTPSA')
    expect(kept?.body).toMatch(
      /^Subject: x\r\nDate: .*\r\nFrom: <alice@\xc3\xb6\.test>\r\nMessage-ID: <.*@mx\.example\.test>\r\n\r\n$/,
    )
  })

  it('and SMTPUTF8 of one message is forgotten with it', async () => {
    const delivery = new TestDelivery(100_000, { smtpUtf8: true })
    const one = `C: RCPT TO:<alice@example.test>\nC: DATA\n${message}`
    await play(
      `S~ 220 .*\nC: EHLO c\nS*\nS~ 250 LIM.*\nC: MAIL FROM:<> SMTPUTF8\n${one}C: MAIL FROM:<>\n${one}`,
      {},
      delivery,
    )
    expect(delivery.kept.map(({ context }) => context.transmission)).toEqual(['UTF8SMTP', 'ESMTP'])
  })
})

describe('an extension of the host', () => {
  const until = Date.UTC(2030, 0, 1)
  const all: SmtpServerFeatures = {
    eightBitMime: true,
    smtpUtf8: true,
    binaryMime: true,
    dsn: true,
    requireTls: true,
    rrvs: true,
    deliverBy: { minimumSeconds: 5 },
    futureRelease: { maximumSeconds: 100, until },
    mtPriority: { profile: 'MIXER' },
    noSoliciting: ['a.b:C'],
  }
  const marks: Readonly<Record<keyof SmtpServerFeatures, readonly [string, string]>> = {
    eightBitMime: ['8BITMIME', 'MAIL BODY=8BITMIME'],
    smtpUtf8: ['SMTPUTF8', 'MAIL SMTPUTF8'],
    binaryMime: ['BINARYMIME', 'MAIL BODY=BINARYMIME'],
    dsn: ['DSN', 'RCPT NOTIFY=NEVER'],
    requireTls: ['REQUIRETLS', 'MAIL REQUIRETLS'],
    rrvs: ['RRVS', 'RCPT RRVS=2014-04-03T23:01:00Z'],
    deliverBy: ['DELIVERBY 5', 'MAIL BY=60;R'],
    futureRelease: ['FUTURERELEASE 100 2030-01-01T00:00:00Z', 'MAIL HOLDFOR=60'],
    mtPriority: ['MT-PRIORITY MIXER', 'MAIL MT-PRIORITY=1'],
    noSoliciting: ['NO-SOLICITING a.b:C', 'MAIL SOLICIT=d'],
  }
  const hear = (features: SmtpServerFeatures, parameter: string) => {
    const talk = new Talk({ service: 'submission', requireAuth: false, secure: true, features })
    const keywords = talk.send('EHLO c.test\r\n').match(/(?<=^250.).*(?=\r$)/gm)
    const [verb, word] = parameter.split(' ')
    const path = verb === 'MAIL' ? 'MAIL FROM:<>' : 'MAIL FROM:<>\r\nRCPT TO:<a@b.test>'
    const code = talk
      .send(`${path} ${word}\r\n`)
      .match(/^\d{3}/gm)
      ?.at(-1)
    return { keywords, code }
  }

  it.each(Object.entries(marks))(
    'is offered and taken where it is there, and only there: %s',
    (name, mark) => {
      const [keyword, parameter] = mark
      const alone = hear({ [name]: all[name as keyof SmtpServerFeatures] }, parameter)
      expect(alone.code).toBe('250')
      const none = hear({}, parameter)
      expect(none.code).toMatch(/^(?:501|555)$/)
      expect(alone.keywords?.filter((each) => !none.keywords?.includes(each))).toEqual([keyword])
      const others = hear({ ...all, [name]: undefined }, parameter)
      expect(others.keywords).not.toContain(keyword)
      expect(others.code).toMatch(/^(?:501|555)$/)
    },
  )
})

describe('LMTP', () => {
  it('names itself in the trace field and takes one reply for all', async () => {
    const delivery = new TestDelivery()
    const begin = delivery.begin.bind(delivery)
    delivery.begin = async (envelope, context) => ({
      ...((await begin(envelope, context)) as Transaction),
      commit: async (received) => {
        expect(Buffer.from(received).toString()).toContain('with LMTP\r\n')
        return { reply: reply(250, '2.0.0', 'All of it') }
      },
    })
    await play(
      `S~ 220 .*\nC: LHLO c\nS*\nS~ 250 LIM.*\nC: MAIL FROM:<>\nC: RCPT TO:<alice@example.test>\nC: RCPT TO:<bob@example.test>\nC: DATA
S~ 250 .*\nS~ 250 .*\nS~ 250 .*\nS~ 354 .*\nC: .\nS: 250 2.0.0 All of it\nS: 250 2.0.0 All of it\n`,
      { service: 'lmtp' },
      delivery,
    )
  })

  it('answers for each recipient where the delivery fails, or says too little', async () => {
    const run = async (commit: Transaction['commit'], answers: string): Promise<void> => {
      const delivery = new TestDelivery()
      const begin = delivery.begin.bind(delivery)
      delivery.begin = async (envelope, context) => ({
        ...((await begin(envelope, context)) as Transaction),
        commit,
      })
      await play(
        `S~ 220 .*\nC: LHLO c\nS*\nS~ 250 LIM.*\nC: MAIL FROM:<>\nC: RCPT TO:<alice@example.test>\nC: RCPT TO:<bob@example.test>\nC: DATA
S~ 250 .*\nS~ 250 .*\nS~ 250 .*\nS~ 354 .*\nC: .\n${answers}C: NOOP\nS~ 250 .*\n`,
        { service: 'lmtp' },
        delivery,
      )
    }
    await run(() => Promise.reject(new MailError('diskFull', '')), 'S~ 452 .*\nS~ 452 .*\n')
    await run(async () => ({ recipients: [reply(250, '2.0.0', 'Yes')] }), 'S~ 250 .*\nS~ 451 .*\n')
    await run(async () => ({ recipients: [] }), 'S~ 451 .*\nS~ 451 .*\n')
  })

  it('takes as many replies as there are recipients, and only there', () => {
    const yes = reply(250, '2.0.0', 'Yes')
    for (const service of ['lmtp', 'smtp'] as const) {
      const talk = new Talk({ service })
      talk.onAsk = (event) => {
        if (event.type === 'dataEnd') return false
        talk.engine.accept()
        return true
      }
      expect(() => talk.engine.replyEach([yes])).toThrowError(/no message/)
      talk.send(
        `${service === 'lmtp' ? 'LHLO' : 'EHLO'} c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<a@c>\r\nDATA\r\nx\r\n.\r\n`,
      )
      for (const count of service === 'lmtp' ? [0, 1, 3] : [1, 2]) {
        expect(() => talk.engine.replyEach(new Array(count).fill(yes))).toThrowError(/recipients of LMTP/)
      }
      expect(() => talk.engine.replyEach([yes, reply(250, '2.0.0', 'a\r\nb')])).toThrowError(/control/)
      if (service === 'smtp') continue
      talk.engine.replyEach([reply(421, '4.3.0', 'No'), yes])
      expect(talk.run()).toBe('421 4.3.0 No\r\n250 2.0.0 Yes\r\n')
      expect(talk.engine.need).toBe('closed')
    }
  })
})

describe('BDAT', () => {
  const begin =
    'S~ 220 .*\nC: EHLO c\nS*\nS~ 250 LIM.*\nC: MAIL FROM:<>\nC: RCPT TO:<alice@example.test>\nS~ 250 .*\nS~ 250 .*\n'

  it('tells of a delivery that fails in the chunk, once, and gives it up once', async () => {
    const delivery = new TestDelivery()
    const original = delivery.begin.bind(delivery)
    delivery.begin = async (envelope, context) => ({
      ...((await original(envelope, context)) as Transaction),
      write: () => Promise.reject(new MailError('diskFull', '')),
    })
    const script = `${begin}C: BDAT 3\nC: x\nS: 452 4.3.1 Insufficient system storage\nC: BDAT 3 LAST\nC: x\nS~ 503 .*\nC: MAIL FROM:<>\nS~ 250 .*\n`
    await play(script.replaceAll('C: x\n', 'C| x\\r\\n\n'), {}, delivery)
    expect(delivery.aborted).toEqual(['refused', 'lost'])
    expect(delivery.kept).toEqual([])
  })

  it('asks the delivery before the first octet, and consumes the chunk of one that refuses', async () => {
    const delivery = new TestDelivery()
    const original = delivery.begin.bind(delivery)
    delivery.begin = async (envelope, context) => ({
      ...((await original(envelope, context)) as Transaction),
      ready: async () => reply(450, '4.7.1', 'Not now'),
    })
    await play(
      `${begin}C: BDAT 6\nC: QUIT\nS: 450 4.7.1 Not now\nC: BDAT 6 LAST\nC: QUIT\nS~ 503 .*\nC: NOOP\nS~ 250 .*\n`,
      {},
      delivery,
    )
    expect(delivery.aborted).toEqual(['refused'])
  })

  it('holds no more than what comes, whatever size is announced', () => {
    const talk = new Talk({ maxMessageSize: 10_000_000_000 })
    talk.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 9999999999 LAST\r\n')
    const chunk = Buffer.alloc(65_536, 'x\r\n')
    for (let i = 0; i < 100; i++) {
      talk.engine.receive(chunk)
      let octets = 0
      for (let event = talk.engine.next(); event !== null; event = talk.engine.next()) {
        if (event.type === 'body') octets += event.chunk.length
      }
      expect(octets).toBe(chunk.length)
    }
    expect(talk.engine.outputSize).toBe(0)
  })

  it('ends when the server stops, without losing what is decided', () => {
    const talk = new Talk()
    talk.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 10\r\nabc')
    talk.engine.shutdown('shutdown')
    expect(talk.run()).toMatch(/^421 4\.3\.2 /)
    expect(talk.events.slice(-2).map(({ type }) => type)).toEqual(['reset', 'closed'])
    const asking = new Talk()
    asking.onAsk = (event) => {
      if (event.type === 'data') return false
      asking.engine.accept()
      return true
    }
    asking.send('EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 3\r\nabc')
    asking.engine.shutdown('shutdown')
    asking.engine.accept()
    expect(asking.run()).toMatch(/^421 4\.3\.2 /)
  })
})

describe('VRFY, EXPN and ETRN', () => {
  const hello = 'S~ 220 .*\nC: EHLO c\nS*\n'

  it('are asked of the host where it answers them', async () => {
    const delivery: Delivery = Object.assign(new TestDelivery(1000, { smtpUtf8: true }), {
      verify: async (name: string) => reply(250, '2.1.5', `Jörg <${name}@example.test>`),
      expand: async (list: string) => ({
        code: 250,
        enhanced: '2.1.5',
        lines: [`<a@${list}>`, `<b@${list}>`],
      }),
      startQueue: async (node: string, { helo }: SessionContext) =>
        reply(250, '2.0.0', `${node} for ${helo}`),
    })
    await play(
      `${hello}S: 250-EXPN
S: 250 ETRN
C: VRFY jorg
S: 250 2.1.5 J?rg <jorg@example.test>
C: VRFY jörg SMTPUTF8
S: 250 2.1.5 Jörg <jörg@example.test>
C: VRFY jörg
S: 550 5.6.7 An internationalized name needs SMTPUTF8
C: VRFY \\xff SMTPUTF8
S~ 501 .*
C: VRFY
S~ 501 .*
C: EXPN c.test
S: 250-2.1.5 <a@c.test>
S: 250 2.1.5 <b@c.test>
C: EXPN
S~ 501 .*
C: ETRN @c.test
S: 250 2.0.0 @c.test for c
C: ETRN
S~ 501 .*
`,
      {},
      delivery,
    )
  })

  it('are 252 and 502 where it does not', async () => {
    await play(
      `${hello}S~ 250 LIM.*\nC: VRFY alice\nS~ 252 .*\nC: EXPN x\nS~ 502 .*\nC: ETRN x\nS~ 502 .*\nC: HELP\nS~ 214 .*\n`,
      {},
      new TestDelivery(),
    )
  })
})

describe('ETRN and HELP', () => {
  const ehlo = 'EHLO c.test\r\n'

  it('answer as RFC 1985 section 5.3 has it where the host just accepts, and not in a transaction', () => {
    const talk = new Talk({ verbs: ['ETRN'] })
    expect(talk.send('ETRN c.test\r\n')).toMatch(/^503 5\.5\.1 /)
    talk.send(ehlo)
    expect(talk.send('ETRN c.test\r\n')).toBe('250 2.0.0 Queuing for the node is started\r\n')
    expect(talk.send('MAIL FROM:<a@c.test>\r\nETRN c.test\r\n')).toMatch(/\n503 5\.5\.1 /)
  })

  it('are for relays: a submission never offers ETRN (RFC 6409 section 7)', () => {
    const talk = new Talk({ verbs: ['ETRN'], service: 'submission', requireAuth: false })
    expect(talk.send(ehlo)).not.toContain('ETRN')
    expect(talk.send('ETRN c.test\r\n')).toMatch(/^502 /)
  })

  it('name what works in this session', () => {
    const help = (options: Partial<SmtpServerOptions>) => {
      const talk = new Talk(options)
      talk.send(options.service === 'lmtp' ? 'LHLO c.test\r\n' : ehlo)
      return talk.send('HELP\r\n')
    }
    expect(help({})).toBe('214 2.0.0 RFC 5321: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\r\n')
    expect(help({ chunking: false, service: 'lmtp' })).toBe(
      '214 2.0.0 RFC 2033: LHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT\r\n',
    )
    const all: Partial<SmtpServerOptions> = {
      startTls: true,
      mechanisms: ['PLAIN'],
      verbs: ['VRFY', 'EXPN', 'ETRN'],
      xclient: true,
      xforward: true,
    }
    expect(help(all)).toContain(
      ': EHLO HELO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY EXPN ETRN XCLIENT XFORWARD HELP QUIT',
    )
    expect(help({ ...all, secure: true })).toContain(': EHLO HELO AUTH MAIL ')
  })
})

describe('AUTH= of MAIL', () => {
  const login = `S~ 220 .*
C: EHLO c.test
S*
S~ 250 AUTH PLAIN LOGIN
C: AUTH PLAIN AGFsaWNlAHNlY3JldA==
S~ 235 .*
`
  const mail = (auth: string) => `C: MAIL FROM:<alice@example.test>${auth}
C: RCPT TO:<alice@example.test>
C: DATA
${message}`
  const said = (delivery: TestDelivery) => delivery.kept.map(({ envelope }) => envelope.auth)

  it('is told to the host where the client has logged in, and is as good as none where not', async () => {
    const open = new TestDelivery()
    const options = { auth: true, allowPlaintext: true }
    await play(
      `${login}${mail(' AUTH=e+3Dmc2@c.test')}${mail(' AUTH=<>')}${mail(' AUTH=<a@c.test>')}${mail('')}`,
      options,
      open,
    )
    expect(said(open)).toEqual(['e=mc2@c.test', '', 'a@c.test', undefined])
    const stranger = new TestDelivery()
    await play(`S~ 220 .*\nC: EHLO c.test\nS*\nS~ 250 AUTH.*\n${mail(' AUTH=a@c.test')}`, options, stranger)
    expect(said(stranger)).toEqual([''])
  })

  it('is believed of a submission only where mail to the mailbox comes to the user', async () => {
    const delivery = new TestDelivery()
    await play(
      `${login}${mail(' AUTH=alice@example.test')}${mail(' AUTH=bob@example.test')}`,
      { auth: true, allowPlaintext: true, service: 'submission' },
      delivery,
    )
    expect(said(delivery)).toEqual(['alice@example.test', ''])
  })
})

describe('XCLIENT and XFORWARD', () => {
  it('begin a session anew: nothing that was counted, and no name that was told, is left', async () => {
    const server = startServer({ xclient: true, limits: { messages: 1, errors: 1, refusedRecipients: 1 } })
    const names: (string | null | undefined)[] = []
    const addresses: string[] = []
    const delivery = server.delivery as TestDelivery
    const begin = delivery.begin.bind(delivery)
    delivery.begin = (envelope, context) => {
      names.push(context.clientName)
      addresses.push(context.remoteAddress)
      return begin(envelope, context)
    }
    const session = `S~ 220 .*
C: EHLO c.test
S*
S~ 250 XCLIENT.*
C: FOO
S~ 500 .*
C: MAIL FROM:<a@c.test>
C: RCPT TO:<nobody@example.test>
C: RSET
S~ 250 .*
S~ 550 .*
S~ 250 .*
`
    await runScript(
      `${session}C: XCLIENT NAME=spike.example ADDR=198.51.100.7
${session}C: XCLIENT ADDR=IPV6:::FFFF:198.51.100.8
${session}C: XCLIENT NAME=[UNAVAILABLE]
${session}C: MAIL FROM:<a@c.test>
S~ 421 .*
CLOSED
`,
      () => server,
    )
    expect(names).toEqual([null, 'spike.example', 'spike.example', null])
    expect(addresses).toEqual(['192.0.2.1', '198.51.100.7', '198.51.100.8', '198.51.100.8'])
  })

  it('tell the delivery and the policy for whom the proxy speaks', async () => {
    const delivery = new TestDelivery()
    const connects: string[] = []
    const server = startServer(
      { xclient: true, xforward: true, auth: true },
      {
        delivery,
        policy: {
          connect: async ({ remoteAddress }) => {
            connects.push(remoteAddress)
            return remoteAddress === '198.51.100.66' ? reply(554, '5.7.1', 'Blocked') : undefined
          },
        },
      },
    )
    const one = `C: MAIL FROM:<a@c.test>\nC: RCPT TO:<alice@example.test>\nC: DATA\n${message}`
    await runScript(
      `S~ 220 .*
C: EHLO proxy.test
S*
S~ 250 XFORWARD.*
C: XCLIENT ADDR=198.51.100.7 PORT=1025 NAME=spike.example LOGIN=alice DESTADDR=192.0.2.9 DESTPORT=465
S~ 220 .*
C: EHLO spike.example
S*
S~ 250 XFORWARD.*
C: XFORWARD ADDR=203.0.113.5 NAME=inner.example
C: XFORWARD HELO=[UNAVAILABLE]
S~ 250 .*
S~ 250 .*
${one}${one}C: XCLIENT ADDR=198.51.100.66
S: 554 5.7.1 Blocked
CLOSED
`,
      () => server,
    )
    expect(connects).toEqual(['192.0.2.1', '198.51.100.7', '198.51.100.66'])
    expect(delivery.kept[0]?.context).toMatchObject({
      remoteAddress: '198.51.100.7',
      remotePort: 1025,
      localAddress: '192.0.2.9',
      localPort: 465,
      clientName: 'spike.example',
      user: 'alice',
      helo: 'spike.example',
      transmission: 'ESMTPA',
      forwarded: { ADDR: '203.0.113.5', NAME: 'inner.example', HELO: '' },
    })
    expect(delivery.kept[0]?.received).toContain('from spike.example (spike.example [198.51.100.7])')
    expect(delivery.kept[1]?.context.forwarded).toBeUndefined()
  })
})

describe('abuse', () => {
  it('holds refusals back once there are many, and closes after too many', async () => {
    const server = startServer({ tarpitMs: 5000, limits: { softErrors: 2, errors: 4 } })
    const client = server.connect()
    let said = ''
    void (async () => {
      for (let chunk = await client.read(); chunk !== null; chunk = await client.read()) {
        said += Buffer.from(chunk).toString()
      }
    })().catch(() => undefined)
    await turns()
    void client.write([Buffer.from('HELO c.test\r\nONE\r\nTWO\r\nTHREE\r\nNOOP\r\nFOUR\r\nFIVE\r\n')])
    await turns(10)
    const codes = () => (said.match(/^\d{3}/gm) ?? []).join(' ')
    expect(codes()).toBe('220 250 500 500')
    await server.clock.advance(4999)
    expect(codes()).toBe('220 250 500 500')
    await server.clock.advance(1)
    await turns(10)
    expect(codes()).toBe('220 250 500 500 500 250')
    await server.clock.advance(5000)
    await turns(10)
    expect(codes()).toBe('220 250 500 500 500 250 500 500 421')
    expect(server.errors).toEqual([])
  })

  it('ends a tarpit with its connection', async () => {
    const server = startServer({ tarpitMs: 5000, limits: { softErrors: 0 } })
    const client = server.connect()
    await client.read()
    await client.write([Buffer.from('ONE\r\n')])
    await turns()
    client.destroy()
    await turns()
    expect(server.errors).toEqual([])
  })

  it('says what is held back before a farewell', () => {
    const talk = new Talk({ tarpitMs: 1000, limits: { softErrors: 0 } })
    talk.onAsk = (event) => {
      if (event.type === 'tarpit') return false
      talk.engine.accept()
      return true
    }
    expect(talk.send('ONE\r\nNOOP\r\n')).toBe('')
    talk.engine.shutdown('shutdown')
    talk.engine.accept()
    expect(talk.run()).toMatch(/^500 [^\r]*\r\n421 4\.3\.2 [^\r]*\r\n$/)
  })

  it('finds a client that talks while its greeting is held back, and greets one that waits', async () => {
    const options = { greetingDelayMs: 2000 }
    const early = startServer(options)
    const talker = early.connect()
    await turns()
    await talker.write([Buffer.from('EHLO c.test\r\n')])
    await turns()
    expect(Buffer.from((await talker.read()) ?? []).toString()).toMatch(/^554 5\.5\.0 /)
    const late = startServer(options)
    const honest = late.connect()
    await turns()
    await late.clock.advance(2000)
    expect(Buffer.from((await honest.read()) ?? []).toString()).toBe('220 mx.example.test ESMTP\r\n')
  })

  it('refuses options that cannot work', () => {
    const make = (options: object) => () => new SmtpServerEngine({ hostname: 'mx.test', ...options })
    expect(make({ tarpitMs: -1 })).toThrowError(/tarpitMs/)
    expect(make({ features: { mtPriority: { profile: 'a b' } } })).toThrowError(/profile/)
    expect(make({ features: { noSoliciting: ['a\r\nb'] } })).toThrowError(/solicitation/)
    expect(make({ features: { deliverBy: { minimumSeconds: 0.5 } } })).toThrowError(/whole numbers/)
  })
})
