import { beforeAll, describe, expect, test } from 'vitest'
import type { MailStore } from '../../../src/interfaces/index.js'
import { factsOf } from '../../../src/mime/index.js'
import { MemoryStore } from '../../../src/storage/memory/index.js'
import { override, settle, TestClient } from './client.js'
import { imapHost } from './host.js'
import { deliver } from './mail.js'

const COUNT = 100_000

async function large(store: MailStore): Promise<void> {
  const account = await store.open('mary')
  const inbox = await account.find('INBOX')
  const octets = Buffer.from('Subject: many\r\n\r\nx\r\n')
  const staged = await store.stage()
  await staged.write(octets)
  const body = await staged.seal(factsOf(octets))
  const to = Array.from({ length: COUNT }, () => ({
    mailbox: inbox?.id ?? '',
    flags: [],
    internalDate: 0,
  }))
  await store.apply([{ type: 'append', body, to }])
  await account.close()
}

/** How often others had their turn while `work` was done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let running = true
  const turn = (): void => {
    turns++
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  running = false
  return turns
}

describe('a mailbox of 100,000 messages', () => {
  const store = new MemoryStore()
  const host = imapHost(store)
  let client: TestClient

  beforeAll(async () => {
    await large(store)
    client = new TestClient(host.connect())
    await client.command('LOGIN mary mary')
  })

  test('is selected', async () => {
    const said = await client.command('SELECT INBOX')
    expect(said).toContain(`* ${COUNT} EXISTS`)
    expect(said).toContain('OK [UNSEEN 1]')
  })

  test.each([
    ['FETCH 1:* FLAGS', /\* 100000 FETCH \(FLAGS \(\\Recent\)\)\r\nt\d+ OK/],
    ['FETCH 1:* (UID RFC822.SIZE INTERNALDATE)', /\* 100000 FETCH \(UID 100000 RFC822.SIZE 20 /],
    ['SEARCH UNSEEN', /SEARCH 1 2 3 [\s\S]* 99999 100000\r\nt\d+ OK/],
    ['SEARCH SMALLER 100 NOT UID 1:99998', /SEARCH 99999 100000\r\nt\d+ OK/],
    ['STORE 1:* +FLAGS (\\Flagged)', /\* 100000 FETCH \(FLAGS \(\\Flagged \\Recent\)\)\r\nt\d+ OK/],
    ['STORE 1:* -FLAGS.SILENT (\\Flagged)', /^t\d+ OK/],
  ])('%s leaves room for others', async (command, expected) => {
    const turns = await turnsDuring(async () => {
      expect(await client.command(command)).toMatch(expected)
    })
    expect(turns).toBeGreaterThan(COUNT / 1_000 - 2)
  })

  test('every second message is expunged, and told in order', async () => {
    const odd = Array.from({ length: COUNT / 2 }, (_, i) => 2 * i + 1)
    for (let at = 0; at < odd.length; at += 5_000) {
      await client.command(`STORE ${odd.slice(at, at + 5_000).join(',')} +FLAGS.SILENT (\\Deleted)`)
    }
    const said = await client.command('EXPUNGE')
    expect(said.match(/EXPUNGE\r\n/g)).toHaveLength(COUNT / 2)
    expect(said).toMatch(/^\* 1 EXPUNGE\r\n\* 2 EXPUNGE\r\n[\s\S]*\* 50000 EXPUNGE\r\nt\d+ OK/)
    expect(await client.command('UID FETCH 99998:* UID')).toMatch(
      /^\* 49999 FETCH \(UID 99998\)\r\n\* 50000 FETCH/,
    )
  })
})

test('a client that does not read is sent no more than the marks allow', async () => {
  const memory = new MemoryStore()
  await deliver(memory, 'mary', `Subject: big\r\n\r\n${'0123456789\r\n'.repeat(2_000_000 / 12)}`)
  let read = 0
  const store = override(memory as MailStore, {
    open: (open) => async (user) =>
      override(await open(user), {
        select: (select) => async (name, mode) =>
          override(await select(name, mode), {
            read: (original) =>
              async function* (uid, from = 0, to = 0) {
                for (let at = from; at < to; at += 10_000) {
                  read++
                  yield* original(uid, at, Math.min(to, at + 10_000))
                }
              },
          }),
      }),
  })
  const client = new TestClient(imapHost(store).connect())
  await client.command('LOGIN mary mary')
  await client.command('SELECT INBOX')
  client.send('x FETCH 1 BODY[]\r\n')
  await settle(200)
  expect(read).toBeLessThan(20)
  expect((await client.command('NOOP')).length).toBeGreaterThan(1_990_000)
  expect(read).toBeGreaterThan(190)
})
