import { describe, expect, it } from 'vitest'
import type { Authenticator } from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import { Pop3ServerEngine } from '../../src/pop3/index.js'
import { MemoryStore } from '../../src/storage/memory/index.js'
import type { ScriptHost } from '../../src/testing/index.js'
import { imapHost } from '../imap/session/host.js'
import { pop3Host } from '../pop3/host.js'
import { startServer } from '../smtp/harness.js'
import { Talk } from '../smtp/talk.js'
import { agreeTo, everyMechanism, exampleFirst } from '../support/auth.js'

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

describe('an engine that asks an authenticator', () => {
  const begin = `AUTH SCRAM-SHA-256 ${exampleFirst}\r\n`

  /** An SMTP engine whose question waits. */
  function waiting(): Talk {
    const talk = new Talk({ secure: true, mechanisms: ['SCRAM-SHA-256'] })
    talk.send('EHLO c\r\n')
    talk.onAsk = () => false
    talk.send(begin)
    expect(talk.events.at(-1)).toMatchObject({ type: 'authenticate', question: { type: 'scram' } })
    return talk
  }

  it('takes no reply for an answer but a refusal', () => {
    const { engine } = waiting()
    expect(() => engine.accept()).toThrow(expect.objectContaining({ code: 'REPLY' }))
    expect(() => engine.reply(reply(235, '2.7.0', 'Welcome'))).toThrow(
      expect.objectContaining({ code: 'REPLY' }),
    )
    engine.reply(reply(454, '4.7.0', 'Later'))
    expect(() => engine.answerAuth({ ok: true, user: 'u' })).toThrow(
      expect.objectContaining({ code: 'NO_QUESTION' }),
    )
    expect(Buffer.concat(engine.takeOutput()).toString()).toBe('454 4.7.0 Later\r\n')
  })

  it('does not go on with an exchange when it stops', () => {
    const { engine } = waiting()
    engine.shutdown('shutdown')
    engine.answerAuth(agreeTo({ type: 'scram', credentials: { user: 'user', authorizationId: '' } }))
    expect(Buffer.concat(engine.takeOutput()).toString()).toMatch(/^421 4\.[^\n]*\r\n$/)
    expect(engine.need).toBe('closed')
  })

  it('says no to a login that has failed, however the host accepts it', () => {
    const talk = waiting()
    talk.engine.answerAuth({ ok: false, failure: 'invalid' })
    talk.onAsk = () => {
      talk.engine.accept()
      return true
    }
    expect(talk.run()).toBe('535 5.7.8 Authentication credentials invalid\r\n')
  })

  it('forgets an exchange that POP3 has refused', () => {
    const engine = new Pop3ServerEngine({
      hostname: 'mail.example.test',
      secure: true,
      mechanisms: ['SCRAM-SHA-256', 'PLAIN'],
    })
    engine.receive(Buffer.from(`${begin}USER alice\r\nPASS secret\r\n`))
    expect(engine.next()).toMatchObject({ type: 'authenticate', mechanism: 'SCRAM-SHA-256' })
    engine.refuse('SYS/TEMP', 'Not now')
    expect(engine.next()).toMatchObject({ type: 'authenticate', mechanism: 'USER' })
    const keys = agreeTo({ type: 'scram', credentials: { user: 'user', authorizationId: '' } })
    expect(() => engine.answerAuth(keys)).toThrow(expect.objectContaining({ code: 'ANSWER' }))
  })
})
