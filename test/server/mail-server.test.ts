import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import {
  createMailServer,
  type Delivery,
  type ListenerName,
  type MailServer,
  type MailServerOptions,
  reply,
  simpleDelivery,
  type Transaction,
  type WireEntry,
  WireLog,
} from '../../src/index.js'
import { MemoryStore } from '../../src/storage/index.js'

const domains = {
  'example.test': { users: { alice: { password: 'a secret' } }, aliases: { info: 'alice@example.test' } },
}
const all: MailServerOptions['listen'] = {
  smtp: '127.0.0.1:0',
  submission: '127.0.0.1:0',
  submissions: '127.0.0.1:0',
  pop3: '127.0.0.1:0',
  pop3s: '127.0.0.1:0',
  imap: '127.0.0.1:0',
  imaps: '[::1]:0',
}

const find = (server: MailServer, name: ListenerName) => {
  const listener = server.listeners.find(({ protocol }) => protocol === name)
  if (listener === undefined) throw new Error(`no listener ${name}`)
  return listener
}

/** Everything the server says to these lines, until it closes. */
async function say(server: MailServer, name: ListenerName, ...lines: readonly string[]): Promise<string> {
  const { host, port, tls } = find(server, name)
  const socket =
    tls === 'implicit' ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port })
  let said = ''
  const left = [...lines]
  for await (const chunk of socket) {
    said += String(chunk)
    const next = left.shift()
    if (next !== undefined) socket.write(`${next}\r\n`)
  }
  return said
}

