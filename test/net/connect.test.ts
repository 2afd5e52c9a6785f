import { once } from 'node:events'
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/index.js'
import {
  ConnectionLimits,
  type ConnectOptions,
  connect,
  Listener,
  type TlsPeer,
} from '../../src/net/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'
import { serveEcho } from '../support/echo.js'

const certificate = createDevelopmentCertificate(['localhost'], new Date())
const tls = new TlsServerContext({ certificates: [certificate] })
const cleanup: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const act of cleanup.splice(0).reverse()) await act()
})

async function listen(tlsMode: 'none' | 'implicit'): Promise<number> {
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    tlsMode,
    tls,
    alpn: null,
    limits: new ConnectionLimits(),
    onError: () => undefined,
    serve: async ({ duplex }) => {
      await serveEcho(duplex, systemClock).done
    },
  })
  cleanup.push(() => listener.close())
  return listener.address.port
}

async function bare(serve: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(serve)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  cleanup.push(() => void server.close())
  return (server.address() as { port: number }).port
}

async function open(options: ConnectOptions) {
  const duplex = await connect({ host: '127.0.0.1', ...options })
  cleanup.push(() => duplex.destroy())
  return duplex
}

describe('connect', () => {
  it('reaches a server that is there, and says why not', async () => {
    const port = await listen('none')
    const duplex = await open({ port })
    expect(duplex.tlsInfo).toBeNull()
    void duplex.write([Buffer.from('BYE\r\n')])
    expect(String(await duplex.read())).toBe('BYE\r\n')
    await expect(connect({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(connect({ path: '/nowhere/at/all' })).rejects.toMatchObject({ code: expect.any(String) })
  })

  it('gives up when it is told to, before, while connecting and in a handshake', async () => {
    const silent = await bare(() => undefined)
    await expect(connect({ port: silent, signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    const abort = new AbortController()
    const handshake = connect({ host: '127.0.0.1', port: silent, implicitTls: true, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 30)
    await expect(handshake).rejects.toThrow('enough')
    await expect(
      connect({ host: '127.0.0.1', port: silent, implicitTls: true, handshakeTimeoutMs: 30 }),
    ).rejects.toMatchObject({
      code: 'TLS_HANDSHAKE',
      message: expect.stringContaining('not complete after 30 ms'),
    })
  })

  it('trusts a certificate for its name and authority, and nothing else unless told to', async () => {
    const port = await listen('implicit')
    const attempt = (options: ConnectOptions['tls'], host = '127.0.0.1') =>
      open({ host, port, implicitTls: true, ...(options === undefined ? {} : { tls: options }) })
    await expect(attempt(undefined)).rejects.toMatchObject({ code: 'TLS_HANDSHAKE' })
    await expect(attempt({ ca: certificate.cert, serverName: 'other.test' })).rejects.toMatchObject({
      message: expect.stringContaining('ALTNAME'),
    })
    expect((await attempt({ ca: certificate.cert, serverName: 'localhost' })).tlsInfo).toMatchObject({
      version: 'TLSv1.3',
    })
    expect((await attempt({ verify: 'any' })).tlsInfo).not.toBeNull()
  })

  it('leaves no server waiting for a handshake that was broken off', async () => {
    const port = await listen('implicit')
    const socket = connectSocket(port, '127.0.0.1')
    socket.end(Buffer.from([0x16]))
    socket.resume()
    await once(socket, 'close')
  })

  it('lets the host decide', async () => {
    const port = await listen('implicit')
    let seen: TlsPeer | undefined
    const verify = (peer: TlsPeer): string | null => {
      seen = peer
      return peer.chain[0]?.subjectAltName === 'DNS:localhost' ? null : 'not ours'
    }
    await open({ port, implicitTls: true, tls: { verify } })
    expect(seen).toMatchObject({ trusted: false, problem: expect.any(String) })
    expect(seen?.chain).toHaveLength(1)
    await expect(
      open({ port, implicitTls: true, tls: { verify: async () => 'wrong fingerprint' } }),
    ).rejects.toMatchObject({ code: 'TLS_HANDSHAKE', message: expect.stringContaining('wrong fingerprint') })
  })
})
