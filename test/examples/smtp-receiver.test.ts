import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { startReceiver } from '../../examples/smtp-receiver.js'

it('receives what is for its domain and refuses the rest', async () => {
  const saved: { readonly to: readonly string[]; readonly message: Buffer }[] = []
  const server = await startReceiver('127.0.0.1:0', 'example.test', async (to, message) => {
    saved.push({ to, message })
  })
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.listeners[0]?.port ?? 0,
    tls: { rejectUnauthorized: false },
  })
  try {
    const mail = { from: 'bob@example.net', subject: 'Hello', text: 'one\n.two\n' }
    await transport.sendMail({ ...mail, to: ['alice@example.test', 'info@example.test'] })
    expect(saved.map(({ to }) => to)).toEqual([['alice@example.test', 'info@example.test']])
    const text = saved[0]?.message.toString() ?? ''
    expect(text).toMatch(/^Received: from /)
    expect(text).toContain('\r\nSubject: Hello\r\n')
    expect(text).toMatch(/\r\none\r\n\.two\r\n$/)
    await expect(transport.sendMail({ ...mail, to: 'carol@example.org' })).rejects.toMatchObject({
      responseCode: 550,
    })
    expect(saved).toHaveLength(1)
  } finally {
    transport.close()
    await server.close()
  }
})

it('tells the sender when the message could not be kept', async () => {
  const server = await startReceiver('127.0.0.1:0', 'example.test', async () => {
    throw new Error('no room')
  })
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.listeners[0]?.port ?? 0,
    tls: { rejectUnauthorized: false },
  })
  try {
    await expect(
      transport.sendMail({ from: 'bob@example.net', to: 'alice@example.test', text: 'x' }),
    ).rejects.toMatchObject({ responseCode: 451 })
  } finally {
    transport.close()
    await server.close()
  }
})
