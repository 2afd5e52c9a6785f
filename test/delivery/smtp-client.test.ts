import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Driver } from '../../src/core/index.js'
import {
  connectSmtp,
  SmtpClient,
  type SmtpClientPoolOptions,
  type SmtpConnectOptions,
} from '../../src/delivery/index.js'
import type { DeliveryFeatures } from '../../src/interfaces/index.js'
import { ConnectionLimits, Listener, type TlsMode } from '../../src/net/index.js'
import { type SmtpServiceOptions, startSmtpSession } from '../../src/smtp/index.js'
import type { MtaStsPolicy, TlsaRecord } from '../../src/tls/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'
import { TestDelivery, testAuthenticator } from '../smtp/harness.js'
import { makeCertificate } from '../tls/certificates.js'

const certificate = createDevelopmentCertificate(['localhost'], new Date())
const tls = new TlsServerContext({ certificates: [certificate] })
const envelope = { from: 'a@c.test', to: ['bob@example.test'] }
/** As long as a test may run, by the machine's clock. */
const lasting = { from: new Date(Date.now() - 86_400_000), to: new Date(Date.now() + 86_400_000) }
const cleanup: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const act of cleanup.splice(0).reverse()) await act()
})

async function serve(
  tlsMode: TlsMode = 'none',
  options: Partial<SmtpServiceOptions> = {},
  features: Partial<DeliveryFeatures> = {},
  context = tls,
) {
  const delivery = new TestDelivery(1_000_000, features)
  const drivers = new Set<{ shutdown(reason: 'shutdown'): void }>()
  let connections = 0
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    tlsMode,
    tls: context,
    alpn: null,
    limits: new ConnectionLimits(),
    onError: () => undefined,
    serve: async ({ duplex, ...addresses }) => {
      const session = startSmtpSession({
        hostname: 'mx.example.test',
        startTls: tlsMode === 'starttls',
        connection: { id: `n${++connections}`, tls: duplex.tlsInfo, ...addresses },
        delivery,
        ...options,
      })
      const driver = new Driver(session.engine, duplex, session)
      session.attach(driver)
      drivers.add(driver)
      await driver.run()
      drivers.delete(driver)
    },
  })
  cleanup.push(() => listener.close())
  return {
    delivery,
    port: listener.address.port,
    drivers,
    get connections() {
      return connections
    },
  }
}

function clientOf(port: number, options: SmtpClientPoolOptions = {}): SmtpClient {
  const client = new SmtpClient({ host: '127.0.0.1', port, hostname: 'client.test', ...options })
  cleanup.push(() => client.destroy())
  return client
}

/** A server in a few lines of its own. */
async function bare(answer: (line: string, socket: Socket) => string | null): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write('220 bare\r\n')
    let rest = ''
    socket.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\r\n')
      rest = lines.pop() as string
      for (const line of lines) socket.write(answer(line, socket) ?? '')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanup.push(() => void server.close())
  return (server.address() as { port: number }).port
}

