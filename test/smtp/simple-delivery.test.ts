import { describe, expect, it } from 'vitest'
import { MailError } from '../../src/core/index.js'
import type { Delivery, SessionContext } from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import type { IncomingMessage } from '../../src/smtp/index.js'
import { simpleDelivery } from '../../src/smtp/index.js'
import { runScript } from '../../src/testing/index.js'
import { startServer } from './harness.js'

const transaction = `C: MAIL FROM:<a@c.test>
C: RCPT TO:<b@example.test>
C: DATA
S~ 250 .*
S~ 250 .*
S~ 354 .*
C: Subject: x
C: 
C: hello
C: .
`
const play = (delivery: Delivery, script: string): Promise<unknown> =>
  runScript(`S~ 220 .*\nC: EHLO c.test\nS*\nS~ 250 .*\n${script}`, () => startServer({}, { delivery }))

async function begin(delivery: Delivery) {
  const context = {} as SessionContext
  const begun = await delivery.begin({ reversePath: '', size: null, body: '7BIT', smtpUtf8: false }, context)
  if ('code' in begun) throw new Error('refused')
  await begun.recipient({ address: 'a@b', localPart: 'a', domain: 'b' })
  await begun.ready()
  return begun
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('simpleDelivery', () => {
  it('hands a message to one function', async () => {
    const got: unknown[] = []
    const delivery = simpleDelivery(async (message) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of message.body) chunks.push(chunk)
      const recipients = message.recipients.map((each) => each.address)
      got.push(message.reversePath, recipients, Buffer.concat(chunks).toString(), message.context.helo)
      expect(Buffer.from(message.received).toString()).toMatch(/^Received: from c\.test /)
    })
    await play(delivery, `${transaction}S: 250 2.0.0 Message accepted\n`)
    expect(got).toEqual(['a@c.test', ['b@example.test'], 'Subject: x\r\n\r\nhello\r\n', 'c.test'])
  })

  it('says what the function returns or throws, also when it reads nothing', async () => {
    await play(
      simpleDelivery(async () => reply(550, '5.7.1', 'Spam')),
      `${transaction}S: 550 5.7.1 Spam\n`,
    )
    const full = simpleDelivery(async () => {
      throw new MailError('diskFull', '')
    })
    await play(full, `${transaction}S~ 452 4\\.3\\.1 .*\n`)
    const broken = simpleDelivery(() => {
      throw new Error('broken')
    })
    await play(broken, `${transaction}S~ 451 4\\.3\\.0 .*\nC: NOOP\nS~ 250 .*\n`)
  })

  it('refuses recipients', async () => {
    const delivery = simpleDelivery(async () => undefined, {
      recipient: ({ localPart }) => (localPart === 'b' ? undefined : reply(550, '5.1.1', 'Nobody')),
    })
    await play(
      delivery,
      'C: MAIL FROM:<>\nC: RCPT TO:<x@y.test>\nC: RCPT TO:<b@y.test>\nS~ 250 .*\nS: 550 5.1.1 Nobody\nS~ 250 .*\n',
    )
  })

  it('holds the writer while the reader is slow, and no more than it should', async () => {
    let message: IncomingMessage | undefined
    let finish: () => void = () => undefined
    const delivery = simpleDelivery(async (incoming) => {
      message = incoming
      await new Promise<void>((resolve) => {
        finish = resolve
      })
    })
    const begun = await begin(delivery)
    const chunk = Buffer.alloc(40_000)
    expect(begun.write(chunk)).toBeUndefined()
    const held = begun.write(chunk)
    expect(held).toBeInstanceOf(Promise)
    let free = false
    void (held as Promise<void>).then(() => {
      free = true
    })
    await tick()
    expect(free).toBe(false)
    const body = message?.body[Symbol.asyncIterator]()
    expect((await body?.next())?.value).toBe(chunk)
    await tick()
    expect(free).toBe(true)
    finish()
    await tick()
    expect(begun.write(chunk)).toBeUndefined()
    expect(await begun.commit(new Uint8Array(1))).toMatchObject({ reply: { code: 250 } })
  })

  it('throws in the body when the client does not finish', async () => {
    let thrown: unknown
    const delivery = simpleDelivery(async ({ body }) => {
      try {
        for await (const _ of body);
      } catch (error) {
        thrown = error
        throw error
      }
    })
    const begun = await begin(delivery)
    await begun.write(Buffer.from('x'))
    await tick()
    await begun.abort('lost')
    await tick()
    expect(thrown).toMatchObject({ code: 'MAIL', kind: 'unavailable' })
  })
})
