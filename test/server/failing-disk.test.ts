import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createMailServer, type MailServer } from '../../src/index.js'
import { type SqlStore, sqlDrivers } from '../../src/storage/index.js'
import { DiskFiles } from '../../src/storage/messages/disk-files.js'
import { openStoreOn } from '../../src/storage/sql/sql-store.js'
import { type Fault, FaultyDisk } from '../../src/testing/faulty-driver.js'
import { FaultyFiles } from '../storage/faulty-files.js'

let folder: string
let disk: FaultyDisk
let files: FaultyFiles
let store: SqlStore
let server: MailServer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailwright-disk-'))
  disk = new FaultyDisk(sqlDrivers.wasm)
  files = new FaultyFiles(new DiskFiles(join(folder, 'messages')))
  store = await openStoreOn({ files }, { path: folder, driver: disk.open })
  server = await createMailServer({
    hostname: 'localhost',
    store,
    listen: { smtp: '127.0.0.1:0', imap: '127.0.0.1:0', pop3: '127.0.0.1:0' },
    tls: false,
    domains: { 'example.test': { users: { alice: { password: 'secret' } } } },
  })
})

afterEach(async () => {
  await server.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

/** Sends lines one by one, each after the reply to the one before; the replies. */
async function talk(
  protocol: string,
  lines: readonly string[],
  isLast: (line: string) => boolean,
): Promise<string[]> {
  const port = server.listeners.find((listener) => listener.protocol === protocol)?.port ?? 0
  const socket: Socket = connect({ port, host: '127.0.0.1' })
  socket.setEncoding('latin1')
  const replies: string[] = []
  const left = [...lines]
  let held = ''
  for await (const chunk of socket) {
    const parts = (held + String(chunk)).split('\r\n')
    held = parts.pop() ?? ''
    for (const line of parts) {
      if (!isLast(line)) continue
      replies.push(line)
      const next = left.shift()
      if (next === undefined) socket.end()
      else socket.write(next)
    }
  }
  return replies
}

const smtp = (lines: readonly string[]) => talk('smtp', lines, (line) => /^\d{3} /.test(line))
const imap = (lines: readonly string[]) =>
  talk('imap', lines, (line) => /^(\* OK \[CAP|\+ |[a-z]\d )/.test(line))
const pop3 = (lines: readonly string[]) => talk('pop3', lines, (line) => /^(\+OK|-ERR)/.test(line))

/** Nothing can be written: neither to the message log, nor by SQLite. */
function fail(fault: Fault): void {
  files.fail('write', fault)
  disk.fail(/^COMMIT/, fault)
}

function heal(): void {
  files.heal()
  disk.heal()
}

const envelope = ['MAIL FROM:<bob@example.test>\r\n', 'RCPT TO:<alice@example.test>\r\n', 'DATA\r\n']
const message = (subject: string, size = 10) => `Subject: ${subject}\r\n\r\n${'x'.repeat(size)}\r\n.\r\n`

async function subjects(): Promise<string[]> {
  const account = await store.open('alice@example.test')
  const inbox = await account.select('INBOX', 'read')
  const found: string[] = []
  for await (const block of inbox.messages((await inbox.snapshot()).uids, { facts: true })) {
    for (const { facts } of block) found.push(facts?.envelope.subject ?? '')
  }
  await inbox.close()
  await account.close()
  return found
}

it.each([
  ['ENOSPC', /^452 4\.3\.1 /],
  ['EIO', /^451 4\.3\.0 /],
] as const)(
  'answers %s, keeps what it has acknowledged, and goes on when the disk does',
  async (fault, refusal) => {
    await smtp(['HELO a.test\r\n', ...envelope, message('before')])
    fail(fault)
    const session = smtp(['HELO a.test\r\n', ...envelope, message('lost')])
    expect((await session).at(-1)).toMatch(refusal)
    expect((await smtp(['HELO a.test\r\n', ...envelope, message('large', 300_000)])).at(-1)).toMatch(refusal)
    expect(await subjects()).toEqual(['before'])
    heal()
    expect((await smtp(['HELO a.test\r\n', ...envelope, message('after')])).at(-1)).toMatch(/^250 2\.0\.0 /)
    expect(await subjects()).toEqual(['before', 'after'])
  },
)

it('lets the same session go on after a failure', async () => {
  await smtp(['HELO a.test\r\n', ...envelope, message('first')])
  files.fail('write', 'ENOSPC', 1)
  const replies = await smtp([
    'HELO a.test\r\n',
    ...envelope,
    message('second'),
    ...envelope,
    message('second again'),
  ])
  expect(replies.filter((line) => /^(452|250 2\.0\.0)/.test(line)).map((line) => line.slice(0, 3))).toEqual([
    '452',
    '250',
  ])
  expect(await subjects()).toEqual(['first', 'second again'])
})

it('tells a full disk in the words of IMAP and POP3, and loses nothing', async () => {
  await smtp(['HELO a.test\r\n', ...envelope, message('kept')])
  const login = 'a1 LOGIN alice@example.test secret\r\n'
  await imap([login, 'a2 SELECT INBOX\r\n'])
  fail('ENOSPC')
  const replies = await imap([
    login,
    'a2 SELECT INBOX\r\n',
    'a3 STORE 1 +FLAGS (\\Deleted)\r\n',
    'a4 APPEND INBOX {14}\r\n',
    'Subject: x\r\n\r\n\r\n',
    'a5 COPY 1 Trash\r\n',
    'a6 FETCH 1 BODY[]\r\n',
  ])
  expect(replies.find((line) => line.startsWith('a3'))).toMatch(/^a3 NO \[UNAVAILABLE\]/)
  expect(replies.find((line) => line.startsWith('a4'))).toMatch(/^a4 NO \[UNAVAILABLE\]/)
  expect(replies.find((line) => line.startsWith('a5'))).toMatch(/^a5 NO \[UNAVAILABLE\]/)
  expect(replies.find((line) => line.startsWith('a6'))).toMatch(/^a6 OK/)
  const popped = await pop3(['USER alice@example.test\r\n', 'PASS secret\r\n', 'DELE 1\r\n', 'QUIT\r\n'])
  expect(popped.at(-1)).toMatch(/^-ERR \[SYS\/TEMP\]/)
  heal()
  expect(await subjects()).toEqual(['kept'])
  expect(
    (await pop3(['USER alice@example.test\r\n', 'PASS secret\r\n', 'DELE 1\r\n', 'QUIT\r\n'])).at(-1),
  ).toMatch(/^\+OK/)
  expect(await subjects()).toEqual([])
})