describe('SmtpClient', () => {
  it('sends many messages over few connections', async () => {
    const server = await serve()
    const client = clientOf(server.port, { maxConnections: 3, maxMessages: 7 })
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, index) => client.send(envelope, `Subject: ${index}\r\n\r\nhello\n`)),
    )
    expect(all.every(({ recipients }) => recipients[0]?.accepted)).toBe(true)
    expect(new Set(server.delivery.kept.map(({ body }) => body)).size).toBe(40)
    expect(server.delivery.kept[0]?.body).toMatch(/hello\r\n$/)
    expect(server.connections).toBeGreaterThanOrEqual(6)
    expect(server.connections).toBeLessThanOrEqual(8)
    await client.close()
    expect(server.drivers.size).toBe(0)
    await expect(client.send(envelope, 'x')).rejects.toMatchObject({ code: 'STATE' })
  })

  it('closes what is idle, and what is idle does not hold it up', async () => {
    const server = await serve()
    const client = clientOf(server.port, { idleMs: 20 })
    await client.send(envelope, 'x')
    expect(server.drivers.size).toBe(1)
    await expect.poll(() => server.drivers.size).toBe(0)
    await client.send(envelope, 'x')
    expect(server.connections).toBe(2)
  })

  it('sends again over a new connection what an old one was gone for', async () => {
    const server = await serve()
    const client = clientOf(server.port)
    await client.send(envelope, 'x')
    for (const driver of server.drivers) driver.shutdown('shutdown')
    expect((await client.send(envelope, 'y')).recipients[0]?.accepted).toBe(true)
    expect(server.connections).toBe(2)
    let mails = 0
    const fickle = await bare((line) => {
      if (/^EHLO|^RCPT/.test(line)) return '250 ok\r\n'
      if (/^MAIL/.test(line)) return ++mails === 2 ? '421 too many\r\n' : '250 ok\r\n'
      return line === 'DATA' ? '354 go\r\n' : line === '.' ? '250 kept\r\n' : null
    })
    const other = clientOf(fickle)
    await other.send(envelope, 'x')
    const chunks = [Buffer.from('x')]
    expect((await other.send(envelope, chunks)).recipients[0]?.accepted).toBe(true)
    expect(mails).toBe(3)
  })

  it('tells why it cannot connect, to everyone who waits', async () => {
    const client = clientOf(1, { maxConnections: 2 })
    const all = await Promise.allSettled(Array.from({ length: 6 }, () => client.send(envelope, 'x')))
    for (const each of all)
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'ECONNREFUSED' } })
    const rude = clientOf(await bare(() => null), { maxConnections: 1 })
    const waiting = Promise.allSettled([rude.send(envelope, 'x'), rude.send(envelope, 'x')])
    await new Promise((resolve) => setTimeout(resolve, 20))
    await rude.destroy()
    for (const each of await waiting)
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'STATE' } })
  })

  it('stops when it is told to: connecting, waiting for a connection, sending', async () => {
    const port = await bare((line) => (/^EHLO|^MAIL|^RCPT/.test(line) ? '250 ok\r\n' : null))
    const client = clientOf(port, { maxConnections: 1 })
    const abort = new AbortController()
    const options = { signal: abort.signal }
    const sending = client.send(envelope, 'x', options)
    const waiting = client.send(envelope, 'x', options)
    const connecting = clientOf(await bare(() => null)).send(envelope, 'x', options)
    setTimeout(() => abort.abort(new Error('enough')), 30)
    for (const each of await Promise.allSettled([sending, waiting, connecting])) {
      expect(each).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
    }
    await expect(client.send(envelope, 'x', options)).rejects.toThrow('enough')
  })

  it('looks up what the envelope leaves out', async () => {
    const server = await serve()
    const client = clientOf(server.port)
    const sent = await client.send(envelope, 'ü\r\n')
    expect(sent.recipients[0]?.accepted).toBe(true)
    expect(server.delivery.kept[0]?.envelope).toMatchObject({ size: 4, body: '8BITMIME' })
    const large = await client.send(envelope, Buffer.alloc(1_000_001))
    expect(large.recipients[0]).toMatchObject({ stage: 'local', reply: { code: 552 } })
    const chunks = Array.from({ length: 50 }, () => Buffer.from('x\r\n'.repeat(3000)))
    expect((await client.send(envelope, chunks)).recipients).toMatchObject([
      { accepted: true, reply: { code: 250 } },
    ])
    expect(server.delivery.kept[1]?.body).toHaveLength(450_000)
    await client.send(envelope, Buffer.concat([...chunks, ...chunks]))
    expect(server.delivery.kept[2]?.body).toHaveLength(900_000)
  })

  it('encodes an 8-bit message for a server without 8BITMIME, and asks for SMTPUTF8 where the header needs it', async () => {
    const server = await serve('none', {}, { eightBitMime: false })
    const client = clientOf(server.port)
    const message = 'MIME-Version: 1.0\r\n\r\nGrüße aus dem Süden\r\n'
    for (const body of [message, [Buffer.from(message)], () => [Buffer.from(message)]]) {
      const sent = await client.send({ ...envelope, body: '8BITMIME' }, body)
      expect(sent.recipients[0]?.accepted).toBe(true)
      expect(server.delivery.kept.at(-1)?.body).toBe(
        'MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe aus dem S=C3=BCden\r\n',
      )
    }
    const strict = clientOf(server.port, { downgrade: false })
    expect((await strict.send(envelope, message)).recipients[0]?.reply.enhanced).toBe('5.6.3')
    const named = 'Subject: Grüße\r\n\r\nx\r\n'
    expect((await client.send(envelope, named)).recipients[0]?.reply.enhanced).toMatch(/^5\.6\.[37]$/)
    const modern = await serve('none', {}, { smtpUtf8: true })
    expect((await clientOf(modern.port).send(envelope, named)).recipients[0]?.accepted).toBe(true)
    expect(modern.delivery.kept[0]).toMatchObject({
      envelope: { smtpUtf8: true },
      body: Buffer.from(named).toString('latin1'),
    })
    await clientOf(modern.port).send(envelope, Buffer.from('X: \xfc\r\n\r\nx\r\n', 'latin1'))
    expect(modern.delivery.kept[1]?.envelope).toMatchObject({ smtpUtf8: false, body: '8BITMIME' })
  })

  it('goes on with a source that can be opened again when the old connection is gone', async () => {
    const server = await serve('none', {}, { eightBitMime: false })
    const client = clientOf(server.port)
    await client.send(envelope, 'x')
    for (const driver of server.drivers) driver.shutdown('shutdown')
    const source = async function* () {
      await new Promise((resolve) => setTimeout(resolve, 20))
      yield Buffer.from('A: b\r\n\r\nabcdefghü\r\n')
    }
    const sent = await client.send({ ...envelope, body: '8BITMIME' }, source)
    expect(sent.recipients[0]?.accepted).toBe(true)
    expect(server.connections).toBe(2)
  })

  it('tells of a server that ends the session before the first message what it said, and does not blame the caller', async () => {
    const overloaded = await bare((line) =>
      /^EHLO/.test(line) ? '250 ok\r\n421 4.3.2 overloaded\r\n' : null,
    )
    const refused = { name: 'SmtpRefusal', code: 'REFUSED', reply: { code: 421, enhanced: '4.3.2' } }
    await expect(clientOf(overloaded).send(envelope, 'x')).rejects.toMatchObject(refused)
    const early = await bare((line) => (/^EHLO/.test(line) ? '250 ok\r\n250 ok\r\n250 ok\r\n' : null))
    await expect(clientOf(early).send(envelope, 'x')).rejects.toMatchObject({ code: 'OUT_OF_TURN' })
  })

  it('leaves a connection on which the server spoke out of turn for a new one', async () => {
    let connections = 0
    const port = await bare((line) => {
      if (/^EHLO/.test(line)) connections++
      if (/^EHLO|^MAIL|^RCPT/.test(line)) return '250 ok\r\n'
      return line === 'DATA' ? '354 go\r\n' : line === '.' ? '250 kept\r\n250 what\r\n' : null
    })
    const client = clientOf(port)
    await client.send(envelope, 'x')
    const sent = await client.send(envelope, [Buffer.from('y')])
    expect(sent.recipients[0]?.accepted).toBe(true)
    expect(connections).toBe(2)
  })

  describe('with more messages than connections', () => {
    /** A server that pipelines; `answer` makes the reply to its nth message, at once or some time. */
    async function pipelining(answer: (message: number, socket: Socket) => string | Promise<string>) {
      const server = { port: 0, seen: [] as string[], messages: 0, connections: 0 }
      const replies = new WeakMap<Socket, Promise<void>>()
      const reply = (line: string, socket: Socket): string | Promise<string> => {
        if (line.startsWith('EHLO')) return '250-bare\r\n250 PIPELINING\r\n'
        if (/^MAIL|^RCPT/.test(line)) return '250 ok\r\n'
        if (line === 'DATA') return '354 go\r\n'
        return line === '.' ? answer(++server.messages, socket) : line === 'QUIT' ? '221 bye\r\n' : ''
      }
      server.port = await bare((line, socket) => {
        server.seen.push(line)
        const before = replies.get(socket)
        if (before === undefined) server.connections++
        const said = reply(line, socket)
        replies.set(
          socket,
          (before ?? Promise.resolve()).then(async () => void socket.write(await said)),
        )
        return null
      })
      return server
    }
    /** One that says yes to a message when it is told to. */
    async function holding() {
      const held: (() => void)[] = []
      const server = await pipelining(
        () => new Promise((resolve) => held.push(() => resolve('250 2.0.0 kept\r\n'))),
      )
      const release = async () => {
        await expect.poll(() => held.length).toBe(1)
        held.pop()?.()
      }
      return { server, release }
    }
    const send = (client: SmtpClient, count: number, options: { signal?: AbortSignal } = {}) =>
      Array.from({ length: count }, (_, index) =>
        client.send({ ...envelope, from: `m${index}@c.test` }, [Buffer.from(`${index}\r\n`)], options),
      )
    const settled = () => new Promise((resolve) => setTimeout(resolve, 30))

    it('sends the envelope of one behind the end of another', async () => {
      const { server, release } = await holding()
      const sending = send(clientOf(server.port, { maxConnections: 1 }), 3)
      const behind = (from: string) => ['.', `MAIL FROM:<${from}>`, 'RCPT TO:<bob@example.test>', 'DATA']
      await expect.poll(() => server.seen.slice(-4)).toEqual(behind('m1@c.test'))
      expect(server.messages).toBe(1)
      await release()
      await expect.poll(() => server.seen.slice(-4)).toEqual(behind('m2@c.test'))
      await release()
      await release()
      expect((await Promise.all(sending)).every(({ recipients }) => recipients[0]?.accepted)).toBe(true)
      expect(server.connections).toBe(1)
    })

    it('takes a message that comes later, but not behind one whose server is slow', async () => {
      const { server, release } = await holding()
      const client = clientOf(server.port, { maxConnections: 1 })
      const [first] = send(client, 1)
      await expect.poll(() => server.seen.at(-1)).toBe('.')
      const second = client.send({ ...envelope, from: 'second@c.test' }, 'x')
      await expect.poll(() => server.seen.at(-3)).toBe('MAIL FROM:<second@c.test>')
      await release()
      await first
      await expect.poll(() => server.messages).toBe(2)
      await new Promise((resolve) => setTimeout(resolve, 1050))
      const third = client.send({ ...envelope, from: 'third@c.test' }, 'x')
      await settled()
      expect(server.seen.at(-1)).toBe('.')
      await release()
      await second
      await release()
      expect((await third).recipients[0]?.accepted).toBe(true)
    })

    it('sends the one behind again where the server leaves after the one before', async () => {
      const silence = new Promise<string>(() => undefined)
      const leave = (socket: Socket) => {
        socket.destroy()
        return silence
      }
      const ends: readonly [string, (socket: Socket) => string | Promise<string>, object][] = [
        ['421', () => '421 4.3.2 bye\r\n', { reply: { code: 421 } }],
        ['closes', leave, { reply: { code: 451 } }],
        ['silent', () => silence, { reply: { code: 451 } }],
      ]
      for (const [name, end, expected] of ends) {
        const server = await pipelining((message, socket) =>
          message === 1 ? end(socket) : '250 2.0.0 kept\r\n',
        )
        const client = clientOf(server.port, { maxConnections: 1, limits: { finalMs: 60 } })
        const [first, second] = await Promise.all(send(client, 2))
        expect(first?.recipients, name).toMatchObject([{ accepted: false, ...expected }])
        expect(second?.recipients, name).toMatchObject([{ accepted: true }])
        expect(server.connections, name).toBe(2)
      }
    })

    it('counts them, and closes a connection that has had its number', async () => {
      const server = await pipelining(() => '250 kept\r\n')
      const client = clientOf(server.port, { maxConnections: 2, maxMessages: 3 })
      const outcomes = await Promise.all(send(client, 12))
      expect(outcomes.every(({ recipients }) => recipients[0]?.accepted)).toBe(true)
      expect(server.connections).toBe(4)
      await client.close()
      expect(server.seen.filter((line) => line === 'QUIT')).toHaveLength(4)
    })

    it('gives up the one behind without harm to the one before', async () => {
      const { server, release } = await holding()
      const client = clientOf(server.port, { maxConnections: 1 })
      const abort = new AbortController()
      const [first] = send(client, 1)
      const [second] = send(client, 1, { signal: abort.signal })
      const third = client.send(envelope, 'x')
      await expect.poll(() => server.seen.at(-1)).toBe('DATA')
      abort.abort(new Error('enough'))
      await expect(second).rejects.toThrow('enough')
      await release()
      expect((await first)?.recipients[0]?.accepted).toBe(true)
      await release()
      expect((await third).recipients[0]?.accepted).toBe(true)
      expect(server.connections).toBe(2)
    })

    it('waits at its end for all of them', async () => {
      const server = await serve()
      const client = clientOf(server.port, { maxConnections: 2 })
      const sending = Promise.all(send(client, 50))
      await client.close()
      expect((await sending).every(({ recipients }) => recipients[0]?.accepted)).toBe(true)
      const other = clientOf(server.port, { maxConnections: 2 })
      const destroyed = Promise.allSettled(send(other, 50))
      await settled()
      await other.destroy()
      for (const each of await destroyed) {
        if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'STATE' })
      }
      await expect.poll(() => server.drivers.size).toBe(0)
    })
  })

  it('says what is wrong with an envelope or a message that is none', async () => {
    const server = await serve()
    const client = clientOf(server.port)
    const nobody = { ...envelope, to: [null] as unknown as string[] }
    await expect(client.send(nobody, 'x')).rejects.toMatchObject({ code: 'ENVELOPE' })
    for (const wrong of [null, undefined, 5, {}]) {
      await expect(client.send(envelope, wrong as unknown as string)).rejects.toMatchObject({ code: 'BODY' })
    }
    expect((await client.send(envelope, 'x')).recipients[0]?.accepted).toBe(true)
  })

  it('passes an original recipient on as a server has told it, whichever script it is in', async () => {
    const originalRecipient = 'utf-8;jörg+a=b\\c d@bücher.test'
    for (const smtpUtf8 of [false, true]) {
      const server = await serve('none', {}, { dsn: true, smtpUtf8 })
      const to = [{ address: 'bob@example.test', originalRecipient }]
      const sent = await clientOf(server.port).send({ ...envelope, to, smtpUtf8 }, 'x')
      expect(sent.recipients[0]?.accepted).toBe(true)
      expect(server.delivery.kept[0]?.details[0]?.originalRecipient).toBe(originalRecipient)
    }
  })

  it('throws for options that make no pool', () => {
    for (const wrong of [
      { maxConnections: 0 },
      { maxMessages: 0 },
      { idleMs: -1 },
      { maxConnections: Number.NaN },
    ]) {
      expect(() => new SmtpClient(wrong)).toThrow(expect.objectContaining({ code: 'OPTION' }))
    }
  })
})

