import { describe, expect, it } from 'vitest'
import type { Authenticator, Delivery, Logger, Policy, Transaction } from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import { simpleDelivery } from '../../src/smtp/index.js'
import { runScript } from '../../src/testing/index.js'
import { startServer, TestDelivery } from './harness.js'

/** What a host in plain JavaScript may resolve to, and nobody should take for a yes. */
const garbage: readonly unknown[] = [
  null,
  false,
  true,
  0,
  250,
  '',
  'alice',
  {},
  [],
  { code: 250 },
  { code: 250, enhanced: '2.0.0', lines: [] },
  { code: 250, enhanced: '2.0.0', lines: [7] },
  { code: 250, enhanced: '2.0.0', lines: ['two\r\nlines'] },
  { code: 250, enhanced: '5.0.0', lines: ['no'] },
  { code: 250.5, enhanced: '', lines: ['no'] },
  { code: 150, enhanced: '', lines: ['no'] },
  { code: 354, enhanced: '', lines: ['go on'] },
  { ok: false },
  { ok: false, failure: 'toString' },
  { ok: 1, user: 'alice' },
  { ok: true, user: '' },
  { ok: true, user: { name: 'alice' } },
  Object.assign(new Error('secret'), { code: 250, enhanced: '', lines: ['yes'] }),
  new Error('secret'),
]

const started = 'S~ 220 .*\nC: EHLO c.test\nS*\nS~ 250 .*\n'
const envelope = `${started}C: MAIL FROM:<a@c.test>\nS~ 250 .*\nC: RCPT TO:<alice@example.test>\nS~ 250 .*\n`
const message = `${envelope}C: DATA\nS~ 354 .*\nC: x\nC: .\n`
const LATER = 'S: 451 4.3.0 Temporary failure, try again later\n'

interface Parts {
  readonly policy?: Policy
  readonly delivery?: Delivery
  readonly authenticator?: Authenticator
}

/** Plays the script, and wants exactly one complaint in the log. */
async function play(parts: Parts, script: string, options: object = {}): Promise<void> {
  const complaints: unknown[] = []
  const logger: Logger = {
    log: (_level, event, fields) => void (event === 'smtp.error' && complaints.push(fields.message)),
  }
  await runScript(script, () => startServer(options, { ...parts, logger }))
  expect(complaints).toEqual([expect.stringMatching(/^secret$| gave .*; give |repl(y|ies)|code/)])
}

/** A delivery whose transactions do as usual but for what is given. */
function deliveryOf(change: Readonly<Partial<Record<keyof Transaction, unknown>>>): Delivery {
  const delivery = new TestDelivery()
  const begin = delivery.begin.bind(delivery)
  delivery.begin = async (start, context) => ({ ...(await begin(start, context)), ...change }) as Transaction
  return delivery
}

