import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/index.js'
import {
  type Connection,
  ConnectionLimits,
  isLoopback,
  Listener,
  plainAddress,
  prefixesOf,
  type TlsMode,
} from '../../src/net/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'
import { serveEcho } from '../support/echo.js'

const tls = new TlsServerContext({ certificates: [createDevelopmentCertificate(['localhost'], new Date())] })
const cleanup: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const act of cleanup.splice(0).reverse()) await act()
})

async function listen(
  tlsMode: TlsMode,
  options: {
    limits?: ConnectionLimits
    onError?: (error: unknown) => void
    handshakeTimeoutMs?: number
  } = {},
) {
  const connections: Connection[] = []
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    tlsMode,
    tls,
    alpn: 'imap',
    limits: options.limits ?? new ConnectionLimits(),
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 1000,
    onError: options.onError ?? (() => undefined),
    serve: async (connection) => {
      connections.push(connection)
      const echo = serveEcho(connection.duplex, systemClock, options.onError)
      if (!connection.admitted) echo.driver.shutdown('tooManyConnections')
      await echo.done
    },
  })
  cleanup.push(() => listener.close())
  return { listener, port: listener.address.port, connections }
}

function open(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  cleanup.push(() => {
    socket.destroy()
  })
  return socket
}

function secure(options: { port?: number; socket?: Socket; ALPNProtocols?: string[] }): TLSSocket {
  const socket = connectTls({ host: '127.0.0.1', rejectUnauthorized: false, ...options })
  cleanup.push(() => {
    socket.destroy()
  })
  return socket
}

async function text(socket: Socket, until: (text: string) => boolean = () => false): Promise<string> {
  let all = ''
  for await (const chunk of socket) {
    all += String(chunk)
    if (until(all)) break
  }
  return all
}

