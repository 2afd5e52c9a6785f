import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Authenticator,
  connectSmtp,
  createMailServer,
  type ListenerName,
  type MailServer,
  type WireEntry,
  WireLog,
} from '../../src/index.js'
import { type ClientCredentials, clientMechanisms } from '../../src/sasl/index.js'

const domains = { 'example.test': { users: { alice: { password: 'a secret' } } } }
const user = 'alice@example.test'
const protocols = ['submissions', 'pop3s', 'imaps'] as const
const listen = Object.fromEntries(protocols.map((name) => [name, '127.0.0.1:0']))
const trusting = { rejectUnauthorized: false }

function portOf(server: MailServer, name: ListenerName): number {
  return server.listeners.find(({ protocol }) => protocol === name)?.port ?? 0
}

/** Talks to a server a line at a time. */
class Lines {
  readonly #socket: TLSSocket
  #text = ''
  readonly #chunks: AsyncIterator<Buffer>

  constructor(port: number) {
    this.#socket = connectTls({ host: '127.0.0.1', port, ...trusting })
    this.#chunks = this.#socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  say(line: string): void {
    this.#socket.write(`${line}\r\n`)
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end !== -1) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      const { value, done } = await this.#chunks.next()
      if (done) return 'end'
      this.#text += String(value)
    }
  }

  end(): void {
    this.#socket.destroy()
  }
}

const openings = {
  submissions: { hello: ['EHLO c.test'], login: 'AUTH', challenge: /^334 (.*)$/, ok: /^235 / },
  pop3s: { hello: [], login: 'AUTH', challenge: /^\+ (.*)$/, ok: /^\+OK / },
  imaps: { hello: [], login: 'a AUTHENTICATE', challenge: /^\+ (.*)$/, ok: /^a OK / },
} as const

/** Logs in with a mechanism of our client's side; what the server says to it in the end. */
async function logIn(
  server: MailServer,
  listener: (typeof protocols)[number],
  credentials: ClientCredentials,
  name: string,
): Promise<{ readonly ok: boolean; readonly said: string; readonly challenges: readonly string[] }> {
  const { hello, login, challenge, ok } = openings[listener]
  const mechanism = clientMechanisms(credentials)
    .find((each) => each.name === name)
    ?.create()
  if (mechanism === undefined) throw new Error(`no mechanism ${name}`)
  const lines = new Lines(portOf(server, listener))
  try {
    await lines.next()
    for (const line of hello) {
      lines.say(line)
      while ((await lines.next()).startsWith('250-'));
    }
    const challenges: string[] = []
    let initial = mechanism.start()
    lines.say(`${login} ${name}`)
    for (;;) {
      const said = await lines.next()
      const text = challenge.exec(said)?.[1]
      if (text === undefined) return { ok: ok.test(said) && mechanism.satisfied, said, challenges }
      const data = Buffer.from(text, 'base64')
      challenges.push(data.toString())
      const response = initial ?? mechanism.respond(data)
      initial = null
      lines.say(response === null ? '*' : Buffer.from(response).toString('base64'))
    }
  } finally {
    lines.end()
  }
}

/** Alice's token is `a.b-c~d+e/f==`, and nobody else has one. */
const bearing: Authenticator = {
  mechanisms: ['OAUTHBEARER', 'XOAUTH2'],
  async bearer({ user: named, token }) {
    return token === 'a.b-c~d+e/f==' && named === user
      ? { ok: true, user }
      : { ok: false, failure: 'invalid' }
  },
}

