import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Driver } from '../../src/core/index.js'
import { ConnectionLimits, Listener } from '../../src/net/index.js'
import { startSmtpSession } from '../../src/smtp/index.js'
import { createDevelopmentCertificate, TlsServerContext } from '../../src/tls/index.js'
import { TestDelivery, testAuthenticator } from './harness.js'

const delivery = new TestDelivery(1_000_000)
const errors: unknown[] = []
let listener: Listener

beforeAll(async () => {
  let count = 0
  listener = await Listener.listen({
    host: '127.0.0.1',
    port: 0,
    tlsMode: 'starttls',
    tls: new TlsServerContext({ certificates: [createDevelopmentCertificate(['localhost'], new Date())] }),
    alpn: null,
    limits: new ConnectionLimits(),
    onError: (error) => errors.push(error),
    serve: async ({ duplex, ...addresses }) => {
      const session = startSmtpSession({
        hostname: 'mx.example.test',
        service: 'submission',
        startTls: true,
        requireTls: true,
        connection: { id: `n${++count}`, tls: null, ...addresses },
        delivery,
        authenticator: testAuthenticator,
      })
      const driver = new Driver(session.engine, duplex, session, { onError: (error) => errors.push(error) })
      session.attach(driver)
      await driver.run()
    },
  })
})

afterAll(async () => {
  await listener.close()
  expect(errors).toEqual([])
})

const transport = (pass: string) =>
  createTransport({
    host: '127.0.0.1',
    port: listener.address.port,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
    auth: { user: 'alice', pass },
  })

describe('nodemailer', () => {
  it('submits a message by STARTTLS and AUTH', async () => {
    const text = 'First line\r\n.\r\n..two dots\r\nlast'
    const info = await transport('secret').sendMail({
      from: 'alice@example.test',
      to: ['bob@example.test', 'nobody@example.test'],
      subject: 'Hello',
      text,
    })
    expect(info.accepted).toEqual(['bob@example.test'])
    expect(info.rejected).toEqual(['nobody@example.test'])
    const kept = delivery.kept.at(-1)
    expect(kept?.recipients).toEqual(['bob@example.test'])
    expect(kept?.body).toContain(`\r\n\r\n${text}`)
    expect(kept?.received).toMatch(/with ESMTPSA \(TLSv1\.3 /)
    expect(kept?.context).toMatchObject({ user: 'alice', service: 'submission' })
  })

  it('hears that a password is wrong and that a message is too large', async () => {
    await expect(
      transport('wrong').sendMail({ from: 'a@b.test', to: 'bob@example.test' }),
    ).rejects.toMatchObject({
      responseCode: 535,
    })
    const large = { from: 'alice@example.test', to: 'bob@example.test', text: 'x'.repeat(1_100_000) }
    await expect(transport('secret').sendMail(large)).rejects.toMatchObject({ responseCode: 552 })
  })
})
