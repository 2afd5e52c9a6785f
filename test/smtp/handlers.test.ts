import { expect, it } from 'vitest'
import { MailError } from '../../src/core/index.js'
import type { Logger } from '../../src/interfaces/index.js'
import { reply } from '../../src/interfaces/index.js'
import { type SmtpHandlers, smtpHandlers } from '../../src/smtp/index.js'
import { runScript } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { startServer } from './harness.js'

const refusing = (responseCode: number): Error => Object.assign(new Error('secret'), { responseCode })
const login = (user: string): string => Buffer.from(`\0${user}\0x`).toString('base64')

/** `complaints` takes the messages of errors in the log. */
async function play(
  handlers: SmtpHandlers,
  script: string,
  options: TestServerOptions = {},
  complaints: unknown[] = [],
): Promise<void> {
  const { authenticator, ...parts } = smtpHandlers(handlers)
  const logger: Logger = {
    log: (level, _event, { message }) => void (level === 'error' && complaints.push(message)),
  }
  const own = { ...parts, logger }
  const server = startServer(options, authenticator === null ? own : { ...own, authenticator })
  await runScript(script, () => server)
  expect(server.errors).toEqual([])
}

it('says of a login what onAuth resolves to or throws, and tells no word of an error', async () => {
  const answers: Readonly<Record<string, () => unknown>> = {
    nobody: () => null,
    wrong: () => {
      throw refusing(535)
    },
    busy: () => {
      throw refusing(454)
    },
    broken: () => {
      throw new Error('secret')
    },
    alice: () => 'alice',
  }
  const seen: string[] = []
  await play(
    {
      onAuth({ user }, session) {
        seen.push(`${session.secure} ${session.context.helo} ${session.user}`)
        return answers[user]?.() as string | null
      },
      onClose: ({ user }) => void seen.push(`closed ${user}`),
    },
    `S~ 220 .*
C: EHLO before.test
S*
S: 250 STARTTLS
C: STARTTLS
S~ 220 .*
TLS
C: EHLO c.test
S*
S: 250 AUTH PLAIN LOGIN
C: AUTH PLAIN ${login('nobody')}
S: 535 5.7.8 Authentication credentials invalid
C: AUTH PLAIN ${login('wrong')}
S: 535 5.7.8 Authentication credentials invalid
C: AUTH PLAIN ${login('busy')}
S: 454 4.7.0 Temporary authentication failure
C: AUTH PLAIN ${login('broken')}
S: 454 4.7.0 Temporary authentication failure
C: AUTH PLAIN ${login('alice')}
S~ 235 .*
C: QUIT
S~ 221 .*
CLOSED
`,
    { startTls: true },
  )
  expect(seen).toEqual([...new Array(5).fill('true c.test null'), 'closed alice'])
})

it.each([
  ['null', null, 535],
  ['undefined', undefined, 535],
  ['false', false, 535],
  ['an empty name', '', 454],
  ['true', true, 454],
  ['a number', 0, 454],
  ['the object of smtp-server', { user: 'alice' }, 454],
  ['a Reply', reply(235, '2.7.0', 'Welcome'), 454],
  ['a list', ['alice'], 454],
  ['an error', new Error('secret'), 454],
  ['an error that says 535', refusing(535), 535],
  ['an error that says 235', refusing(235), 454],
])('lets nobody in where onAuth answers %s', async (_what, given, code) => {
  const complaints: unknown[] = []
  await play(
    { onAuth: async () => given as string | null },
    `S~ 220 .*
C: EHLO c.test
S*
S: 250 AUTH PLAIN LOGIN
C: AUTH PLAIN ${login('alice')}
S~ ${code} .* [Aa]uthentication .*
C: MAIL FROM:<>
S~ 530 .*
`,
    { allowPlaintext: true, requireAuth: true },
    complaints,
  )
  const expected =
    given instanceof Error ? 'secret' : expect.stringContaining("give the user's name, a string")
  expect(complaints).toEqual(code === 454 ? [expected] : [])
})

const LATER = '451 4.3.0 Temporary failure, try again later'

