import { type AddressInfo, createServer } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { Driver } from '../../src/core/index.js'
import type { Delivery } from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import { ConnectionLimits, Listener } from '../../src/net/index.js'
import { createMailServer } from '../../src/server/index.js'
import { SmtpService } from '../../src/smtp/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'

const NEVER = Number.POSITIVE_INFINITY
const ACCEPTED = { reply: reply(250, '2.0.0', 'Message accepted') }

/** Takes everything and keeps nothing. */
const discarding: Delivery = {
  features: { maxMessageSize: 104_857_600, eightBitMime: true, smtpUtf8: false },
  begin: async () => ({
    recipient: async () => undefined,
    ready: async () => undefined,
    write: () => undefined,
    commit: async () => ACCEPTED,
    abort: async () => undefined,
  }),
}

function certificate() {
  return createDevelopmentCertificate(['localhost'], new Date())
}

/** Mailwright's listener, engine and session before a delivery that discards. */
export async function serveOurs(): Promise<number> {
  let count = 0
  const service = new SmtpService({
    hostname: 'localhost',
    startTls: true,
    delivery: discarding,
    limits: { messages: NEVER },
  })
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    tlsMode: 'starttls',
    tls: new TlsServerContext({ certificates: [certificate()] }),
    alpn: null,
    limits: new ConnectionLimits({ total: 100_000 }),
    onError: () => undefined,
    serve: async ({ duplex, remoteAddress, remotePort, localAddress, localPort }) => {
      const id = `b${++count}`
      const session = service.start({
        id,
        remoteAddress,
        remotePort,
        localAddress,
        localPort,
        tls: duplex.tlsInfo,
      })
      const driver = new Driver(session.engine, duplex, session)
      session.attach(driver)
      await driver.run()
    },
  })
  return listener.address.port
}

/** The npm package smtp-server, told to look up nothing and to discard. */
export async function serveNpm(): Promise<number> {
  const server = new SMTPServer({
    ...certificate(),
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    maxClients: 100_000,
    onData: (stream, _, done) => {
      stream.on('end', () => done())
      stream.resume()
    },
  })
  server.on('error', () => undefined)
  return new Promise((resolve) => {
    const listening = server.listen(0, '127.0.0.1', () => resolve((listening.address() as AddressInfo).port))
  })
}

/** Mailwright's whole server on its embedded database in `folder`, for the users user0 to user19 at example.test. */
export async function serveStored(folder: string): Promise<number> {
  const users = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`user${index}`, { password: 'secret' }]),
  )
  const server = await createMailServer({
    hostname: 'localhost',
    data: folder,
    listen: { smtp: '127.0.0.1:0' },
    domains: { 'example.test': { users } },
    limits: { smtp: { messages: NEVER } },
  })
  return server.listeners[0]?.port ?? 0
}

/** Sockets and nothing else: what a connection costs before anyone speaks a protocol on it. */
export async function serveBare(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write('220 bare\r\n')
    socket.resume()
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', 1024, () => resolve((server.address() as AddressInfo).port))
  })
}
