import { expect, it } from 'vitest'
import { reply } from '../../src/interfaces/index.js'
import { type SmtpHandlers, smtpHandlers } from '../../src/smtp/index.js'
import { runScript } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { startServer } from './harness.js'

const refusing = (responseCode: number): Error => Object.assign(new Error('secret'), { responseCode })
const login = (user: string): string => Buffer.from(`\0${user}\0x`).toString('base64')

async function play(handlers: SmtpHandlers, script: string, options: TestServerOptions = {}): Promise<void> {
  const { authenticator, ...parts } = smtpHandlers(handlers)
  const server = startServer(options, authenticator === null ? parts : { ...parts, authenticator })
  await runScript(script, () => server)
  expect(server.errors).toEqual([])
}

it('says of a login what onAuth resolves to or throws, and tells no word of an error', async () => {
  const answers: Readonly<Record<string, () => string | null>> = {
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
        return answers[user]?.() ?? null
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
