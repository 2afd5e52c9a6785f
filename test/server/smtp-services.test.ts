import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  createMailServer,
  type ListenerName,
  type MailServer,
  type MailServerOptions,
} from '../../src/index.js'
import { say as sayTo } from '../support/say.js'

const domains: MailServerOptions['domains'] = {
  'example.test': {
    users: { alice: { password: 'secret' }, jörg: { password: 'secret' } },
    aliases: { info: 'alice@example.test', team: ['alice@example.test', 'jörg@example.test'] },
  },
}

function say(server: MailServer, name: ListenerName, ...lines: readonly string[]): Promise<string> {
  const { port } = server.listeners.find(({ protocol }) => protocol === name) as { port: number }
  return sayTo(port, ...lines)
}

async function inbox(server: MailServer, user: string): Promise<string[]> {
  const account = await server.store.open(user)
  const mailbox = await account.select('INBOX', 'read')
  const { uids } = await mailbox.snapshot()
  const texts: string[] = []
  for (const uid of uids) {
    const chunks: Uint8Array[] = []
    for await (const chunk of mailbox.read(uid)) chunks.push(chunk)
    texts.push(Buffer.concat(chunks).toString())
  }
  return texts
}

const start = (options: Partial<MailServerOptions>) =>
  createMailServer({
    hostname: 'mx.example.test',
    listen: { smtp: '127.0.0.1:0' },
    tls: false,
    domains,
    ...options,
  })
const alice = `AUTH PLAIN ${Buffer.from('\0alice@example.test\0secret').toString('base64')}`

describe('SMTPUTF8', () => {
  it('delivers to a user with a local part in UTF-8, over DATA, BDAT and from inside', async () => {
    await using server = await start({})
    const said = await say(
      server,
      'smtp',
      'EHLO client.test',
      'MAIL FROM:<bjørn@дом.test> SMTPUTF8 BODY=8BITMIME',
      'RCPT TO:<Jörg@EXAMPLE.test>',
      'DATA',
      'Subject: grüße\r\n\r\nüber\r\n.',
      'MAIL FROM:<> SMTPUTF8',
      'RCPT TO:<jo\u0308rg@example.test>',
      'BDAT 8 LAST\r\nzwei\xe4',
    )
    expect(said.match(/^250[ -]2\.\d\.\d .*/gm)).toHaveLength(6)
    const message = Buffer.from('Subject: x\r\n\r\ndrei\r\n')
    expect(
      await server.deliver({ reversePath: 'ä@b.test', recipients: ['jörg@example.test'], message }),
    ).toMatchObject([{ code: 250 }])
    const texts = await inbox(server, 'jörg@example.test')
    expect(texts).toHaveLength(3)
    expect(texts[0]).toMatch(/^Return-Path: <bjørn@дом\.test>\r\nDelivered-To: jörg@example\.test\r\n/)
    expect(texts[0]).toMatch(/with UTF8SMTP\r\n.*\r\n\tfor <Jörg@example\.test>; /i)
    expect(texts[0]?.endsWith('Subject: grüße\r\n\r\nüber\r\n')).toBe(true)
    expect(texts[2]).toContain('Return-Path: <ä@b.test>')
  })
})

