import { expect, it } from 'vitest'
import { makeReceived } from '../../src/smtp/index.js'
import { runScript } from '../../src/testing/index.js'
import { startServer, TestDelivery } from './harness.js'

const context = {
  id: 's1',
  remoteAddress: '198.51.100.7',
  remotePort: 1025,
  localAddress: '192.0.2.2',
  localPort: 25,
  helo: 'client.test',
  transmission: 'ESMTP',
  tls: null,
  user: null,
  service: 'smtp',
  signal: new AbortController().signal,
} as const

it.each([
  ['host.client.test', '(host.client.test [198.51.100.7])'],
  [null, '([198.51.100.7])'],
  [undefined, '([198.51.100.7])'],
  ['unknown) (HELO x', '([198.51.100.7])'],
  ['a\r\nb', '([198.51.100.7])'],
  ['[192.0.2.9]', '([198.51.100.7])'],
  ['höst.test', '([198.51.100.7])'],
  ['', '([198.51.100.7])'],
])('Received has the client’s name where it is known and clean: %j', (clientName, peer) => {
  const given = clientName === undefined ? context : { ...context, clientName }
  const field = makeReceived(given, { hostname: 'mx.test', id: 'm1', recipient: null, now: 0 })
  expect(Buffer.from(field).toString()).toBe(
    `Received: from client.test ${peer}\r\n\tby mx.test with ESMTP\r\n\tid m1; Thu, 1 Jan 1970 00:00:00 +0000\r\n`,
  )
})

it('has the name that XCLIENT told', async () => {
  const delivery = new TestDelivery()
  await runScript(
    `S~ 220 .*
C: XCLIENT NAME=host.client.test ADDR=198.51.100.7
S~ 220 .*
C: EHLO client.test
S*
S~ 250 .*
C: MAIL FROM:<>
S~ 250 .*
C: RCPT TO:<alice@example.test>
S~ 250 .*
C: DATA
S~ 354 .*
C: .
S~ 250 .*
`,
    () => startServer({ xclient: true }, { delivery }),
  )
  expect(delivery.kept[0]?.received).toContain('from client.test (host.client.test [198.51.100.7])\r\n')
})
