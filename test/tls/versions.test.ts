import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type SecureVersion } from 'node:tls'
import { expect, it } from 'vitest'
import { ConnectionLimits, Listener } from '../../src/net/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'

const certificate = createDevelopmentCertificate(['localhost'], new Date())
/** OpenSSL does without the old versions by itself unless it is told otherwise. */
const ciphers = 'DEFAULT@SECLEVEL=0'

/** The version agreed with a client that speaks one only, or null where there is no agreement. */
async function agree(version: SecureVersion, port: number): Promise<string | null> {
  const client = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ciphers,
  })
  try {
    await once(client, 'secureConnect')
    return client.getProtocol()
  } catch {
    return null
  } finally {
    client.destroy()
  }
}

it('speaks TLS 1.2 and 1.3 and nothing older (RFC 8996)', async () => {
  const listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    tlsMode: 'implicit',
    tls: new TlsServerContext({ certificates: [certificate] }),
    alpn: null,
    limits: new ConnectionLimits(),
    serve: ({ duplex }) => duplex.end(),
    onError: () => undefined,
  })
  try {
    const versions = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1'] as const
    const agreed: (string | null)[] = []
    for (const version of versions) agreed.push(await agree(version, listener.address.port))
    expect(agreed).toEqual(['TLSv1.3', 'TLSv1.2', null, null])
  } finally {
    await listener.close()
  }
})

it('meets a client that would have spoken TLS 1.1', async () => {
  const lax = createServer({ ...certificate, minVersion: 'TLSv1', ciphers }, (socket) => socket.end())
  await once(lax.listen(0, '127.0.0.1'), 'listening')
  try {
    expect(await agree('TLSv1.1', (lax.address() as AddressInfo).port)).toBe('TLSv1.1')
  } finally {
    lax.close()
  }
})
