import { describe, expect, test } from 'vitest'
import type { MailErrorKind } from '../../../src/core/index.js'
import { MailError } from '../../../src/core/index.js'
import type { Account, Mailbox, MailStore, Staged } from '../../../src/interfaces/index.js'
import { MemoryStore } from '../../../src/storage/memory/index.js'
import { override, settle, TestClient } from './client.js'
import { imapHost } from './host.js'
import { messages, seed } from './mail.js'

const message = 'Subject: x\r\n\r\nx\r\n'
const append = `APPEND INBOX {${message.length}+}\r\n${message}`

/** A client that is logged in and, unless `select` is false, has selected INBOX; its mailbox has four messages. */
async function connected(wrap: (store: MemoryStore) => MailStore = (store) => store, select = true) {
  const memory = new MemoryStore()
  await seed(memory, 'mary')
  const host = imapHost(wrap(memory))
  const client = new TestClient(host.connect())
  await client.command('LOGIN mary mary')
  if (select) await client.command('SELECT INBOX')
  return { client, host, memory }
}

/** The store with its accounts replaced. */
function withAccounts(store: MailStore, wrap: (account: Account) => Account): MailStore {
  return override(store, { open: (open) => async (user) => wrap(await open(user)) })
}

function withMailboxes(store: MailStore, wrap: (mailbox: Mailbox) => Mailbox): MailStore {
  return withAccounts(store, (account) =>
    override(account, { select: (select) => async (name, mode) => wrap(await select(name, mode)) }),
  )
}

function withStaged(store: MailStore, wrap: (staged: Staged) => Staged): MailStore {
  return override(store, { stage: (stage) => async (size) => wrap(await stage(size)) })
}

const reject = (kind: MailErrorKind) => () => async (): Promise<never> => {
  throw new MailError(kind, 'by the test')
}

describe('what a store refuses', () => {
  test.each([
    ['diskFull', 'NO [UNAVAILABLE] Insufficient system storage'],
    ['overQuota', 'NO [OVERQUOTA] Mailbox is full'],
    ['tooLarge', 'NO [TOOBIG] Message is too large'],
  ] as const)('%s while a message is sealed', async (kind, reply) => {
    const { client } = await connected((store) =>
      withStaged(store, (staged) => override(staged, { seal: reject(kind) })),
    )
    expect(await client.command(append)).toContain(reply)
    expect(await client.command('NOOP')).toContain('OK')
  })

  test.each(['rejects', 'throws'])('a write that %s is told at the end of the message', async (how) => {
    let aborted = 0
    const fail = (): Promise<void> => {
      const error = new MailError('diskFull', 'by the test')
      if (how === 'throws') throw error
      return Promise.reject(error)
    }
    const { client } = await connected((store) =>
      withStaged(store, (staged) =>
        override(staged, {
          write: () => fail,
          abort: (abort) => () => {
            aborted++
            return abort()
          },
        }),
      ),
    )
    expect(await client.command(append)).toContain('NO [UNAVAILABLE]')
    expect(aborted).toBe(1)
  })

  test('a mailbox that goes while its message comes is TRYCREATE, and the body is let go', async () => {
    const { client, memory } = await connected()
    await client.command('CREATE gone')
    await client.begin(`APPEND gone {${message.length}}`)
    const account = await memory.open('mary')
    await account.remove('gone')
    client.send(`${message}\r\n`)
    expect(await client.until(/x .*\r\n/)).toContain('x NO [TRYCREATE]')
  })

  test('a store that cannot write still lets messages be read', async () => {
    const { client, host } = await connected((store) => override(store, { apply: reject('diskFull') }))
    expect(await client.command('FETCH 4 BODY[TEXT]')).toMatch(/BODY\[TEXT\] \{3\}\r\nx\r\n\)\r\nt3 OK/)
    expect(host.logged.some(({ event }) => event === 'imap.seen')).toBe(true)
  })

  test('an account that cannot be opened', async () => {
    const store = override(new MemoryStore(), { open: reject('unavailable') })
    const client = new TestClient(imapHost(store as MailStore).connect())
    expect(await client.command('LOGIN mary mary')).toContain('NO [UNAVAILABLE]')
    expect(await client.command('SELECT INBOX')).toContain('BAD')
  })

  test('news that cannot be read change nothing of the answer', async () => {
    const { client } = await connected((store) =>
      withMailboxes(store, (mailbox) => override(mailbox, { changes: reject('unavailable') })),
    )
    expect(await client.command(append)).toContain('OK [APPENDUID')
  })
})

