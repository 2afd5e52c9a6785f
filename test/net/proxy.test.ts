import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { crc32c } from '../../src/core/crc.js'
import { systemClock } from '../../src/core/index.js'
import {
  AddressList,
  type Connection,
  ConnectionLimits,
  Listener,
  readProxyHeader,
} from '../../src/net/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'
import { serveEcho } from '../support/echo.js'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

function version2(command: number, family: number, rest: Buffer): Buffer {
  const head = Buffer.from([0x20 | command, family, rest.length >> 8, rest.length & 255])
  return Buffer.concat([SIGNATURE, head, rest])
}

function tlv(type: number, length: number): Buffer {
  return Buffer.concat([Buffer.from([type, length >> 8, length & 255]), Buffer.alloc(length, 7)])
}

/** Addresses, a TLV with the checksum of all, and another behind it. */
function withChecksum(addresses: Buffer, more: Buffer): Buffer {
  const header = version2(1, 0x11, Buffer.concat([addresses, Buffer.from([3, 0, 4, 0, 0, 0, 0]), more]))
  header.writeUInt32BE(crc32c(header), 16 + addresses.length + 3)
  return header
}

const ipv4 = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0xc3, 0x50, 0, 25])
const ipv6 = Buffer.from([
  ...[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0xc3, 0x50, 0, 25],
])
const good: readonly (readonly [string, Buffer, string | null])[] = [
  ['v1 TCP4', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 50000 25\r\n'), '192.0.2.7'],
  ['v1 TCP6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 50000 25\r\n'), '2001:db8::7'],
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), null],
  ['v1 UNKNOWN with more', Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null],
  ['v2 TCP over IPv4', version2(1, 0x11, ipv4), '192.0.2.7'],
  ['v2 TCP over IPv6', version2(1, 0x21, ipv6), '2001:db8::7'],
  [
    'v2 with TLVs',
    version2(1, 0x11, Buffer.concat([ipv4, tlv(4, 490), tlv(0xe0, 4), tlv(5, 0)])),
    '192.0.2.7',
  ],
  ['v2 with a checksum', withChecksum(ipv4, tlv(2, 9)), '192.0.2.7'],
  ['v2 LOCAL', version2(0, 0x11, ipv4), null],
  ['v2 LOCAL, empty', version2(0, 0, Buffer.alloc(0)), null],
  ['v2 LOCAL of a family there is not', version2(0, 0x77, Buffer.alloc(3)), null],
  ['v2 UNSPEC', version2(1, 0, Buffer.alloc(0)), null],
  ['v2 UNSPEC with addresses of a kind', version2(1, 0x00, ipv4), null],
  ['v2 UNSPEC over a stream', version2(1, 0x01, Buffer.alloc(5)), null],
  ['v2 IPv4 over something', version2(1, 0x10, ipv4), null],
  ['v2 UDP over IPv4', version2(1, 0x12, ipv4), null],
  ['v2 of UNIX sockets', version2(1, 0x31, Buffer.alloc(216)), null],
]
const bad: readonly (readonly [string, Buffer])[] = [
  ['nothing of it', Buffer.from('EHLO c.test\r\n')],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
  ['v1 in lower case', Buffer.from('proxy TCP4 192.0.2.7 198.51.100.1 50000 25\r\n')],
  ['v1 UDP', Buffer.from('PROXY UDP4 192.0.2.7 198.51.100.1 50000 25\r\n')],
  ['v1 with no address', Buffer.from('PROXY TCP4 192.0.2.999 198.51.100.1 50000 25\r\n')],
  ['v1 of the other family', Buffer.from('PROXY TCP6 192.0.2.7 198.51.100.1 50000 25\r\n')],
  ['v1 with no port', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n')],
  ['v1 with too few', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 25\r\n')],
  ['v1 with too many', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 50000 25 1\r\n')],
  ['v1 over 107 octets', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)],
  ['v1 that never ends', Buffer.from(`PROXY ${'x'.repeat(200)}`)],
  ['v1 ended by LF alone', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 50000 25\n')],
  ['v2 over 536 octets', version2(1, 0x11, Buffer.alloc(521))],
  ['v2 of 64 KB', version2(1, 0x11, Buffer.alloc(65_535))],
  ['v2 of another version', Buffer.concat([SIGNATURE, Buffer.from([0x31, 0x11, 0, 12]), ipv4])],
  ['v2 of another command', version2(2, 0x11, ipv4)],
  ['v2 of a family there is not', version2(1, 0x41, Buffer.alloc(216))],
  ['v2 of a transport there is not', version2(1, 0x13, ipv4)],
  ['v2 of UNIX sockets, cut short', version2(1, 0x31, Buffer.alloc(215))],
  ['v2 with a TLV over its end', version2(1, 0x11, Buffer.concat([ipv4, Buffer.from([4, 0, 2, 1])]))],
  ['v2 with half a TLV', version2(1, 0x11, Buffer.concat([ipv4, Buffer.from([4, 0])]))],
  ['v2 with a wrong checksum', version2(1, 0x11, Buffer.concat([ipv4, Buffer.from([3, 0, 4, 1, 2, 3, 4])]))],
  ['v2 with a checksum of three octets', version2(1, 0x11, Buffer.concat([ipv4, tlv(3, 3)]))],
  ['v2 too short for its addresses', version2(1, 0x21, ipv4)],
]

describe('readProxyHeader', () => {
  it.each(good)('reads %s, and nothing behind it', (_name, header, remoteAddress) => {
    const read = readProxyHeader(Buffer.concat([header, Buffer.from('EHLO c.test\r\n')]))
    expect(read).toMatchObject({ length: header.length })
    const { addresses } = read as Exclude<typeof read, string>
    expect(addresses?.remoteAddress ?? null).toBe(remoteAddress)
    if (addresses !== null) expect(addresses).toMatchObject({ remotePort: 50_000, localPort: 25 })
    for (let length = 0; length < header.length; length++) {
      expect(readProxyHeader(header.subarray(0, length))).toBe('more')
    }
  })

  it.each(bad)('refuses %s', (_name, header) => {
    expect(readProxyHeader(header)).toBe('bad')
  })

  it('never wants more than 536 octets, whatever comes', () => {
    const beginning = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', SIGNATURE.toString('latin1'))
    fc.assert(
      fc.property(beginning, fc.uint8Array({ minLength: 536, maxLength: 600 }), (start, rest) => {
        expect(readProxyHeader(Buffer.concat([Buffer.from(start, 'latin1'), rest]))).not.toBe('more')
      }),
    )
  })
})

describe('AddressList', () => {
  it('knows addresses, networks and loopback', () => {
    const list = new AddressList(['192.0.2.1', '198.51.100.0/24', '2001:db8::/32', 'loopback'])
    for (const each of [
      '192.0.2.1',
      '::ffff:192.0.2.1',
      '198.51.100.9',
      '2001:db8:1::5',
      '127.0.0.9',
      '::1',
    ]) {
      expect(list.has(each), each).toBe(true)
    }
    for (const each of ['192.0.2.2', '198.51.101.1', '2001:db9::1', '', 'x']) {
      expect(list.has(each), each).toBe(false)
    }
  })

  it.each(['', 'x', '192.0.2.1/33', '192.0.2/24', '::/129', '1.2.3.4/x'])('refuses %j', (entry) => {
    expect(() => new AddressList([entry])).toThrow(expect.objectContaining({ code: 'ADDRESS' }))
  })
})

describe('a listener behind a proxy', () => {
  const tls = new TlsServerContext({
    certificates: [createDevelopmentCertificate(['localhost'], new Date())],
  })
  const cleanup: (() => Promise<void> | void)[] = []
  afterEach(async () => {
    for (const act of cleanup.splice(0).reverse()) await act()
  })

  async function listen(
    trusted: string[],
    tlsMode: 'none' | 'implicit' = 'none',
    limits = new ConnectionLimits(),
    handshakeTimeoutMs = 200,
  ) {
    const connections: Connection[] = []
    const errors: unknown[] = []
    const listener = await Listener.listen({
      host: '127.0.0.1',
      port: 0,
      tlsMode,
      tls,
      alpn: null,
      limits,
      handshakeTimeoutMs,
      proxy: { trusted: new AddressList(trusted) },
      onError: (error) => errors.push(error),
      serve: async (connection) => {
        connections.push(connection)
        const echo = serveEcho(connection.duplex, systemClock)
        if (!connection.admitted) echo.driver.shutdown('tooManyConnections')
        await echo.done
      },
    })
    cleanup.push(() => listener.close())
    return { port: listener.address.port, connections, errors }
  }

  async function talk(port: number, pieces: readonly Buffer[]): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1' })
    cleanup.push(() => {
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.setNoDelay(true)
    for (const piece of pieces) {
      socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    socket.end()
    let all = ''
    try {
      for await (const chunk of socket) all += String(chunk)
    } catch {
      return `${all}RESET`
    }
    return all
  }

  it('serves whom the proxy names, however the header is cut, and what follows it', async () => {
    const { port, connections } = await listen(['loopback'])
    for (const [, header] of good.slice(0, 6)) {
      const octets = Buffer.concat([header, Buffer.from('one\r\n')])
      expect(await talk(port, [octets])).toBe('one\r\n')
      expect(await talk(port, [octets.subarray(0, 9), octets.subarray(9, 30), octets.subarray(30)])).toBe(
        'one\r\n',
      )
    }
    expect(connections[0]).toMatchObject({
      remoteAddress: '192.0.2.7',
      remotePort: 50_000,
      localAddress: '198.51.100.1',
      localPort: 25,
    })
    expect(connections[4]).toMatchObject({ remoteAddress: '127.0.0.1' })
  })

  it('serves the same however a header is cut in two', async () => {
    const many = new ConnectionLimits({ byPrefix: [1000, 1000, 1000], perMinute: [1000, 1000, 1000] })
    const { port, connections } = await listen(['loopback'], 'none', many, 10_000)
    for (const header of [good[0]?.[1], good[5]?.[1], withChecksum(ipv4, tlv(2, 9))] as Buffer[]) {
      const octets = Buffer.concat([header, Buffer.from('one\r\n')])
      const cuts = Array.from({ length: octets.length - 1 }, (_, index) => index + 1)
      const said = await Promise.all(
        cuts.map((cut) => talk(port, [octets.subarray(0, cut), octets.subarray(cut)])),
      )
      expect(said.every((each) => each === 'one\r\n')).toBe(true)
      const served = connections.splice(0)
      expect(served).toHaveLength(cuts.length)
      expect(served.every(({ remotePort }) => remotePort === 50_000)).toBe(true)
      const octetwise = await talk(
        port,
        [...octets].map((octet) => Buffer.from([octet])),
      )
      expect(octetwise).toBe('one\r\n')
      expect(connections.splice(0)[0]?.remotePort).toBe(50_000)
    }
  })

  it('gives LOCAL the real address', async () => {
    const { port, connections } = await listen(['127.0.0.1'])
    expect(await talk(port, [version2(0, 0, Buffer.alloc(0)), Buffer.from('one\r\n')])).toBe('one\r\n')
    expect(connections[0]).toMatchObject({ remoteAddress: '127.0.0.1', localPort: port })
  })

  it('closes without a word when the header is missing, malformed or late, or its sender not trusted', async () => {
    const { port, connections, errors } = await listen(['loopback'])
    for (const [, header] of bad.slice(0, 4)) expect(await talk(port, [header])).toMatch(/^(RESET)?$/)
    const silent = connect({ port, host: '127.0.0.1' })
    await new Promise((resolve) => silent.once('close', resolve).resume())
    const strangers = await listen(['192.0.2.1'])
    const header = good[0]?.[1] as Buffer
    expect(await talk(strangers.port, [header, Buffer.from('one\r\n')])).toMatch(/^(RESET)?$/)
    expect(connections).toEqual([])
    expect(strangers.connections).toEqual([])
    expect(errors).toEqual([])
  })

  it('counts the client, not the proxy, towards the limits', async () => {
    const limits = new ConnectionLimits({ byPrefix: [0, 5, 5] })
    const { port } = await listen(['loopback'], 'none', limits)
    expect(await talk(port, [good[0]?.[1] as Buffer])).toBe('ABORT tooManyConnections\r\n')
  })

  it('comes before implicit TLS', async () => {
    const { port, connections } = await listen(['loopback'], 'implicit')
    const raw = connect({ port, host: '127.0.0.1' })
    raw.write(good[0]?.[1] as Buffer)
    const socket = connectTls({ socket: raw, rejectUnauthorized: false })
    socket.end('one\r\n')
    let all = ''
    for await (const chunk of socket) all += String(chunk)
    expect(all).toBe('one\r\n')
    expect(connections[0]?.remoteAddress).toBe('192.0.2.7')
  })
})

it('limits new connections a minute by address and network', () => {
  const limits = new ConnectionLimits({ perMinute: [2, 3, 100] })
  const admitted = (address: string, now: number) => limits.admit(address, now) !== null
  expect([0, 1, 2].map((now) => admitted('192.0.2.1', now))).toEqual([true, true, false])
  expect(admitted('192.0.2.2', 3)).toBe(false)
  expect(admitted('192.0.3.2', 3)).toBe(true)
  expect(admitted('127.0.0.1', 3)).toBe(true)
  expect(admitted('192.0.2.1', 60_000)).toBe(true)
})