describe.each(garbage.map((given) => [given]))('a host that answers %j', (given) => {
  const answer = async (): Promise<never> => given as never

  it('has let no connection, name, sender or recipient in', async () => {
    await play({ policy: { connect: answer } }, 'S: 421 4.3.0 Temporary failure, try again later\nCLOSED\n')
    await play({ policy: { helo: answer } }, `S~ 220 .*\nC: EHLO c.test\n${LATER}`)
    await play({ policy: { mail: answer } }, `${started}C: MAIL FROM:<>\n${LATER}`)
    const rcpt = `${started}C: MAIL FROM:<>\nS~ 250 .*\nC: RCPT TO:<alice@example.test>\n${LATER}C: DATA\nS~ 554 .*\n`
    await play({ policy: { recipient: answer } }, rcpt)
    await play({ delivery: deliveryOf({ recipient: answer }) }, rcpt)
    await play({ delivery: simpleDelivery(async () => undefined, { recipient: answer }) }, rcpt)
  })

  it('has no answer at once either', async () => {
    const at = (): never => given as never
    await play({ policy: { connect: at } }, 'S: 421 4.3.0 Temporary failure, try again later\nCLOSED\n')
    await play({ policy: { mail: at } }, `${started}C: MAIL FROM:<>\n${LATER}`)
  })

  it('has begun and taken no message', async () => {
    await play(
      { delivery: Object.assign(new TestDelivery(), { begin: answer }) },
      `${started}C: MAIL FROM:<>\n${LATER}C: RCPT TO:<alice@example.test>\nS~ 503 .*\n`,
    )
    await play({ delivery: deliveryOf({ ready: answer }) }, `${envelope}C: DATA\n${LATER}`)
    await play({ delivery: deliveryOf({ commit: answer }) }, `${message}${LATER}`)
    await play({ delivery: deliveryOf({ commit: async () => ({ reply: given }) }) }, `${message}${LATER}`)
    const replies = async () => ({ recipients: [reply(250, '2.0.0', 'Yes'), given] })
    await play({ delivery: deliveryOf({ commit: replies }) }, `${message}${LATER}`)
    await play({ delivery: simpleDelivery(async () => [given as never]) }, `${message}${LATER}`)
    if (!Array.isArray(given)) await play({ delivery: simpleDelivery(answer) }, `${message}${LATER}`)
  })

  it('has let nobody log in, and has named nobody the owner of a sender', async () => {
    const login = `${started}C: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS: 454 4.7.0 Temporary authentication failure\nC: MAIL FROM:<>\nS~ 530 .*\n`
    const authenticator = { mechanisms: ['PLAIN'], plain: answer }
    await play({ authenticator }, login, { allowPlaintext: true, requireAuth: true })
    const owned = given === true
    const delivery = Object.assign(new TestDelivery(), { owns: answer })
    const script = `${started}C: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS~ 235 .*\nC: MAIL FROM:<alice@example.test>\nS~ ${owned ? 250 : 550} .*\n`
    await runScript(script, () =>
      startServer({ service: 'submission', allowPlaintext: true, auth: true }, { delivery }),
    )
  })
})

it('a list that is too short for the recipients is no yes in SMTP', async () => {
  const replies = async () => ({ recipients: [reply(250, '2.0.0', 'Yes')] })
  const second = 'C: RCPT TO:<bob@example.test>\nS~ 250 .*\n'
  await runScript(`${envelope}${second}C: DATA\nS~ 354 .*\nC: x\nC: .\nS~ 451 .*\n`, () =>
    startServer({}, { delivery: deliveryOf({ commit: replies }) }),
  )
})

it('a yes is said in the words of the host (RFC 5321 section 3.3)', async () => {
  const policy: Policy = {
    connect: async () => reply(220, '', 'never said'),
    helo: async () => reply(250, '', 'never said'),
    mail: async () => reply(250, '2.1.0', 'Fine'),
    recipient: async () => reply(251, '2.1.5', 'Will forward'),
  }
  const script = `S: 220 mx.example.test ESMTP
C: EHLO c.test
S: 250-mx.example.test
S*
S~ 250 .*
C: MAIL FROM:<>
S: 250 2.1.0 Fine
C: RCPT TO:<alice@example.test>
S: 251 2.1.5 Will forward
C: RCPT TO:<bob@example.test>
S: 250 2.1.5 Bob himself
C: RCPT TO:<carl@example.test>
S: 550 5.1.1 Nobody
`
  const own = [undefined, reply(250, '2.1.5', 'Bob himself'), reply(550, '5.1.1', 'Nobody')]
  const delivery = deliveryOf({ recipient: async () => own.shift() })
  await runScript(script, () => startServer({}, { policy, delivery }))
})

it.each([
  [reply(450, '4.7.1', 'Later'), '421 4.7.1 Later'],
  [reply(550, '5.7.1', 'Never'), '554 5.7.1 Never'],
])('refuses a connection with 554 or 421 only (RFC 5321 section 3.1): %j', async (refusal, said) => {
  await runScript(`S: ${said}\nCLOSED\n`, () => startServer({}, { policy: { connect: async () => refusal } }))
})

it('outlives a last word that fails', async () => {
  const complaints: unknown[] = []
  const logger: Logger = {
    log: (level, _event, fields) => void (level === 'error' && complaints.push(fields.message)),
  }
  const closed = (async () => {
    throw new Error('too late')
  }) as () => void
  await runScript('S~ 220 .*\nC: QUIT\nS~ 221 .*\nCLOSED\n', () =>
    startServer({}, { policy: { closed }, logger }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  expect(complaints).toEqual(['too late'])
})
