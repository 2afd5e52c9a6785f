import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMailServer, type MailServer } from '../../src/server/index.js'

let server: MailServer

beforeAll(async () => {
  server = await createMailServer({
    listen: { smtp: '127.0.0.1:0', pop3: '127.0.0.1:0', imap: '127.0.0.1:0' },
    domains: { 'example.test': { users: {} } },
  })
})

afterAll(() => server.close())

/** A client that leaves its own side open whatever the server does. */
async function reach(protocol: string): Promise<{ readonly socket: Socket; said: string }> {
  const port = server.listeners.find((each) => each.protocol === protocol)?.port ?? 0
  const client = {
    socket: connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
    said: '',
  }
  client.socket.on('data', (chunk: Buffer) => {
    client.said += chunk.toString('latin1')
  })
  await once(client.socket, 'data')
  return client
}

/** Whether the other side refuses what it is sent, which it does once it has closed. */
async function isClosed(socket: Socket): Promise<boolean> {
  const refused = once(socket, 'error').then(
    () => true,
    () => true,
  )
  socket.on('error', () => undefined)
  for (let i = 0; i < 10 && socket.writable; i++) {
    socket.write('more\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  socket.destroy()
  return Promise.race([refused, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 50))])
}

describe.each([
  ['smtp', 'QUIT\r\n', /221 2\.0\.0 .*\r\n$/],
  ['pop3', 'QUIT\r\n', /\+OK Bye\r\n$/],
  ['imap', 'a LOGOUT\r\n', /\* BYE .*\r\na OK .*\r\n$/],
])('%s', (protocol, goodbye, answer) => {
  it('closes the connection at once when the client has taken its leave', async () => {
    const client = await reach(protocol)
    client.socket.write(goodbye)
    await once(client.socket, 'end')
    expect(client.said).toMatch(answer)
    expect(await isClosed(client.socket)).toBe(true)
  })

  it('waits for the end of a client that goes on talking, lest the answer is lost', async () => {
    const client = await reach(protocol)
    client.socket.write(`${goodbye}${goodbye}`)
    await once(client.socket, 'end')
    expect(client.said).toMatch(answer)
    expect(await isClosed(client.socket)).toBe(false)
  })
})