describe('Listener', () => {
  it('serves in clear, half-close included', async () => {
    const { port } = await listen('none')
    const socket = open(port)
    socket.end('one\r\ntwo\r\n')
    expect(await text(socket)).toBe('one\r\ntwo\r\n')
  })

  it('serves with implicit TLS and tells what was agreed', async () => {
    const { port, connections } = await listen('implicit')
    const socket = secure({ port })
    await once(socket, 'secureConnect')
    socket.end('one\r\n')
    expect(await text(socket)).toBe('one\r\n')
    expect(connections[0]?.duplex.tlsInfo).toMatchObject({ version: 'TLSv1.3', serverName: null })
  })

  it('upgrades on STARTTLS', async () => {
    const { port } = await listen('starttls')
    const raw = open(port)
    raw.write('TLS\r\n')
    await once(raw, 'data')
    const socket = secure({ socket: raw })
    socket.write('one\r\n')
    socket.end('two\r\n')
    expect(await text(socket)).toBe('one\r\ntwo\r\n')
  })

  it('drops what was sent in clear with STARTTLS', async () => {
    const { port } = await listen('starttls')
    const raw = open(port)
    raw.write('TLS\r\ninjected\r\n')
    await once(raw, 'data')
    const socket = secure({ socket: raw })
    socket.end('one\r\n')
    expect(await text(socket)).toBe('one\r\n')
  })

  it('closes, and lives, when the handshake is nonsense', async () => {
    const errors: unknown[] = []
    const { port } = await listen('starttls', { onError: (error) => errors.push(error) })
    const raw = open(port)
    raw.write('TLS\r\n')
    await once(raw, 'data')
    raw.write('GET / HTTP/1.1\r\n\r\n')
    await text(raw)
    expect(errors).toEqual([expect.objectContaining({ code: 'TLS_HANDSHAKE' })])
    const socket = open(port)
    socket.end('one\r\n')
    expect(await text(socket)).toBe('one\r\n')
  })

  it('gives up on a handshake that never comes', async () => {
    const { port } = await listen('implicit', { handshakeTimeoutMs: 50 })
    expect(await text(open(port))).toBe('')
  })

  it('turns away a client that speaks another protocol by ALPN', async () => {
    const { port } = await listen('implicit')
    const other = secure({ port, ALPNProtocols: ['h2', 'http/1.1'] })
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    const own = secure({ port, ALPNProtocols: ['imap'] })
    await once(own, 'secureConnect')
    expect(own.alpnProtocol).toBe('imap')
  })

  it('holds back a session whose peer does not read', async () => {
    const { port, connections } = await listen('none')
    const socket = open(port)
    socket.pause()
    const line = `${'x'.repeat(900)}\r\n`
    socket.write(line.repeat(20_000))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(connections).toHaveLength(1)
    let total = 0
    socket.on('data', (chunk: Buffer) => {
      total += chunk.length
    })
    socket.resume()
    socket.end()
    await once(socket, 'end')
    expect(total).toBe(20_000 * line.length)
  })

  it('tells one connection too many so, and counts it out again', async () => {
    const limits = new ConnectionLimits({ total: 1 })
    const { port } = await listen('none', { limits })
    const first = open(port)
    first.write('one\r\n')
    await once(first, 'data')
    expect(await text(open(port))).toBe('ABORT tooManyConnections\r\n')
    first.end()
    await once(first, 'close')
    const third = open(port)
    third.end('three\r\n')
    expect(await text(third)).toBe('three\r\n')
  })

  it('refuses a port that is taken', async () => {
    const { port } = await listen('none')
    await expect(
      Listener.listen({
        host: '127.0.0.1',
        port,
        tlsMode: 'none',
        tls: null,
        alpn: null,
        limits: new ConnectionLimits(),
        serve: async () => undefined,
        onError: () => undefined,
      }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('addresses', () => {
  it('knows IPv4 in IPv6, loopback and scopes', () => {
    expect(plainAddress('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(plainAddress('fe80::1%eth0')).toBe('fe80::1')
    expect(plainAddress(undefined)).toBe('')
    expect(isLoopback('127.8.9.1') && isLoopback('::1')).toBe(true)
    expect(isLoopback('128.0.0.1') || isLoopback('127.0.0.1.evil.test')).toBe(false)
  })

  it('knows the networks of an address', () => {
    const [address, network, block] = prefixesOf('192.0.2.9')
    expect(prefixesOf('::ffff:192.0.2.9')).toEqual([address, network, block])
    expect(prefixesOf('192.0.2.63')[1]).toBe(network)
    expect(prefixesOf('192.0.2.64')[1]).not.toBe(network)
    expect(prefixesOf('192.0.7.255')[2]).toBe(block)
    expect(prefixesOf('192.0.8.0')[2]).not.toBe(block)
    expect(prefixesOf('2001:db8:0:1::5')).toEqual(prefixesOf('2001:DB8::1:0:0:0:9%eth0'))
    expect(prefixesOf('2001:db8:0:2::5').slice(1)).toEqual(prefixesOf('2001:db8:0:1::5').slice(1))
    expect(prefixesOf('2001:db8:1::')[1]).not.toBe(prefixesOf('2001:db8:0::')[1])
    expect(new Set(prefixesOf('/a/socket')).size).toBe(3)
  })
})

describe('ConnectionLimits', () => {
  it('counts by address and by network, and forgets what has left', () => {
    const limits = new ConnectionLimits({ byPrefix: [2, 3, 4] })
    const leave = [limits.admit('192.0.2.1'), limits.admit('192.0.2.1'), limits.admit('192.0.2.2')]
    expect(leave.every((each) => each !== null)).toBe(true)
    expect(limits.admit('192.0.2.1')).toBe(null)
    expect(limits.admit('192.0.2.3')).toBe(null)
    expect(limits.admit('192.0.3.1')).not.toBe(null)
    expect(limits.admit('192.0.3.65')).toBe(null)
    leave[0]?.()
    leave[0]?.()
    expect(limits.admit('192.0.3.65')).not.toBe(null)
    expect(limits.admit('192.0.3.129')).toBe(null)
  })

  it('leaves loopback free but for the total', () => {
    const limits = new ConnectionLimits({ byPrefix: [1, 1, 1], total: 3 })
    for (let i = 0; i < 3; i++) expect(limits.admit('127.0.0.1')).not.toBe(null)
    expect(limits.admit('127.0.0.1')).toBe(null)
  })
})