it.each([
  ['null', null, LATER],
  ['false', false, LATER],
  ['a string', 'ok', LATER],
  ['an error', new Error('secret'), LATER],
  ['an error with a code', refusing(550), '550 5.0.0 secret'],
  ['an error with the code of a yes', refusing(250), LATER],
  ['a MailError', new MailError('overQuota', 'secret'), '452 4.2.2 Mailbox is full'],
  ['half a Reply', { code: 250, message: 'OK' }, LATER],
])('takes no step where a handler answers %s', async (_what, given, said) => {
  const steps = {
    onConnect: '',
    onHelo: 'C: EHLO c.test',
    onMailFrom: 'C: EHLO c.test\nS*\nS~ 250 .*\nC: MAIL FROM:<>',
    onRcptTo: 'C: HELO c.test\nS~ 250 .*\nC: MAIL FROM:<>\nS~ 250 .*\nC: RCPT TO:<a@b.test>',
    onData:
      'C: HELO c.test\nS~ 250 .*\nC: MAIL FROM:<>\nS~ 250 .*\nC: RCPT TO:<a@b.test>\nS~ 250 .*\nC: DATA\nS~ 354 .*\nC: .',
  }
  for (const [name, before] of Object.entries(steps)) {
    const complaints: unknown[] = []
    const answer = name === 'onConnect' ? said.replace(/^4../, '421').replace(/^5../, '554') : said
    const script = before === '' ? `S: ${answer}\nCLOSED\n` : `S~ 220 .*\n${before}\nS: ${answer}\n`
    await play({ [name]: () => given }, script, {}, complaints)
    expect(complaints.length, name).toBe(said.startsWith('550') ? 0 : 1)
    if (!(given instanceof Error) && name !== 'onData') expect(complaints[0]).toContain(`${name} gave `)
  }
})

it('takes a yes in a handler’s own words, and results that are there at once', async () => {
  const results = [reply(250, '2.0.0', 'First'), reply(452, '4.2.2', 'Full')]
  await play(
    {
      onMailFrom: () => reply(250, '2.1.0', 'Hello'),
      onRcptTo: ({ localPart }) => (localPart === 'far' ? reply(251, '2.1.5', 'Forwarded') : undefined),
      onData: () => results,
    },
    `S~ 220 .*
C: LHLO c.test
S*
S~ 250 .*
C: MAIL FROM:<>
S: 250 2.1.0 Hello
C: RCPT TO:<far@b.test>
S: 251 2.1.5 Forwarded
C: RCPT TO:<near@b.test>
S: 250 2.1.5 Recipient OK
C: DATA
S~ 354 .*
C: .
S: 250 2.0.0 First
S: 452 4.2.2 Full
`,
    { service: 'lmtp' },
  )
  const answers: SmtpHandlers[] = [{ onData: () => reply(250, '2.0.0', 'Taken') }, { onData() {} }]
  for (const handlers of answers)
    await play(
      handlers,
      'S~ 220 .*\nC: HELO c.test\nS~ 250 .*\nC: MAIL FROM:<>\nS~ 250 .*\nC: RCPT TO:<a@b.test>\nS~ 250 .*\nC: DATA\nS~ 354 .*\nC: .\nS~ 250 2.0.0 (Taken|Message accepted)\n',
    )
})

it('hands a message in chunks over as it comes, and tells LMTP its results, duplicates too', async () => {
  const bodies: string[] = []
  await play(
    {
      onRcptTo: ({ localPart }) => (localPart === 'nobody' ? reply(550, '5.1.1', 'Who?') : undefined),
      async onData(message) {
        let text = ''
        for await (const chunk of message.body) text += Buffer.from(chunk).toString('latin1')
        bodies.push(text)
        return message.recipients.map(({ localPart }) =>
          localPart === 'full' ? reply(452, '4.2.2', 'Full') : reply(250, '2.0.0', `For ${localPart}`),
        )
      },
    },
    `S~ 220 .*
C: LHLO c.test
S*
S~ 250 LIMITS.*
C: MAIL FROM:<>
C: RCPT TO:<alice@b.test>
C: RCPT TO:<full@b.test>
C: RCPT TO:<nobody@b.test>
C: RCPT TO:<alice@b.test>
C: BDAT 3
C| .\\r\\n
C: BDAT 6 LAST
C| last\\r\\n
S~ 250 .*
S~ 250 .*
S~ 250 .*
S: 550 5.1.1 Who?
S~ 250 .*
S: 250 2.0.0 Octets received
S: 250 2.0.0 For alice
S: 452 4.2.2 Full
S: 250 2.0.0 For alice
`,
    { service: 'lmtp' },
  )
  expect(bodies).toEqual(['.\r\nlast\r\n'])
})