describe('every mechanism over every protocol', () => {
  it('with a password', async () => {
    const limits = { logins: { firstDelayMs: 0, perAddress: 1000, perNetwork: 1000, perBlock: 1000 } }
    await using server = await createMailServer({ listen, domains, limits })
    for (const listener of protocols) {
      for (const name of ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']) {
        const right = await logIn(server, listener, { user, password: 'a secret' }, name)
        expect(right, `${listener} ${name}`).toMatchObject({ ok: true })
        expect(await logIn(server, listener, { user, password: 'wrong' }, name)).toMatchObject({
          ok: false,
          said: expect.stringMatching(/^(535 5\.7\.8|-ERR \[AUTH\]|a NO \[AUTHENTICATIONFAILED\])/),
        })
      }
    }
  }, 30_000)

  it('with a token, which nobody sees in a log', async () => {
    const entries: WireEntry[] = []
    const wireLog = () => new WireLog((entry) => entries.push(entry), { bodies: true })
    const logged: unknown[] = []
    const logger = { log: (...line: unknown[]) => void logged.push(line) }
    await using server = await createMailServer({ listen, domains, authenticator: bearing, wireLog, logger })
    for (const listener of protocols) {
      for (const name of bearing.mechanisms) {
        const right = await logIn(server, listener, { user, accessToken: 'a.b-c~d+e/f==' }, name)
        expect(right, `${listener} ${name}`).toMatchObject({ ok: true, challenges: [''] })
        const wrong = await logIn(server, listener, { user, accessToken: 'wrong' }, name)
        expect(wrong).toMatchObject({ ok: false, challenges: ['', expect.stringMatching(/^\{"status":"/)] })
      }
    }
    const shown = entries.map(({ text }) => text).join('\n')
    expect(shown).toMatch(/^AUTH XOAUTH2 \*\*\*$/m)
    expect(shown).toMatch(/^334 \*\*\*$/m)
    expect(shown).not.toMatch(/[A-Za-z0-9+/]{40}/)
    expect(JSON.stringify([entries, logged])).not.toMatch(/a\.b-c|YS5iLWN|EuYi1j|hLmItY/)
  }, 30_000)

  it('of clients from elsewhere: nodemailer and imapflow', async () => {
    await using server = await createMailServer({ listen, domains, authenticator: bearing })
    const accessToken = 'a.b-c~d+e/f=='
    const transport = createTransport({
      host: '127.0.0.1',
      port: portOf(server, 'submissions'),
      secure: true,
      auth: { type: 'OAuth2', user, accessToken },
      tls: trusting,
    })
    const sent = await transport.sendMail({ from: user, to: user, subject: 'token', text: 'Hello' })
    expect(sent.response).toMatch(/^250 /)
    transport.close()
    const flow = (token: string) =>
      new ImapFlow({
        host: '127.0.0.1',
        port: portOf(server, 'imaps'),
        secure: true,
        auth: { user, accessToken: token },
        tls: trusting,
        logger: false,
      })
    const client = flow(accessToken)
    await client.connect()
    expect((await client.mailboxOpen('INBOX')).exists).toBe(1)
    await client.logout()
    await expect(flow('wrong').connect()).rejects.toMatchObject({ authenticationFailed: true })
  }, 30_000)
})

describe('what cannot work is not offered', () => {
  it('a mechanism whose method is missing, or that nobody knows', async () => {
    const authenticator: Authenticator = {
      mechanisms: ['SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN', 'XOAUTH2'],
      plain: async () => ({ ok: false, failure: 'invalid' }),
    }
    await using server = await createMailServer({ listen, domains, authenticator })
    const smtp = new Lines(portOf(server, 'submissions'))
    await smtp.next()
    smtp.say('EHLO c.test')
    const said: string[] = []
    for (let line = '250-'; line.startsWith('250-'); said.push(line)) line = await smtp.next()
    expect(said.filter((line) => line.includes('AUTH'))).toEqual([expect.stringMatching(/^250.AUTH PLAIN$/)])
    smtp.say('AUTH SCRAM-SHA-256')
    expect(await smtp.next()).toMatch(/^504 /)
    smtp.end()
    const imap = new Lines(portOf(server, 'imaps'))
    expect((await imap.next()).match(/AUTH=\S+/g)).toEqual(['AUTH=PLAIN]'])
    imap.end()
    const pop3 = new Lines(portOf(server, 'pop3s'))
    await pop3.next()
    pop3.say('CAPA')
    for (let line = ''; line !== '.'; line = await pop3.next()) expect(line).not.toMatch(/^SASL (?!PLAIN$)/)
    pop3.end()
  })

  it('LOGIN and USER where there are tokens only', async () => {
    await using server = await createMailServer({ listen, domains, authenticator: bearing })
    const imap = new Lines(portOf(server, 'imaps'))
    expect(await imap.next()).toContain('LOGINDISABLED AUTH=OAUTHBEARER AUTH=XOAUTH2')
    imap.say('a LOGIN alice secret')
    expect(await imap.next()).toMatch(/^a NO \[CANNOT\]/)
    imap.end()
    const pop3 = new Lines(portOf(server, 'pop3s'))
    await pop3.next()
    pop3.say('USER alice')
    expect(await pop3.next()).toBe('-ERR USER is not available')
    pop3.end()
  })
})

describe('keys of SCRAM', () => {
  let data: string

  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'mailwright-sasl-'))
  })

  afterEach(() => rm(data, { recursive: true, force: true }))

  it('look the same for a user and for nobody, and stay when the server starts anew', async () => {
    const seen: string[][] = []
    for (let run = 0; run < 2; run++) {
      await using server = await createMailServer({ listen, domains, data })
      if (run === 0) await server.users?.add('bob@example.test', 'another')
      const firsts: string[] = []
      for (const name of ['alice', 'bob', 'mallory']) {
        const credentials = { user: `${name}@example.test`, password: 'wrong' }
        const { challenges } = await logIn(server, 'imaps', credentials, 'SCRAM-SHA-256')
        firsts.push(challenges[1]?.replace(/^r=[^,]*,/, '') ?? '')
      }
      expect(firsts.every((each) => /^s=[A-Za-z0-9+/]{22}==,i=65536$/.test(each))).toBe(true)
      expect(new Set(firsts).size).toBe(3)
      seen.push(firsts)
    }
    expect(seen[0]).toEqual(seen[1])
  }, 30_000)

  it('do for a client in clear, which would send no password', async () => {
    await using server = await createMailServer({
      listen: { submission: '127.0.0.1:0' },
      domains,
      plaintextLogin: 'never',
    })
    const port = portOf(server, 'submission')
    const to = { host: '127.0.0.1', port, tls: 'none' } as const
    const session = await connectSmtp({ ...to, credentials: { user, password: 'a secret' } })
    await session.close()
    const mechanisms = ['PLAIN']
    const refused = connectSmtp({ ...to, credentials: { user, password: 'a secret' }, mechanisms })
    await expect(refused).rejects.toMatchObject({ code: 'AUTH_UNAVAILABLE' })
  })
})