describe('connectSmtp', () => {
  const to = (port: number) => ({ host: '127.0.0.1', port, hostname: 'client.test' })
  const trusting = { ca: certificate.cert, serverName: 'localhost' }

  it('logs in over implicit TLS and over STARTTLS, at a server whose certificate is good', async () => {
    const credentials = { user: 'alice', password: 'secret' }
    const options = { service: 'submission' as const, authenticator: testAuthenticator }
    for (const [mode, tls] of [
      ['implicit', 'implicit'],
      ['starttls', 'required'],
    ] as const) {
      const server = await serve(mode, options)
      const session = await connectSmtp({ ...to(server.port), tls, tlsOptions: trusting, credentials })
      expect((await session.send({ ...envelope, from: '' }, Buffer.from('x'))).recipients).toMatchObject([
        { accepted: true, reply: { code: 250 } },
      ])
      await session.close()
      expect(server.delivery.kept[0]?.context).toMatchObject({ user: 'alice', transmission: 'ESMTPSA' })
      await expect(connectSmtp({ ...to(server.port), tls, credentials })).rejects.toMatchObject({
        code: 'TLS_HANDSHAKE',
      })
    }
  })

  it('says why there is no session when a message is to be sent over one that the server has ended', async () => {
    const port = await bare((line) => (/^EHLO/.test(line) ? '250 ok\r\n421 4.3.2 overloaded\r\n' : null))
    const session = await connectSmtp(to(port))
    await expect(session.send(envelope, Buffer.from('x'))).rejects.toMatchObject({ reply: { code: 421 } })
    const other = await connectSmtp(to((await serve()).port))
    await other.close()
    await expect(other.send(envelope, Buffer.from('x'))).rejects.toMatchObject({ code: 'STATE' })
    await expect(other.send(envelope, null as unknown as Buffer)).rejects.toMatchObject({ code: 'BODY' })
  })

  it('takes credentials that are null for none', async () => {
    const session = await connectSmtp({ ...to((await serve()).port), credentials: null })
    expect(session.engine.secure).toBe(false)
    await session.close()
  })

  it('takes any certificate where TLS is opportunistic, and none where TLS does not work', async () => {
    const server = await serve('starttls')
    const session = await connectSmtp(to(server.port))
    expect(session.engine.secure).toBe(true)
    await session.close()
    const broken = await bare((line, socket) => {
      if (/^EHLO/.test(line)) return '250-bare\r\n250 STARTTLS\r\n'
      if (line === 'STARTTLS') {
        socket.removeAllListeners('data')
        socket.on('data', () => socket.end('no TLS here'))
        return '220 go\r\n'
      }
      return line === 'QUIT' ? '221 bye\r\n' : null
    })
    const plain = await connectSmtp(to(broken))
    expect(plain.engine.secure).toBe(false)
    await plain.close()
    await expect(connectSmtp({ ...to(broken), tls: 'required' })).rejects.toMatchObject({
      code: 'TLS_HANDSHAKE',
    })
  })

  it('asks the host about a certificate', async () => {
    const server = await serve('starttls')
    const fingerprints: string[] = []
    const verify = ({ chain }: { chain: readonly { fingerprint256: string }[] }): string | null => {
      fingerprints.push(chain[0]?.fingerprint256 ?? '')
      return fingerprints.length > 1 ? 'not today' : null
    }
    const session = await connectSmtp({ ...to(server.port), tls: 'required', tlsOptions: { verify } })
    await session.close()
    await expect(
      connectSmtp({ ...to(server.port), tls: 'required', tlsOptions: { verify } }),
    ).rejects.toThrow('not today')
    expect(fingerprints[0]).toMatch(/^[0-9A-F:]{95}$/)
  })

  it('holds the certificate against TLSA records', async () => {
    const root = makeCertificate({ subject: 'root', ca: true, ...lasting })
    const leaf = makeCertificate({ subject: 'mx', names: ['mx.example.test'], issuer: root, ...lasting })
    const context = new TlsServerContext({ certificates: [{ cert: leaf.cert + root.cert, key: leaf.key }] })
    const server = await serve('starttls', {}, { requireTls: true }, context)
    const record = (usage: number, { certificate }: typeof root) => ({
      usage,
      selector: 0,
      matchingType: 1,
      data: createHash('sha256').update(certificate.raw).digest(),
    })
    const connect = (records: readonly TlsaRecord[], options: Partial<SmtpConnectOptions> = {}) =>
      connectSmtp({
        ...to(server.port),
        tlsOptions: { serverName: 'mx.example.test', dane: { records } },
        ...options,
      })
    for (const records of [[record(3, leaf)], [record(2, root)], [record(0, leaf), record(3, leaf)]]) {
      const session = await connect(records)
      const outcome = await session.send({ ...envelope, requireTls: true }, Buffer.from('x'))
      expect(outcome.recipients[0]?.accepted).toBe(true)
      expect(server.delivery.kept.at(-1)?.envelope.requireTls).toBe(true)
      await session.close()
    }
    // records that cannot be used want TLS, and prove nothing
    const unproved = await connect([record(1, leaf)])
    expect(unproved.engine.secure).toBe(true)
    expect(
      (await unproved.send({ ...envelope, requireTls: true }, Buffer.from('x'))).recipients[0],
    ).toMatchObject({
      stage: 'local',
      reply: { enhanced: '5.7.10' },
    })
    await unproved.close()
    await expect(connect([record(1, leaf)], { tls: 'required' })).rejects.toMatchObject({
      code: 'TLS_HANDSHAKE',
    })
    await expect(connect([record(3, root)])).rejects.toThrow(/no TLSA record/)
    await expect(
      connectSmtp({
        ...to(server.port),
        tlsOptions: {
          serverName: 'mx.example.test',
          dane: { records: [record(2, root)], names: ['b.test'] },
        },
      }),
    ).rejects.toThrow(/no TLSA record/)
    const plain = await serve('none')
    await expect(
      connectSmtp({ ...to(plain.port), tlsOptions: { dane: { records: [record(3, leaf)] } } }),
    ).rejects.toMatchObject({ code: 'TLS_REQUIRED' })
  })

  it('holds the server against an MTA-STS policy', async () => {
    const root = makeCertificate({ subject: 'root', ca: true, ...lasting })
    const leaf = makeCertificate({ subject: 'x', names: ['mx.example.test'], issuer: root, ...lasting })
    const context = new TlsServerContext({ certificates: [leaf] })
    const server = await serve('starttls', {}, {}, context)
    const connect = (mtaSts: MtaStsPolicy, options: object = { ca: root.cert }) =>
      connectSmtp({ ...to(server.port), tlsOptions: { serverName: 'mx.example.test', mtaSts, ...options } })
    const policy = { mode: 'enforce', mx: ['*.example.test'], maxAge: 86_400 } as const
    await (await connect(policy)).close()
    await expect(connect({ ...policy, mx: ['other.test'] })).rejects.toThrow(
      /does not name mx\.example\.test/,
    )
    await expect(connect(policy, {})).rejects.toMatchObject({ code: 'TLS_HANDSHAKE' })
    await (await connect({ ...policy, mode: 'testing', mx: ['other.test'] }, {})).close()
    await (await connect({ ...policy, mode: 'none', mx: [] }, {})).close()
    const mismatch = { records: [{ usage: 3, selector: 0, matchingType: 1, data: Buffer.alloc(32) }] }
    await expect(connect(policy, { ca: root.cert, dane: mismatch })).rejects.toThrow(/no TLSA record/)
    const plain = await serve('none')
    await expect(connectSmtp({ ...to(plain.port), tlsOptions: { mtaSts: policy } })).rejects.toMatchObject({
      code: 'TLS_REQUIRED',
    })
  })

  it('knows whether the certificate was checked, whatever TLS is asked for', async () => {
    const server = await serve('implicit', {}, { requireTls: true })
    const send = async (options: Partial<SmtpConnectOptions>) => {
      const session = await connectSmtp({ ...to(server.port), tls: 'implicit', ...options })
      const { recipients } = await session.send({ ...envelope, requireTls: true }, Buffer.from('x'))
      await session.close()
      return recipients[0]?.reply.enhanced
    }
    expect(await send({ tlsOptions: trusting })).toBe('2.0.0')
    expect(await send({ tlsOptions: { ...trusting, verify: 'any' } })).toBe('2.0.0')
    expect(await send({ tlsOptions: { verify: 'any' } })).toBe('5.7.10')
    expect(await send({ tlsOptions: { verify: () => null } })).toBe('2.0.0')
    const upgrading = await serve('starttls', {}, { requireTls: true })
    const unchecked = await connectSmtp(to(upgrading.port))
    expect(
      (await unchecked.send({ ...envelope, requireTls: true }, Buffer.from('x'))).recipients[0],
    ).toMatchObject({
      reply: { enhanced: '5.7.10' },
    })
    await unchecked.close()
  })

  it('gives up on a server that is silent or wants nobody', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    cleanup.push(() => void silent.close())
    const { port } = silent.address() as { port: number }
    await expect(connectSmtp({ ...to(port), limits: { greetingMs: 20 } })).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    await expect(connectSmtp(to(port), AbortSignal.timeout(20))).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const server = await serve('none')
    await expect(connectSmtp({ ...to(server.port), tls: 'required' })).rejects.toMatchObject({
      code: 'TLS_REQUIRED',
    })
    await expect(
      connectSmtp({ ...to(server.port), credentials: { user: 'u', password: 'p' }, tls: 'opportunistic' }),
    ).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
    // a password is for a server whose certificate is trusted, unless more is allowed
    await expect(
      connectSmtp({ ...to(server.port), credentials: { user: 'u', password: 'p' } }),
    ).rejects.toMatchObject({ code: 'TLS_REQUIRED' })
    await expect(
      connectSmtp({
        ...to((await serve('starttls')).port),
        credentials: { user: 'u', password: 'p' },
        allowPlaintext: true,
      }),
    ).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
  })
})