describe('a failure that no one expected', () => {
  test('is NO [SERVERBUG], is logged, and the session lives', async () => {
    const { client, host } = await connected((store) =>
      override(store, {
        apply: () => () => {
          throw new TypeError('by the test')
        },
      }),
    )
    expect(await client.command('STORE 1 +FLAGS (\\Seen)')).toContain('NO [SERVERBUG] Internal error')
    expect(host.logged.find(({ event }) => event === 'imap.error')?.fields.error).toContain('by the test')
    expect(await client.command('FETCH 1 FLAGS')).toContain('OK Fetched')
  })

  test('within a literal ends the connection without a word in it', async () => {
    const { client, host } = await connected((store) =>
      withMailboxes(store, (mailbox) =>
        override(mailbox, {
          messages: (original) => (uids) => original(uids, { facts: true }),
          read: () =>
            async function* () {
              yield Buffer.from('only this')
              await settle(1)
              throw new MailError('expunged', 'by the test')
            },
        }),
      ),
    )
    client.send('x FETCH 1 BODY.PEEK[]\r\n')
    const said = await client.rest()
    expect(said).toMatch(/^\* 1 FETCH \(BODY\[\] \{188\}\r\n(only this)?$/)
    expect(host.logged.some(({ event }) => event === 'imap.broken')).toBe(true)
  })

  test.each([
    ['fewer', 'ab'],
    ['more', 'x'.repeat(1000)],
  ])('%s octets than there are count as one', async (_, text) => {
    const { client, host } = await connected((store) =>
      withMailboxes(store, (mailbox) =>
        override(mailbox, {
          messages: (original) => (uids) => original(uids, { facts: true }),
          read: () =>
            async function* () {
              yield Buffer.from(text)
            },
        }),
      ),
    )
    client.send('x FETCH 1 BODY.PEEK[]\r\n')
    expect(await client.rest()).not.toContain('BYE')
    expect(host.logged.some(({ event }) => event === 'imap.broken')).toBe(true)
  })
})

test('a section that cannot be read after another was sent ends the connection too', async () => {
  const { client, host } = await connected((store) =>
    withMailboxes(store, (mailbox) =>
      override(mailbox, {
        messages: (original) => (uids) => original(uids, { facts: true }),
        read: (read) => (uid, from, to) => {
          if (from === 0) return read(uid, from, to)
          throw new MailError('corrupt', 'by the test')
        },
      }),
    ),
  )
  expect(await client.command('FETCH 4 (UID BODY.PEEK[TEXT])')).toBe(
    't3 NO [SERVERBUG] Stored data is damaged\r\n',
  )
  client.send('x FETCH 4 (BODY.PEEK[HEADER] BODY.PEEK[TEXT])\r\n')
  expect(await client.rest()).not.toMatch(/^(x|\* BYE) /m)
  expect(host.logged.some(({ event }) => event === 'imap.broken')).toBe(true)
})

describe('messages that go while they are fetched', () => {
  const expunged = (uid: number) => (store: MailStore) =>
    withMailboxes(store, (mailbox) =>
      override(mailbox, {
        messages: (original) => (uids) => original(uids, { facts: true }),
        read: (read) => (wanted, from, to) => {
          if (wanted !== uid || (from ?? 0) > 0) return read(wanted, from, to)
          return (async function* (): AsyncGenerator<Uint8Array> {
            yield* []
            throw new MailError('expunged', 'by the test')
          })()
        },
      }),
    )

  test('are left out where nothing of them was sent', async () => {
    const { client } = await connected(expunged(1))
    const said = await client.command('FETCH 1,4 BODY.PEEK[]')
    expect(said).toMatch(/^\* 4 FETCH [\s\S]*\r\nt3 NO \[EXPUNGEISSUED\]/)
  })

  test('have NIL for what is gone where something was', async () => {
    const { client } = await connected(expunged(4))
    const said = await client.command('UID FETCH 4 (BODY.PEEK[TEXT] BODY.PEEK[HEADER])')
    expect(said).toContain('* 4 FETCH (UID 4 BODY[TEXT] {3}\r\nx\r\n BODY[HEADER] NIL)\r\nt3 OK')
  })
})

test('a store that has forgotten the changes is asked for everything', async () => {
  let forgotten = false
  const { client, host } = await connected((store) =>
    withMailboxes(store, (mailbox) =>
      override(mailbox, {
        changes: (changes) => async (since) => {
          if (!forgotten) return changes(since)
          forgotten = false
          return 'expired'
        },
      }),
    ),
  )
  const other = new TestClient(host.connect())
  await other.command('LOGIN mary mary')
  await other.command('SELECT INBOX')
  await other.command('STORE 2 +FLAGS (\\Deleted)')
  await other.command('EXPUNGE')
  await other.command('STORE 1 +FLAGS (\\Flagged)')
  await other.command(append)
  forgotten = true
  const said = await client.command('NOOP')
  expect(said).toBe(
    '* 2 EXPUNGE\r\n* 4 EXISTS\r\n* 3 RECENT\r\n* 1 FETCH (FLAGS (\\Flagged \\Recent))\r\nt3 OK Nothing done\r\n',
  )
})

describe('the end of a session', () => {
  /** Counts what is open. */
  function counting(store: MailStore): { store: MailStore; open: Record<string, number> } {
    const open: Record<string, number> = { account: 0, mailbox: 0, watch: 0, staged: 0 }
    const begin = (what: string): (() => void) => {
      open[what] = (open[what] ?? 0) + 1
      let done = false
      return () => {
        if (!done) open[what] = (open[what] ?? 0) - 1
        done = true
      }
    }
    const counted = withStaged(
      withMailboxes(
        withAccounts(store, (account) => {
          const end = begin('account')
          return override(account, {
            watch: (watch) => (listener) => {
              const stop = watch(listener)
              const unwatched = begin('watch')
              return () => {
                unwatched()
                stop()
              }
            },
            close: (close) => () => {
              end()
              return close()
            },
          })
        }),
        (mailbox) => {
          const end = begin('mailbox')
          return override(mailbox, {
            close: (close) => () => {
              end()
              return close()
            },
          })
        },
      ),
      (staged) => {
        const end = begin('staged')
        return override(staged, {
          abort: (abort) => () => {
            end()
            return abort()
          },
        })
      },
    )
    return { store: counted, open }
  }

  const nothing = { account: 0, mailbox: 0, watch: 0, staged: 0 }

  test.each([
    ['between commands', (client: TestClient) => client.command('NOOP')],
    ['in IDLE', (client: TestClient) => client.begin('IDLE')],
    ['in a message', (client: TestClient) => client.begin('APPEND INBOX {10}')],
    ['in a FETCH', async (client: TestClient) => client.send('x FETCH 1:* BODY[]\r\n')],
    ['in a SEARCH', async (client: TestClient) => client.send('x SEARCH TEXT nothing\r\n')],
  ])('when the connection is lost %s lets go of everything', async (_, before) => {
    const memory = new MemoryStore()
    await seed(memory, 'mary')
    const { store, open } = counting(memory)
    const client = new TestClient(imapHost(store).connect())
    await client.command('LOGIN mary mary')
    await client.command('SELECT INBOX')
    expect(open).toMatchObject({ account: 1, mailbox: 1, watch: 1 })
    await before(client)
    client.duplex.destroy()
    await settle(60)
    expect(open).toEqual(nothing)
  })

  test.each(['LOGOUT', 'CLOSE', 'SELECT nowhere'])('%s lets go of the mailbox', async (command) => {
    const { store, open } = counting(new MemoryStore())
    const client = new TestClient(imapHost(store).connect())
    await client.command('LOGIN anna anna')
    await client.command('SELECT INBOX')
    await client.command(command)
    await settle()
    expect(open.mailbox).toBe(0)
  })

  test('a message refused for NUL or cut short is dropped', async () => {
    const { store, open } = counting(new MemoryStore())
    const client = new TestClient(imapHost(store).connect())
    await client.command('LOGIN anna anna')
    await client.command('APPEND INBOX {3+}\r\na\0b')
    await client.command('APPEND INBOX {3+}\r\nabc more')
    await settle()
    expect(open.staged).toBe(0)
  })
})

test('a message with NUL, which no literal can carry, is sent with its size unchanged', async () => {
  const { client } = await connected((store) =>
    withMailboxes(store, (mailbox) =>
      override(mailbox, {
        messages: (original) =>
          async function* (uids, want) {
            for await (const infos of original(uids, want)) {
              yield infos.map((info) => ({ ...info, body: Buffer.from('a\0b'), size: 3 }))
            }
          },
      }),
    ),
  )
  expect(await client.command('FETCH 1 BODY.PEEK[]')).toContain('BODY[] {3}\r\na?b)')
  expect(messages.length).toBe(4)
})

test.each([
  'alice',
  true,
  null,
  undefined,
  { ok: 1, user: 'mary' },
  { ok: true },
  { ok: true, user: '' },
  { ok: false },
  { ok: false, failure: 'toString' },
])('an authenticator that answers %j lets nobody in', async (given) => {
  const host = imapHost(undefined, { mechanisms: ['PLAIN'], plain: async () => given as never })
  const client = new TestClient(host.connect())
  expect(await client.command('LOGIN mary mary')).toContain(
    'NO [UNAVAILABLE] Temporary authentication failure',
  )
  expect(host.logged.map(({ event }) => event)).toContain('auth.error')
})
