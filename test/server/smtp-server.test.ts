import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { afterEach, describe, expect, it } from 'vitest'
import type { Reply, SmtpServerSettings } from '../../src/index.js'
import { MailError, reply, SmtpServer } from '../../src/index.js'
import type { SmtpSession } from '../../src/smtp/index.js'
import { say } from '../support/say.js'

const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const act of cleanup.splice(0)) await act()
})

async function listen(settings: SmtpServerSettings): Promise<number> {
  const server = new SmtpServer({ hostname: 'mx.example.test', ...settings })
  cleanup.push(() => server.close())
  return (await server.listen()).port
}

const transport = (port: number, options: object = {}) =>
  createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false }, ...options })
const mail = { from: 'a@client.test', to: 'b@example.test', subject: 'x', text: 'hello' }

describe('SmtpServer', () => {
  it('calls a handler for each step, with one session object from beginning to end', async () => {
    const seen: string[] = []
    const sessions = new Set<SmtpSession>()
    let closed: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      closed = resolve
    })
    const note = (session: SmtpSession, what: string): undefined => {
      sessions.add(session)
      session.data.set('steps', Number(session.data.get('steps') ?? 0) + 1)
      seen.push(what)
      return undefined
    }
    const port = await listen({
      service: 'submission',
      onConnect: (session) => note(session, `connect ${session.remoteAddress}`),
      onHelo: (session) => note(session, `helo ${session.secure}`),
      onAuth: async ({ user, password, mechanism }, session) => {
        note(session, `auth ${mechanism}`)
        return password === 'secret' ? user : null
      },
      onMailFrom: (envelope, session) => note(session, `mail ${envelope.reversePath} ${session.user}`),
      onRcptTo: (recipient, session) => note(session, `rcpt ${recipient.address}`),
      async onData(message, session) {
        let text = ''
        for await (const chunk of message.body) text += Buffer.from(chunk).toString('latin1')
        note(session, `data ${text.endsWith('\r\n\r\nhello\r\n')} ${message.received.length > 0}`)
      },
      onClose(session) {
        note(session, `close after ${session.data.get('steps')}`)
        closed()
      },
    })
    const client = transport(port, { auth: { user: 'alice', pass: 'secret' } })
    await client.sendMail(mail)
    client.close()
    await over
    expect(seen).toEqual([
      'connect 127.0.0.1',
      'helo false',
      'helo true',
      'auth PLAIN',
      'mail a@client.test alice',
      'rcpt b@example.test',
      'data true true',
      'close after 7',
    ])
    expect(sessions.size).toBe(1)
    await expect(
      transport(port, { auth: { user: 'alice', pass: 'wrong' } }).sendMail(mail),
    ).rejects.toMatchObject({
      responseCode: 535,
    })
  })

  it('takes access tokens where there is an onToken, and offers nothing else', async () => {
    const seen: string[] = []
    const port = await listen({
      service: 'submission',
      onToken({ user, token, mechanism }, session) {
        seen.push(`${mechanism} ${user} ${session.secure}`)
        return token === 'right' ? user : null
      },
    })
    const auth = { type: 'OAuth2', user: 'alice' } as const
    const right = transport(port, { auth: { ...auth, accessToken: 'right' } })
    await right.sendMail(mail)
    right.close()
    await expect(
      transport(port, { auth: { ...auth, accessToken: 'wrong' } }).sendMail(mail),
    ).rejects.toMatchObject({ responseCode: 535 })
    expect(new Set(seen)).toEqual(new Set(['XOAUTH2 alice true']))
    await expect(
      transport(port, { auth: { user: 'alice', pass: 'right' } }).sendMail(mail),
    ).rejects.toMatchObject({ responseCode: 504 })
  })

  it('says what a handler returns or throws', async () => {
    const answers: readonly (readonly [() => Reply, string])[] = [
      [() => reply(550, '5.1.1', 'Nobody'), '550 5.1.1 Nobody'],
      [
        () => {
          throw Object.assign(new Error('Not you'), { responseCode: 553 })
        },
        '553 5.0.0 Not you',
      ],
      [
        () => {
          throw Object.assign(new Error('a\r\n250 b'), { responseCode: 450 })
        },
        '450 4.0.0 a 250 b',
      ],
      [
        () => {
          throw new MailError('overQuota', 'secret')
        },
        '452 4.2.2 Mailbox is full',
      ],
      [
        () => {
          throw new Error('secret')
        },
        '451 4.3.0 Temporary failure, try again later',
      ],
      [
        () => {
          throw Object.assign(new Error('secret'), { responseCode: 250 })
        },
        '451 4.3.0 Temporary failure, try again later',
      ],
    ]
    for (const [answer, said] of answers) {
      const port = await listen({ tls: false, onRcptTo: answer })
      expect(await say(port, 'HELO c', 'MAIL FROM:<>', 'RCPT TO:<a@b>')).toContain(`\r\n${said}\r\n`)
      const data = await listen({ tls: false, onData: async () => answer() })
      expect(await say(data, 'HELO c', 'MAIL FROM:<>', 'RCPT TO:<a@b>', 'DATA', 'x\r\n.')).toContain(
        `${said}\r\n`,
      )
      const mailFrom = await listen({ tls: false, onMailFrom: async () => answer() })
      expect(await say(mailFrom, 'HELO c', 'MAIL FROM:<>')).toContain(`${said}\r\n`)
    }
  })

  it('takes results by recipient, which LMTP tells', async () => {
    const results = [reply(250, '2.0.0', 'Yes'), reply(452, '4.2.2', 'Full')]
    const port = await listen({ service: 'lmtp', tls: false, onData: async () => results })
    const said = await say(port, 'LHLO c', 'MAIL FROM:<>', 'RCPT TO:<a@b>\r\nRCPT TO:<c@b>', 'DATA', 'x\r\n.')
    expect(said).toMatch(/250 2\.0\.0 Yes\r\n452 4\.2\.2 Full\r\n$/)
  })

  it('holds to the size, and offers what it was told to', async () => {
    const port = await listen({
      maxMessageSize: 1000,
      secure: true,
      features: { dsn: true },
      chunking: false,
    })
    const client = transport(port, { secure: true })
    await expect(client.sendMail({ ...mail, text: 'x'.repeat(2000) })).rejects.toMatchObject({
      responseCode: 552,
    })
    expect(await client.sendMail({ ...mail, dsn: { notify: 'never' } })).toMatchObject({
      accepted: [mail.to],
    })
    client.close()
  })

  it('lets a proxy say for whom it speaks', async () => {
    const port = await listen({
      tls: false,
      proxy: ['loopback'],
      onConnect: ({ remoteAddress }) => reply(554, '5.7.1', remoteAddress),
    })
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write('PROXY TCP4 198.51.100.7 192.0.2.1 50000 25\r\n')
    let said = ''
    for await (const chunk of socket) said += String(chunk)
    expect(said).toBe('554 5.7.1 198.51.100.7\r\n')
  })

  it('ends sessions in the words of the protocol', async () => {
    const server = new SmtpServer({ tls: false, hostname: 'mx.example.test' })
    const { port } = await server.listen()
    expect(server.address?.port).toBe(port)
    const socket = connect({ port, host: '127.0.0.1' })
    let said = ''
    socket.on('data', (chunk) => {
      said += String(chunk)
      if (said.endsWith('ESMTP\r\n')) void server.close()
    })
    await new Promise((resolve) => socket.once('close', resolve))
    expect(said).toBe('220 mx.example.test ESMTP\r\n421 4.3.2 Service is shutting down\r\n')
    await expect(server.listen()).rejects.toMatchObject({ code: 'LISTENING' })
  })

  it('closes when its time is up, whatever a handler is at', async () => {
    const never = () => new Promise<undefined>(() => undefined)
    for (const handlers of [{ onConnect: never }, { onRcptTo: never }, { onData: never }]) {
      const server = new SmtpServer({ tls: false, shutdownTimeout: 20, ...handlers })
      const { port } = await server.listen()
      const talking = say(port, 'HELO c', 'MAIL FROM:<>', 'RCPT TO:<a@b>', 'DATA', 'x\r\n.').catch(() => '')
      await new Promise((resolve) => setTimeout(resolve, 50))
      await server.close()
      expect(await talking).not.toMatch(/^250 2\.0\.0/m)
    }
  })

  it('refuses settings that cannot work before it listens', () => {
    const make = (settings: SmtpServerSettings) => () => new SmtpServer(settings)
    expect(make({ service: 'submission' })).toThrow(expect.objectContaining({ code: 'OPTION' }))
    expect(make({ secure: true, tls: false })).toThrow(expect.objectContaining({ code: 'OPTION' }))
    expect(make({ hostname: 'a b' })).toThrow(expect.objectContaining({ code: 'OPTION' }))
    expect(make({ proxy: ['x'] })).toThrow(expect.objectContaining({ code: 'ADDRESS' }))
    expect(make({ limits: { recipients: 1 } })).toThrow(expect.objectContaining({ code: 'LIMIT' }))
    expect(make({ requireTls: true, secure: true })).not.toThrow()
  })
})