describe('createMailServer', () => {
  it('closes when its time is up, whatever a hook of the host is at', async () => {
    const server = await createMailServer({
      hostname: 'mail.example.test',
      listen: { smtp: '127.0.0.1:0' },
      domains,
      shutdownTimeout: 20,
      policy: { mail: () => new Promise(() => undefined) },
    })
    const talking = say(server, 'smtp', 'EHLO c', 'MAIL FROM:<>').catch(() => '')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await server.close()
    expect(await talking).not.toContain('250 2.1.0')
  })

  it('listens where it was asked to, greets on each, and is over at the end of its block', async () => {
    let ports: number[] = []
    {
      await using server = await createMailServer({ hostname: 'mail.example.test', listen: all, domains })
      expect(server.listeners.map(({ protocol, tls }) => `${protocol} ${tls}`)).toEqual([
        'smtp starttls',
        'submission starttls',
        'submissions implicit',
        'pop3 starttls',
        'pop3s implicit',
        'imap starttls',
        'imaps implicit',
      ])
      expect(find(server, 'imaps').host).toBe('::1')
      ports = server.listeners.map(({ port }) => port)
      for (const name of ['smtp', 'submission', 'submissions'] as const) {
        expect(await say(server, name, 'QUIT')).toBe(
          '220 mail.example.test ESMTP\r\n221 2.0.0 Closing connection\r\n',
        )
      }
      for (const name of ['pop3', 'pop3s'] as const)
        expect(await say(server, name, 'QUIT')).toMatch(/^\+OK .*\r\n\+OK /)
      for (const name of ['imap', 'imaps'] as const) {
        expect(await say(server, name, 'a LOGOUT')).toMatch(/^\* OK \[CAPABILITY .*\r\n\* BYE .*\r\na OK /)
      }
    }
    const socket = connect({ host: '127.0.0.1', port: ports[0] ?? 0 })
    await expect(new Promise((_, reject) => socket.once('error', reject))).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
  })

  it('says goodbye in each protocol when it closes, and closes only once', async () => {
    const server = await createMailServer({ listen: all, domains })
    const sessions = (['smtp', 'pop3', 'imap', 'imaps'] as const).map((name) => say(server, name))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await Promise.all([server.close(), server.close()])
    const [smtp, pop3, imap, imaps] = await Promise.all(sessions)
    expect(smtp).toMatch(/\r\n421 4\.3\.2 /)
    expect(pop3).toMatch(/\r\n-ERR /)
    expect(imap).toMatch(/\r\n\* BYE /)
    expect(imaps).toMatch(/\r\n\* BYE /)
  })

  it('tells a connection too many so', async () => {
    await using server = await createMailServer({
      listen: { smtp: '127.0.0.1:0', imap: '127.0.0.1:0' },
      domains,
      maxConnections: 1,
    })
    const { host, port } = find(server, 'smtp')
    const first = connect({ host, port })
    await new Promise((resolve) => first.once('data', resolve))
    expect(await say(server, 'smtp')).toMatch(/^421 4\.[0-9.]+ .*\r\n$/)
    expect(await say(server, 'imap')).toMatch(/^\* BYE .*\r\n$/)
    first.destroy()
  })

  it.each([
    ['never', /LOGINDISABLED/, /^a NO \[PRIVACYREQUIRED\]/m, /^-ERR/m, /^538 5\.7\.11 /m],
    ['loopback', /AUTH=PLAIN/, /^a OK/m, /^\+OK .*\r\n$/m, /^235 2\.7\.0 /m],
  ] as const)('takes passwords in clear: %s', async (plaintextLogin, capability, imap, pop3, smtp) => {
    await using server = await createMailServer({ listen: all, domains, plaintextLogin })
    const said = await say(server, 'imap', 'a LOGIN alice@example.test "a secret"', 'b LOGOUT')
    expect(said).toMatch(capability)
    expect(said).toMatch(imap)
    expect(await say(server, 'pop3', 'USER alice@example.test', 'PASS a secret', 'QUIT')).toMatch(pop3)
    const plain = Buffer.from('\0alice@example.test\0a secret').toString('base64')
    expect(await say(server, 'submission', 'EHLO a.test', `AUTH PLAIN ${plain}`, 'QUIT')).toMatch(smtp)
  })

  it('refuses implicit TLS without a certificate, and starts nothing', async () => {
    await expect(createMailServer({ listen: all, domains, tls: false })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/^listen\.submissions: needs TLS/),
    })
    await using server = await createMailServer({ listen: { imap: '127.0.0.1:0' }, domains, tls: false })
    expect(server.listeners[0]?.tls).toBe('none')
    expect(await say(server, 'imap', 'a CAPABILITY', 'b LOGOUT')).not.toContain('STARTTLS')
  })

  it('records the wire without any secret', async () => {
    const entries: (WireEntry & { readonly listener: string })[] = []
    await using server = await createMailServer({
      listen: all,
      domains,
      wireLog: ({ listener }) => new WireLog((entry) => entries.push({ ...entry, listener })),
    })
    const plain = Buffer.from('\0alice@example.test\0a secret').toString('base64')
    const user = Buffer.from('alice@example.test').toString('base64')
    const password = Buffer.from('a secret').toString('base64')
    await say(server, 'submission', 'EHLO a.test', 'AUTH LOGIN', user, password, 'QUIT')
    await say(
      server,
      'submissions',
      'EHLO a.test',
      `AUTH PLAIN ${plain}`,
      'MAIL FROM:<alice@example.test>',
      'RCPT TO:<info@example.test>',
      'DATA',
      'Subject: private words\r\n\r\nmore private words\r\n.',
      'QUIT',
    )
    await say(server, 'pop3', 'USER alice@example.test', 'PASS a secret', 'RETR 1', 'QUIT')
    await say(
      server,
      'imap',
      'a LOGIN alice@example.test "a secret"',
      'b SELECT INBOX',
      'c FETCH 1 BODY[TEXT]',
      'd LOGOUT',
    )
    await say(server, 'imap', 'a LOGIN {18}', 'alice@example.test {8}', 'a secret', 'b LOGOUT')
    await say(server, 'imaps', `a AUTHENTICATE PLAIN ${plain}`, 'b LOGOUT')
    const log = JSON.stringify(entries)
    for (const secret of ['a secret', plain, password, 'private words']) expect(log).not.toContain(secret)
    for (const name of ['submission', 'submissions', 'pop3', 'imap', 'imaps']) {
      expect(
        entries.some(
          ({ listener, from, kind }) => listener === name && from === 'client' && kind === 'secret',
        ),
      ).toBe(true)
      expect(
        entries.some(({ listener, from, kind }) => listener === name && from === 'server' && kind === 'line'),
      ).toBe(true)
    }
    expect(log).toContain('RCPT TO:<info@example.test>')
    expect(log).toContain('FETCH 1 BODY[TEXT]')
  })

  it('holds to the limits it was given', async () => {
    await using server = await createMailServer({
      listen: { smtp: '127.0.0.1:0', pop3: '127.0.0.1:0', imap: '127.0.0.1:0' },
      domains,
      maxMessageSize: 60_000_000,
      limits: { smtp: { errors: 1 }, pop3: { failedLogins: 1 }, imap: { errorsBeforeLogin: 1 } },
    })
    expect(await say(server, 'smtp', 'EHLO a.test', 'WHAT', 'WHAT')).toMatch(
      /SIZE 60000000\r\n[\s\S]*\r\n421 4/,
    )
    expect(await say(server, 'pop3', 'USER alice@example.test', 'PASS wrong')).toMatch(
      /\r\n-ERR \[AUTH\].*\r\n$/,
    )
    expect(await say(server, 'imap', 'a WHAT')).toMatch(/\r\na BAD .*\r\n\* BYE /)
  })

  it('delivers from inside the process, and says what was refused', async () => {
    await using server = await createMailServer({ listen: { imap: '127.0.0.1:0' }, domains })
    const replies = await server.deliver({
      reversePath: '',
      recipients: [
        'info@example.test',
        'nobody@example.test',
        'x@elsewhere.test',
        'no address',
        'alice@example.test',
      ],
      message: Buffer.from('Subject: hello\r\n\r\n'),
    })
    expect(replies.map(({ code, enhanced }) => `${code} ${enhanced}`)).toEqual([
      '250 2.0.0',
      '550 5.1.1',
      '550 5.7.1',
      '501 5.1.3',
      '250 2.0.0',
    ])
    const account = await server.store.open('alice@example.test')
    expect((await account.status('INBOX')).messages).toBe(1)
  })

  it('takes no yes of a delivery that did not mean one', async () => {
    const whole = {
      recipient: async () => undefined,
      ready: async () => undefined,
      write: () => undefined,
      commit: async () => ({ reply: reply(250, '2.0.0', 'Kept') }),
      abort: async () => undefined,
    }
    const begun: readonly unknown[] = [
      reply(250, '2.1.0', 'Yes'),
      { ...whole, recipient: async () => false },
      { ...whole, ready: async () => 'yes' },
      { ...whole, commit: async () => undefined },
      { ...whole, commit: async () => ({ recipients: [] }) },
    ]
    const message = Buffer.from('Subject: hello\r\n\r\n')
    for (const [index, transaction] of begun.entries()) {
      const delivery: Delivery = {
        ...simpleDelivery(async () => undefined),
        begin: async () => transaction as Transaction,
      }
      await using server = await createMailServer({ listen: { smtp: '127.0.0.1:0' }, delivery })
      const [said] = await server.deliver({ reversePath: '', recipients: ['a@b.test'], message })
      expect(said?.code, `${index}`).toBe(451)
    }
  })

  it('takes what a host plugs in: a store, an authenticator, a delivery', async () => {
    const store = new MemoryStore()
    const received: string[] = []
    await using server = await createMailServer({
      listen: { smtp: '127.0.0.1:0', imap: '127.0.0.1:0' },
      store,
      authenticator: {
        mechanisms: ['PLAIN'],
        plain: async ({ user, password }) =>
          password === 'open sesame' ? { ok: true, user } : { ok: false, failure: 'invalid' },
      },
      delivery: simpleDelivery(async ({ recipients, body }) => {
        let text = ''
        for await (const chunk of body) text += Buffer.from(chunk).toString()
        received.push(`${recipients.map(({ address }) => address).join()}: ${text}`)
      }),
    })
    await say(
      server,
      'smtp',
      'HELO a.test',
      'MAIL FROM:<>',
      'RCPT TO:<any@where.test>',
      'DATA',
      'x\r\n.',
      'QUIT',
    )
    expect(received).toEqual(['any@where.test: x\r\n'])
    expect(await say(server, 'imap', 'a LOGIN ali "open sesame"', 'b LIST "" %', 'c LOGOUT')).toMatch(
      /INBOX[\s\S]*^c OK/m,
    )
  })

  it('keeps other sessions going when a plug-in throws', async () => {
    const events: string[] = []
    await using server = await createMailServer({
      listen: { smtp: '127.0.0.1:0' },
      delivery: {
        features: { maxMessageSize: 1000, eightBitMime: true, smtpUtf8: false },
        begin: () => {
          throw new Error('a fault in the host')
        },
      },
      domains,
      logger: { log: (level, event) => events.push(`${level} ${event}`) },
    })
    const said = await say(server, 'smtp', 'HELO a.test', 'MAIL FROM:<>', 'NOOP', 'QUIT')
    expect(said).toMatch(/^451 4\.3\.0 .*\r\n250 .*\r\n221 /m)
    expect(events).toContain('error smtp.error')
    expect(await say(server, 'smtp', 'QUIT')).toMatch(/^220 .*\r\n221 /)
  })
})
