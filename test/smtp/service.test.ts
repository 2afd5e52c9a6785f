import { expect, it } from 'vitest'
import { WireLog } from '../../src/core/index.js'
import { type IncomingMessage, SmtpService, simpleDelivery } from '../../src/smtp/index.js'

const connection = {
  id: 'one',
  remoteAddress: '192.0.2.1',
  remotePort: 4000,
  localAddress: '192.0.2.25',
  localPort: 25,
  tls: null,
}
const delivery = simpleDelivery(async (_message: IncomingMessage) => undefined)
const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: null }

it('shares what was resolved among the sessions of one kind, and nothing among the others', () => {
  const service = new SmtpService({ hostname: 'mx.test', startTls: true, delivery })
  const first = service.start(connection)
  expect(service.start({ ...connection, id: 'two' }).engine.options).toBe(first.engine.options)

  const trusted = service.start(connection, { xclient: true, allowPlaintext: true })
  expect(trusted.engine.options).toMatchObject({ xclient: true, allowPlaintext: true, startTls: true })
  expect(first.engine.options).toMatchObject({ xclient: false, allowPlaintext: false })
  expect(service.start(connection).engine.options).toEqual(first.engine.options)

  const secured = service.start({ ...connection, tls })
  expect(secured.engine.secure).toBe(true)
  expect(service.start(connection).engine.secure).toBe(false)
})

it('keeps the record of one connection out of the next', () => {
  const service = new SmtpService({ hostname: 'mx.test', delivery })
  const wireLog = new WireLog(() => undefined)
  expect(service.start(connection, { wireLog }).engine.options.wireLog).toBe(wireLog)
  expect(service.start(connection).engine.options.wireLog).toBe(null)
})

it('counts how long a message may be held from each connection on', () => {
  let now = 1_000_000
  const clock = { now: () => now, sleep: () => Promise.resolve() }
  const features = { ...delivery.features, futureRelease: { maximumSeconds: 60 } }
  const service = new SmtpService({ hostname: 'mx.test', delivery: { ...delivery, features }, clock })
  expect(service.start(connection).engine.options.features.futureRelease?.until).toBe(1_060_000)
  now += 5000
  expect(service.start(connection).engine.options.features.futureRelease?.until).toBe(1_065_000)
})

it('says at once what can work with no connection', () => {
  const make = (options: object) => () => new SmtpService({ hostname: 'mx.test', delivery, ...options })
  expect(make({ service: 'submission' })).toThrow(/no authenticator/)
  expect(make({ requireTls: true })).toThrow(/startTls/)
  expect(make({ requireTls: true, secure: true })).not.toThrow()
  expect(make({ limits: { errors: -1 } })).toThrow(/errors/)
})
