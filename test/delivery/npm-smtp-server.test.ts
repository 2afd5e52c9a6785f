import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, it } from 'vitest'
import { connectSmtp, SmtpClient, type SmtpConnectOptions } from '../../src/delivery/index.js'
import { createDevelopmentCertificate } from '../../src/tls/index.js'

const certificate = createDevelopmentCertificate(['localhost'], new Date())
const message = Buffer.from('Subject: hello\r\n\r\n.\r\n..two\r\nlast\r\n')
const cleanup: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const act of cleanup.splice(0)) await act()
})

interface Kept {
  readonly from: string
  readonly to: readonly string[]
  readonly body: string
  readonly user: string | undefined
  readonly secure: boolean
  readonly dsn: unknown
}

async function serve(options: SMTPServerOptions, path: string | null = null) {
  const kept: Kept[] = []
  const server = new SMTPServer({
    ...certificate,
    onAuth: ({ username, password }, _, done) =>
      password === 'secret' ? done(null, { user: username ?? '' }) : done(new Error('no')),
    onRcptTo: ({ address }, _, done) => done(address.startsWith('nobody') ? new Error('Who?') : null),
    onData: (stream, { envelope, user, secure }, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        const to = envelope.rcptTo.map(({ address }) => address)
        kept.push({
          from,
          to,
          body: Buffer.concat(chunks).toString(),
          user: user as unknown as string,
          secure,
          dsn: envelope.dsn && { ...envelope.dsn, to: envelope.rcptTo.map(({ dsn }) => dsn) },
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  const listening = path === null ? server.listen(0, '127.0.0.1') : server.listen(path)
  await once(listening, 'listening')
  cleanup.push(() => new Promise((resolve) => server.close(() => resolve())))
  const where = path === null ? { port: (listening.address() as AddressInfo).port } : { path }
  return { kept, to: { host: '127.0.0.1', ...where, hostname: 'client.test' } satisfies SmtpConnectOptions }
}

describe('to npm smtp-server', () => {
  const envelope = { from: 'alice@c.test', to: ['bob@example.test', 'nobody@example.test'] }
  const credentials = { user: 'alice', password: 'secret' }
  const trusting = { ca: certificate.cert, serverName: 'localhost' }

  it('sends many messages, each behind another', async () => {
    const { kept, to } = await serve({ authOptional: true })
    const client = new SmtpClient({ ...to, tls: 'none', maxConnections: 2 })
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const recipients = index % 5 === 4 ? ['nobody@example.test'] : envelope.to
        return client.send({ from: `m${index}@c.test`, to: recipients }, `${index}\r\n.\r\n`)
      }),
    )
    await client.close()
    for (const [index, { recipients, error }] of outcomes.entries()) {
      expect(error).toBeNull()
      expect(recipients.map(({ accepted }) => accepted)).toEqual(index % 5 === 4 ? [false] : [true, false])
    }
    expect(kept.map(({ from, to, body }) => `${from} ${to} ${body}`).sort()).toEqual(
      Array.from({ length: 60 }, (_, index) => `m${index}@c.test bob@example.test ${index}\r\n.\r\n`)
        .filter((_, index) => index % 5 !== 4)
        .sort(),
    )
  })

  it('sends over STARTTLS with each mechanism, and over implicit TLS', async () => {
    for (const mechanism of ['PLAIN', 'LOGIN']) {
      const { kept, to } = await serve({})
      const session = await connectSmtp({
        ...to,
        tls: 'required',
        tlsOptions: trusting,
        credentials,
        mechanisms: [mechanism],
      })
      const outcome = await session.send(envelope, message)
      expect(outcome.recipients.map(({ accepted, reply }) => [accepted, reply.code])).toEqual([
        [true, 250],
        [false, 550],
      ])
      await session.close()
      expect(kept).toEqual([
        {
          from: 'alice@c.test',
          to: ['bob@example.test'],
          body: message.toString(),
          user: 'alice',
          secure: true,
          dsn: undefined,
        },
      ])
    }
    const { kept, to } = await serve({ secure: true })
    const session = await connectSmtp({ ...to, tls: 'implicit', tlsOptions: trusting, credentials })
    await session.send(envelope, message)
    await session.send({ ...envelope, from: '' }, message)
    await session.close()
    expect(kept.map(({ from, body }) => [from, body === message.toString()])).toEqual([
      ['alice@c.test', true],
      ['', true],
    ])
  })

  it('asks for notices where they are offered', async () => {
    const { kept, to } = await serve({ authOptional: true, hideDSN: false })
    const session = await connectSmtp(to)
    const notify = ['SUCCESS', 'DELAY'] as const
    const outcome = await session.send(
      {
        ...envelope,
        to: [
          { address: 'bob@example.test', notify, originalRecipient: 'rfc822;a+b@c.test' },
          { address: 'carol@example.test', notify: ['NEVER'] },
        ],
        ret: 'HDRS',
        envelopeId: 'q=1',
      },
      message,
    )
    expect(outcome.recipients.map(({ accepted }) => accepted)).toEqual([true, true])
    expect(outcome.extensions.dsn).toBe(true)
    await session.close()
    expect(kept[0]?.dsn).toEqual({
      ret: 'HDRS',
      envid: 'q=1',
      to: [{ notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;a+b@c.test' }, { notify: ['NEVER'] }],
    })
  })

  it('speaks LMTP to a local socket, and hears of each recipient', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mailwright-'))
    cleanup.push(() => rm(folder, { recursive: true }))
    const name = basename(folder)
    const { to } = await serve(
      {
        lmtp: true,
        authOptional: true,
        disabledCommands: ['STARTTLS'],
        onData: (stream, _, done) => {
          stream.resume()
          const full = Object.assign(new Error('Full'), { responseCode: 452 })
          // Its own types know of one text for all.
          stream.on('end', () => done(null, ['Kept', full] as unknown as string))
        },
      },
      process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(folder, 'lmtp'),
    )
    const session = await connectSmtp({ ...to, lmtp: true })
    const outcome = await session.send({ ...envelope, to: [...envelope.to, 'carol@example.test'] }, message)
    expect(outcome.recipients.map(({ accepted, reply }) => [accepted, reply.code])).toEqual([
      [true, 250],
      [false, 550],
      [false, 452],
    ])
    await session.close()
  })

  it('hears that a password is wrong, and sends in clear where it may', async () => {
    const { to } = await serve({})
    await expect(
      connectSmtp({ ...to, credentials: { user: 'alice', password: 'wrong' }, tls: 'opportunistic' }),
    ).rejects.toMatchObject({ code: 'REFUSED', reply: { code: 535 } })
    const open = await serve({ authOptional: true, disabledCommands: ['STARTTLS'] })
    const session = await connectSmtp(open.to)
    await session.send(envelope, [message.subarray(0, 7), message.subarray(7)])
    await session.close()
    expect(open.kept[0]).toMatchObject({ secure: false, body: message.toString() })
  })
})
