import { describe, expect, it, vi } from 'vitest'
import { MailError, toLatin1 } from '../../src/core/index.js'
import type { MailStore } from '../../src/interfaces/index.js'
import { MemoryStore } from '../../src/storage/memory/index.js'
import type { MemoryDuplex } from '../../src/testing/memory-duplex.js'
import { append, expunge, messageOf, type Pop3Host, pop3Host, TestAuthenticator } from './host.js'

/** The client's end, read and written a line at a time. */
class Client {
  readonly duplex: MemoryDuplex
  #text = ''

  constructor(host: Pop3Host) {
    this.duplex = host.connect()
  }

  async line(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end !== -1) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      const chunk = await this.duplex.read().catch(() => null)
      if (chunk === null) return null
      this.#text += toLatin1(chunk)
    }
  }

  async say(text: string): Promise<string | null> {
    await this.duplex.write([Buffer.from(`${text}\r\n`, 'latin1')])
    return this.line()
  }

  /** The lines of a multi-line response, unstuffed, without its first line. */
  async lines(): Promise<string[]> {
    const lines: string[] = []
    for (let line = await this.line(); line !== null && line !== '.'; line = await this.line()) {
      lines.push(line.startsWith('.') ? line.slice(1) : line)
    }
    return lines
  }

  async login(user: string): Promise<string | null> {
    await this.line()
    await this.say(`USER ${user}`)
    return this.say('PASS secret')
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('Pop3ServerSession', () => {
  it('keeps its numbers when IMAP expunges and delivery appends', async () => {
    const host = await pop3Host()
    const client = new Client(host)
    await client.login('mrose')
    await expunge(host.store, 'mrose', 1)
    await append(host.store, 'mrose', messageOf(300))
    expect(await client.say('RETR 1')).toBe('-ERR Message is gone')
    expect(await client.say('STAT')).toBe('+OK 2 320')
    expect(await client.say('LIST 2')).toBe('+OK 2 200')
    expect(await client.say('RETR 2')).toBe('+OK Message follows')
    expect(await client.lines()).toHaveLength(3)
    expect(await client.say('RETR 3')).toBe('-ERR No such message, the last one is 2')
    expect(await client.say('DELE 1')).toBe('+OK Message 1 deleted')
    expect(await client.say('DELE 2')).toBe('+OK Message 2 deleted')
    expect(await client.say('QUIT')).toBe('+OK Bye')
    expect(await new Client(host).login('mrose')).toBe('+OK Maildrop has 1 message (300 octets)')
  })

  it('says so when the deleted messages cannot be removed', async () => {
    const host = await pop3Host()
    const client = new Client(host)
    await client.login('mrose')
    await client.say('DELE 1')
    vi.spyOn(host.store, 'apply').mockRejectedValueOnce(new MailError('diskFull', 'no space'))
    expect(await client.say('QUIT')).toBe('-ERR [SYS/TEMP] Deleted messages are not removed')
    expect(await client.line()).toBeNull()
    expect(await new Client(host).login('mrose')).toBe('+OK Maildrop has 2 messages (320 octets)')
  })

  it('answers QUIT only when the removal is durable, and has let go of the lock by then', async () => {
    const host = await pop3Host()
    const client = new Client(host)
    await client.login('mrose')
    await client.say('DELE 1')
    let finish: () => void = () => undefined
    const apply = host.store.apply.bind(host.store)
    vi.spyOn(host.store, 'apply').mockImplementationOnce(async (ops) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return apply(ops)
    })
    const answered = vi.fn()
    const quit = client.say('QUIT').then((line) => {
      answered()
      return line
    })
    await turns(5)
    expect(answered).not.toHaveBeenCalled()
    expect(await new Client(host).login('mrose')).toMatch(/^-ERR \[IN-USE\]/)
    finish()
    expect(await quit).toBe('+OK Bye')
    expect(await new Client(host).login('mrose')).toBe('+OK Maildrop has 1 message (200 octets)')
  })

  it('breaks the connection when the store fails in the middle of a message', async () => {
    const host = await pop3Host()
    const select = vi.fn()
    wrapRead(host.store, async function* () {
      select()
      yield Buffer.from('Subject: half\r\n')
      throw new MailError('corrupt', 'a page is damaged')
    })
    const client = new Client(host)
    await client.login('mrose')
    expect(await client.say('RETR 1')).toBe('+OK Message follows')
    expect(await client.line()).toBe('Subject: half')
    expect(await client.line()).toBeNull()
    expect(select).toHaveBeenCalledTimes(1)
  })

  it('tells a failure before the first octet', async () => {
    const host = await pop3Host()
    // biome-ignore lint/correctness/useYield: it fails before it yields
    wrapRead(host.store, async function* () {
      throw new MailError('corrupt', 'a page is damaged')
    })
    const client = new Client(host)
    await client.login('mrose')
    expect(await client.say('RETR 1')).toBe('-ERR [SYS/PERM] Stored data is damaged')
    expect(await client.say('TOP 1 0')).toBe('-ERR [SYS/PERM] Stored data is damaged')
    expect(await client.say('NOOP')).toBe('+OK')
  })

  it('reads no more of a message than the client takes, nor than TOP wants', async () => {
    const host = await pop3Host()
    let read = 0
    wrapRead(host.store, async function* () {
      yield Buffer.from('Subject: long\r\n\r\n')
      for (let i = 0; i < 1000; i++) {
        read++
        yield Buffer.from(`${'x'.repeat(9998)}\r\n`)
      }
    })
    const client = new Client(host)
    await client.login('mrose')
    expect(await client.say('TOP 1 2')).toBe('+OK Message follows')
    expect(await client.lines()).toHaveLength(4)
    expect(read).toBe(2)
    read = 0
    await client.duplex.write([Buffer.from('RETR 1\r\n')])
    await turns(100)
    expect(read).toBeLessThan(40)
    expect(await client.line()).toBe('+OK Message follows')
    expect(await client.lines()).toHaveLength(1002)
    expect(read).toBe(1000)
  })

  it('lets go of the lock when the connection is lost, whatever it is doing', async () => {
    const host = await pop3Host()
    for (const command of ['', 'RETR 1\r\n', 'LIST\r\nRETR 1\r\nRETR 2\r\nQUIT\r\n']) {
      const client = new Client(host)
      expect(await client.login('mrose')).toBe('+OK Maildrop has 2 messages (320 octets)')
      if (command !== '') await client.duplex.write([Buffer.from(command)])
      client.duplex.destroy()
      await turns(10)
    }
    const open = host.store.open.bind(host.store)
    vi.spyOn(host.store, 'open').mockImplementationOnce(async (user) => {
      await turns(5)
      return open(user)
    })
    const client = new Client(host)
    await client.line()
    await client.duplex.write([Buffer.from('USER mrose\r\nPASS secret\r\n')])
    await turns(2)
    client.duplex.destroy()
    await turns(20)
    expect(await new Client(host).login('mrose')).toBe('+OK Maildrop has 2 messages (320 octets)')
    expect(host.errors).toEqual([])
  })

  it('says when the server stops, and lets go of the lock', async () => {
    const host = await pop3Host()
    const client = new Client(host)
    await client.login('mrose')
    host.drivers[0]?.shutdown('shutdown')
    expect(await client.line()).toBe('-ERR [SYS/TEMP] Server is shutting down')
    expect(await client.line()).toBeNull()
    expect(await new Client(host).login('mrose')).toBe('+OK Maildrop has 2 messages (320 octets)')
  })

  it('gives up politely when the account cannot be opened', async () => {
    const host = await pop3Host()
    vi.spyOn(host.store, 'open').mockRejectedValueOnce(new Error('a bug'))
    const client = new Client(host)
    expect(await client.login('mrose')).toBe('-ERR [SYS/TEMP] The maildrop cannot be opened')
    await client.say('USER mrose')
    expect(await client.say('PASS secret')).toBe('+OK Maildrop has 2 messages (320 octets)')
  })

  it('tells the authenticator who asks and how', async () => {
    const authenticator = new TestAuthenticator()
    const host = await pop3Host({ secure: true }, new MemoryStore(), authenticator)
    const client = new Client(host)
    await client.line()
    await client.say('USER zo\xc3\xab')
    await client.say('PASS p\xc3\xa4ss w\xc3\xb6rd')
    expect(authenticator.asked).toMatchObject([
      {
        credentials: { user: 'zo\u00eb', password: 'p\u00e4ss w\u00f6rd', authorizationId: '' },
        context: { protocol: 'pop3', mechanism: 'USER', remoteAddress: '192.0.2.1', secure: true },
      },
    ])
  })

  it('opens and lists a large maildrop', async () => {
    const store = new MemoryStore()
    const host = await pop3Host({}, store)
    const account = await store.open('many')
    const inbox = await account.find('INBOX')
    await append(store, 'many', messageOf(100))
    for (let copied = 1; copied < 20_000; copied *= 2) {
      const uids = Array.from({ length: copied }, (_, index) => index + 1)
      await store.apply([{ type: 'copy', from: inbox?.id as string, uids, to: inbox?.id as string }])
    }
    const client = new Client(host)
    expect(await client.login('many')).toBe('+OK Maildrop has 32768 messages (3276800 octets)')
    await client.say('UIDL')
    const lines = await client.lines()
    expect(new Set(lines).size).toBe(32_768)
    expect(lines[32_767]).toMatch(/^32768 \d+\.32768$/)
  })

  it.each([
    'mrose',
    true,
    null,
    undefined,
    { ok: 1, user: 'mrose' },
    { ok: true },
    { ok: true, user: '' },
    { ok: false },
    { ok: false, failure: 'toString' },
  ])('lets nobody in where the authenticator answers %j', async (given) => {
    const authenticator = new TestAuthenticator()
    authenticator.garbage = given
    const host = await pop3Host({}, new MemoryStore(), authenticator)
    const client = new Client(host)
    await client.line()
    await client.say('USER mrose')
    expect(await client.say('PASS garbage')).toMatch(/^-ERR \[SYS\/TEMP\]/)
    expect(await client.say('STAT')).toBeNull()
    expect(host.errors).toEqual([expect.objectContaining({ code: 'ANSWER' })])
  })
})

/** Makes every mailbox read its messages from `read`. */
function wrapRead(store: MailStore, read: () => AsyncGenerator<Uint8Array>): void {
  const open = store.open.bind(store)
  vi.spyOn(store, 'open').mockImplementation(async (user) => {
    const account = await open(user)
    const select = account.select.bind(account)
    vi.spyOn(account, 'select').mockImplementation(async (name, mode) => {
      const mailbox = await select(name, mode)
      vi.spyOn(mailbox, 'read').mockImplementation(read)
      return mailbox
    })
    return account
  })
}