describe('submission', () => {
  const listen = { submission: '127.0.0.1:0' }

  it('takes the sender of a user from his own address and his aliases only', async () => {
    await using server = await start({ listen })
    const said = await say(
      server,
      'submission',
      'EHLO client.test',
      alice,
      'MAIL FROM:<alice@example.test>\r\nRSET',
      'MAIL FROM:<Info@EXAMPLE.test>\r\nRSET',
      'MAIL FROM:<team@example.test>\r\nRSET',
      'MAIL FROM:<alice+list@example.test>\r\nRSET',
      'MAIL FROM:<>\r\nRSET',
      'MAIL FROM:<jörg@example.test> SMTPUTF8',
      'MAIL FROM:<alice@elsewhere.test>',
    )
    expect(said.match(/^250 2\.1\.0/gm)).toHaveLength(5)
    expect(said.match(/^550 5\.7\.1/gm)).toHaveLength(2)
  })

  it('mends the header and hides blind recipients, and leaves both be where it is told to', async () => {
    const send = [
      'EHLO client.test',
      alice,
      'MAIL FROM:<elsewhere@c.test>',
      'RCPT TO:<alice@example.test>',
      'DATA',
      'Subject: x\r\nBcc: secret@c.test\r\n\r\nhello\r\n.',
    ]
    {
      await using server = await start({ listen })
      await say(
        server,
        'submission',
        ...send.map((line) => line.replace('elsewhere@c.test', 'alice@example.test')),
      )
      const [text = ''] = await inbox(server, 'alice@example.test')
      expect(text).toMatch(
        /\r\nSubject: x\r\nDate: .*\r\nFrom: <alice@example\.test>\r\nMessage-ID: <.*>\r\n\r\nhello\r\n$/,
      )
      expect(text).not.toContain('secret')
    }
    await using server = await start({ listen, smtp: { checkSender: false, mendHeader: false } })
    await say(server, 'submission', ...send)
    const [text = ''] = await inbox(server, 'alice@example.test')
    expect(text).toMatch(/\r\nSubject: x\r\nBcc: secret@c\.test\r\n\r\nhello\r\n$/)
  })

  it('does neither between servers', async () => {
    await using server = await start({})
    await say(
      server,
      'smtp',
      'EHLO client.test',
      'MAIL FROM:<any@c.test>',
      'RCPT TO:<alice@example.test>',
      'DATA',
      'Bcc: x\r\n\r\n.',
    )
    expect((await inbox(server, 'alice@example.test'))[0]).toMatch(/\r\nBcc: x\r\n\r\n$/)
  })
})

describe('LMTP', () => {
  it('delivers with a reply for each recipient', async () => {
    await using server = await start({ listen: { lmtp: '127.0.0.1:0' } })
    const said = await say(
      server,
      'lmtp',
      'LHLO client.test',
      'MAIL FROM:<>',
      'RCPT TO:<alice@example.test>\r\nRCPT TO:<team@example.test>\r\nRCPT TO:<nobody@example.test>',
      'DATA',
      'x\r\n.',
    )
    expect(said.match(/^250 2\.0\.0 Ok: delivered/gm)).toHaveLength(2)
    expect(await inbox(server, 'alice@example.test')).toHaveLength(1)
  })

  it('is never on port 25', async () => {
    await expect(start({ listen: { lmtp: '127.0.0.1:25' } })).rejects.toMatchObject({
      code: 'CONFIG',
      message: expect.stringContaining('port 25'),
    })
  })
})

describe('proxies', () => {
  it('say by PROXY and by XCLIENT for whom they speak, where they are trusted', async () => {
    const seen: string[] = []
    await using server = await start({
      proxy: { smtp: ['loopback'] },
      smtp: { xclient: ['198.51.100.0/24'] },
      policy: {
        connect: async ({ remoteAddress }) => {
          seen.push(remoteAddress)
          return undefined
        },
      },
    })
    const { port } = server.listeners[0] as { port: number }
    const talk = async (first: string, ...lines: string[]): Promise<string> => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.on('error', () => undefined)
      socket.write(first)
      let said = ''
      for await (const chunk of socket) {
        said += String(chunk)
        const next = lines.shift()
        if (next === undefined) socket.end()
        else socket.write(`${next}\r\n`)
      }
      return said
    }
    const header = (address: string) => `PROXY TCP4 ${address} 192.0.2.1 50000 25\r\n`
    expect(
      await talk(header('198.51.100.7'), 'EHLO c', 'XCLIENT ADDR=203.0.113.9', 'EHLO c', 'QUIT'),
    ).toMatch(/^220 [\s\S]*250-XCLIENT NAME [\s\S]*\n220 [\s\S]*\n221 /)
    expect(await talk(header('203.0.113.1'), 'EHLO c', 'XCLIENT ADDR=203.0.113.9', 'QUIT')).toContain(
      '\r\n550 5.7.0 ',
    )
    expect(await talk('EHLO c\r\n').catch(() => '')).toBe('')
    expect(seen).toEqual(['198.51.100.7', '203.0.113.9', '203.0.113.1'])
  })

  it.each([{ smtp: ['x'] }, { smtp: 'loopback' }, { http: [] }])('cannot be %j', async (proxy) => {
    await expect(start({ proxy } as never)).rejects.toMatchObject({ code: 'CONFIG' })
  })
})
