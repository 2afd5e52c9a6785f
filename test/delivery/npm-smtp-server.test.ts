import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, it } from 'vitest'
import { connectSmtp, type SmtpConnectOptions } from '../../src/delivery/index.js'
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
}

async function serve(options: SMTPServerOptions) {
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
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  cleanup.push(() => new Promise((resolve) => server.close(() => resolve())))
  const { port } = listening.address() as AddressInfo
  return { kept, to: { host: '127.0.0.1', port, hostname: 'client.test' } satisfies SmtpConnectOptions }
}

describe('to npm smtp-server', () => {
  const envelope = { from: 'alice@c.test', to: ['bob@example.test', 'nobody@example.test'] }
  const credentials = { user: 'alice', password: 'secret' }
  const trusting = { ca: certificate.cert, serverName: 'localhost' }

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

  it('hears that a password is wrong, and sends in clear where it may', async () => {
    const { to } = await serve({})
    await expect(
      connectSmtp({ ...to, credentials: { user: 'alice', password: 'wrong' } }),
    ).rejects.toMatchObject({ code: 'REFUSED', reply: { code: 535 } })
    const open = await serve({ authOptional: true, disabledCommands: ['STARTTLS'] })
    const session = await connectSmtp(open.to)
    await session.send(envelope, [message.subarray(0, 7), message.subarray(7)])
    await session.close()
    expect(open.kept[0]).toMatchObject({ secure: false, body: message.toString() })
  })
})
