import { expect, it } from 'vitest'
import type { Authenticator } from '../../src/interfaces/index.js'
import { MemoryStore } from '../../src/storage/memory/index.js'
import type { ScriptHost } from '../../src/testing/index.js'
import { imapHost } from '../imap/session/host.js'
import { pop3Host } from '../pop3/host.js'
import { startServer } from '../smtp/harness.js'
import { everyMechanism } from '../support/auth.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const message = Buffer.from('n,,n=u,r=x').toString('base64')

const hosts: readonly [string, (authenticator: Authenticator) => Promise<ScriptHost>, string][] = [
  [
    'SMTP',
    async (authenticator) => startServer({ implicitTls: true }, { authenticator }),
    `EHLO c\r\nAUTH SCRAM-SHA-256 ${message}\r\nMAIL FROM:<>\r\n`,
  ],
  [
    'POP3',
    (authenticator) => pop3Host({ mechanisms: authenticator.mechanisms }, new MemoryStore(), authenticator),
    `AUTH SCRAM-SHA-256 ${message}\r\nSTAT\r\n`,
  ],
  [
    'IMAP',
    async (authenticator) => imapHost(new MemoryStore(), authenticator),
    `a AUTHENTICATE SCRAM-SHA-256 ${message}\r\nb NOOP\r\n`,
  ],
]

it.each(hosts)('keys that are asked for are void when the connection is lost: %s', async (_, start, said) => {
  const asked: AbortSignal[] = []
  let answer: () => void = () => undefined
  let finished = 0
  const scram: Authenticator['scram'] = async (credentials, context) => {
    asked.push(context.signal)
    await new Promise<void>((resolve) => {
      answer = resolve
    })
    const attempt = await everyMechanism.scram?.(credentials, context)
    if (attempt === undefined || !('keys' in attempt)) throw new Error('no keys')
    return {
      ...attempt,
      finish(proved) {
        finished++
        return attempt.finish(proved)
      },
    }
  }
  const host = await start({ mechanisms: ['SCRAM-SHA-256'], scram })
  const client = await host.connect()
  await client.read()
  await client.write([Buffer.from(said)])
  for (let i = 0; i < 10 && asked.length === 0; i++) await turn()
  expect(asked.map(({ aborted }) => aborted)).toEqual([false])
  client.destroy()
  for (let i = 0; i < 10 && asked[0]?.aborted !== true; i++) await turn()
  expect(asked[0]?.aborted).toBe(true)
  answer()
  for (let i = 0; i < 3; i++) await turn()
  expect(finished).toBe(0)
  await host.close?.()
})
