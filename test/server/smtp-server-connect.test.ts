import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { createTransport } from 'nodemailer'
import { afterEach, describe, expect, it } from 'vitest'
import { type GivenConnection, reply, SmtpServer, type SmtpServerSettings } from '../../src/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const act of cleanup.splice(0).reverse()) await act()
})

/** A server that listens for itself and gives each connection to an SmtpServer. */
async function listen(settings: SmtpServerSettings, given?: GivenConnection) {
  const smtp = new SmtpServer({ hostname: 'mx.example.test', ...settings })
  const over: Promise<void>[] = []
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => void over.push(smtp.connect(socket, given)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup.push(() => new Promise((resolve) => server.close(resolve)))
  cleanup.push(() => smtp.close())
  return { smtp, over, port: (server.address() as AddressInfo).port }
}

/** Two streams, of which each reads what the other is written. */
function pair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, done) => {
        other().push(chunk)
        done()
      },
      final: (done) => {
        other().push(null)
        done()
      },
    })
  const a: Duplex = make(() => b)
  const b: Duplex = make(() => a)
  return [a, b]
}

async function textOf(stream: Duplex): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

const mail = { from: 'a@client.test', to: 'b@example.test', subject: 'x', text: 'hello' }

describe('SmtpServer.connect', () => {
  it('serves sockets that the host has taken, with STARTTLS, to their end', async () => {
    const seen: string[] = []
    const { port, over } = await listen({
      onMailFrom: (_envelope, { remoteAddress, secure, context }) =>
        void seen.push(`${remoteAddress} ${context.localPort > 0} ${secure}`),
    })
    const transport = createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } })
    await transport.sendMail(mail)
    transport.close()
    await over[0]
    expect(seen).toEqual(['127.0.0.1 true true'])
  })

  it('does the handshake first where it is secure', async () => {
    const { port } = await listen({ secure: true })
    const options = { host: '127.0.0.1', port, secure: true, tls: { rejectUnauthorized: false } }
    const transport = createTransport(options)
    await transport.sendMail(mail)
    transport.close()
  })

  it('takes the word of the host for TLS that ended elsewhere, and for who the peer is', async () => {
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: null }
    const { port } = await listen(
      { onConnect: ({ remoteAddress, secure }) => reply(554, '5.7.1', `${remoteAddress} ${secure}`) },
      { remoteAddress: '198.51.100.7', tls },
    )
    expect(await textOf(connect(port, '127.0.0.1'))).toBe('554 5.7.1 198.51.100.7 true\r\n')
  })

  it('reads a certificate once more that could not be read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mailwright-certificate-'))
    cleanup.push(() => rm(folder, { recursive: true }))
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
    const smtp = new SmtpServer({ hostname: 'mx.example.test', secure: true, tls: files })
    cleanup.push(() => smtp.close())
    await expect(smtp.listen(0, '127.0.0.1')).rejects.toMatchObject({ code: 'CONFIG' })
    const { cert, key } = createDevelopmentCertificate(['first.test'], new Date())
    await writeFile(files.cert, cert)
    await writeFile(files.key, key)
    const { port } = await smtp.listen(0, '127.0.0.1')
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:first.test')
    socket.destroy()
  })

  it('knows a TLSSocket', async () => {
    const smtp = new SmtpServer({ hostname: 'mx.example.test', secure: true })
    const certificate = createDevelopmentCertificate(['localhost'], new Date())
    const context = new TlsServerContext({ certificates: [certificate] })
    const { createServer: createTlsServer } = await import('node:tls')
    const server = createTlsServer(
      { SNICallback: (_name, done) => done(null, context.contextFor(null)), ...certificate },
      (socket) => void smtp.connect(socket),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as AddressInfo
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.write('')
    socket.once('data', () => socket.write('EHLO c.test\r\nQUIT\r\n'))
    const said = await textOf(socket)
    expect(said).toContain('221 2.0.0')
    expect(said).not.toContain('STARTTLS')
    await smtp.close()
  })

  it('serves any stream whose peer is named', async () => {
    const smtp = new SmtpServer({ hostname: 'mx.example.test', tls: false })
    const [client, server] = pair()
    const serving = smtp.connect(server, { remoteAddress: '192.0.2.1' })
    client.write('')
    client.once('data', () => client.end('HELO c.test\r\nMAIL FROM:<>\r\nQUIT\r\n'))
    expect(await textOf(client)).toBe(
      '220 mx.example.test ESMTP\r\n250 mx.example.test\r\n250 2.1.0 Sender OK\r\n221 2.0.0 Closing connection\r\n',
    )
    await serving
    await smtp.close()
  })

  it('serves nobody whom it does not know', async () => {
    await using smtp = new SmtpServer({ tls: false })
    for (const given of [{}, { remoteAddress: 'client.test' }]) {
      await expect(smtp.connect(pair()[0], given)).rejects.toMatchObject({
        code: 'CONNECTION',
        message: expect.stringContaining('remoteAddress'),
      })
    }
    await expect(smtp.connect(new Socket())).rejects.toMatchObject({ code: 'CONNECTION' })
  })

  it('counts them as its own, and ends them when it closes', async () => {
    const { smtp, port, over } = await listen({ tls: false, connections: { total: 1 } })
    const first = connect(port, '127.0.0.1')
    const said = textOf(first)
    await new Promise((resolve) => first.once('data', resolve))
    expect(await textOf(connect(port, '127.0.0.1'))).toBe('421 4.7.0 Too many connections\r\n')
    await smtp.close()
    expect(await said).toMatch(/421 4\.3\.2 Service is shutting down\r\n$/)
    await Promise.all(over)
  })

  it('does not wait for a handshake when it closes, nor die of a stream that breaks', async () => {
    const { smtp, port, over } = await listen({ secure: true })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const before = performance.now()
    await smtp.close()
    expect(performance.now() - before).toBeLessThan(1000)
    await over[0]
    const broken = new SmtpServer({ tls: false })
    const [, server] = pair()
    const serving = broken.connect(server, { remoteAddress: '192.0.2.1' })
    server.destroy(new Error('broken'))
    await serving
    await broken.close()
  })
})
