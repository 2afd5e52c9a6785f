import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImapFlow } from 'imapflow'
import Pop3Command from 'node-pop3'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RunningCommand, serveCommand } from '../support/command.js'

const user = 'alice@example.test'
const pass = 'secret'
let folder: string
let server: RunningCommand

const start = () => serveCommand('--config', join(folder, 'mailwright.json'), '--log', 'error')

const port = (name: string): number =>
  server.ready.listeners.find(({ protocol }) => protocol === name)?.port ?? 0

/** As a crash or a power cut would end it. */
async function kill(): Promise<void> {
  server.process.kill('SIGKILL')
  await server.exited
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailwright-'))
  const names = ['smtp', 'submission', 'submissions', 'pop3s', 'imaps']
  const config = {
    hostname: 'localhost',
    data: 'data',
    listen: Object.fromEntries(names.map((name) => [name, '127.0.0.1:0'])),
    domains: { 'example.test': { users: { alice: { password: pass }, bob: { password: pass } } } },
    plaintextLogin: 'never',
  }
  await writeFile(join(folder, 'mailwright.json'), JSON.stringify(config))
  server = await start()
})

afterEach(async () => {
  await kill()
  await rm(folder, { recursive: true, force: true })
})

function send(listener: 'submission' | 'submissions', subject: string) {
  const transport = createTransport({
    host: '127.0.0.1',
    port: port(listener),
    secure: listener === 'submissions',
    requireTLS: true,
    auth: { user: 'bob@example.test', pass },
    tls: { rejectUnauthorized: false },
  })
  return transport.sendMail({
    from: 'bob@example.test',
    to: user,
    subject,
    text: 'Grüße\n.\n..\nend',
    attachments: [{ filename: 'data.bin', content: Buffer.alloc(100_000, 'x') }],
  })
}

function imap() {
  return new ImapFlow({
    host: '127.0.0.1',
    port: port('imaps'),
    secure: true,
    auth: { user, pass },
    tls: { rejectUnauthorized: false },
    logger: false,
  })
}

function pop3() {
  return new Pop3Command({
    host: '127.0.0.1',
    port: port('pop3s'),
    user,
    password: pass,
    tls: true,
    tlsOptions: { rejectUnauthorized: false },
  })
}

it('takes mail over submission, shows it over IMAP and POP3, and keeps it when it is killed', async () => {
  expect((await send('submission', 'first')).response).toMatch(/^250 2\./)
  const client = imap()
  await client.connect()
  const opened = await client.mailboxOpen('INBOX')
  expect(opened.exists).toBe(1)
  const message = await client.fetchOne('1', {
    envelope: true,
    bodyStructure: true,
    source: true,
    flags: true,
  })
  if (message === false) throw new Error('no message')
  expect(message.envelope).toMatchObject({ subject: 'first', from: [{ address: 'bob@example.test' }] })
  expect(message.bodyStructure).toMatchObject({
    type: 'multipart/mixed',
    childNodes: [{ type: 'text/plain' }, { disposition: 'attachment' }],
  })
  expect(message.source?.toString()).toMatch(/^Return-Path: <bob@example\.test>\r\n/)
  expect(message.source?.toString()).toMatch(/\r\nReceived: from .*\r\n\tby localhost with ESMTPSA/)
  expect((await client.download('1', '1')).content).toBeDefined()

  const second = new Promise((resolve) => client.once('exists', resolve))
  await client.noop()
  const idling = client.idle()
  await send('submissions', 'second')
  expect(await second).toMatchObject({ count: 2, prevCount: 1 })
  await client.noop()
  await idling
  await client.messageFlagsAdd('1', ['\\Seen', '$Label'])
  expect(await client.search({ seen: false })).toEqual([2])
  expect(await client.search({ subject: 'FIRST' })).toEqual([1])
  await client.logout()

  const drop = pop3()
  expect(await drop.STAT()).toMatch(/^2 \d+$/)
  expect(await drop.RETR(1)).toContain('Subject: first')
  const seconds = await drop.RETR(2)
  expect(seconds).toContain('Subject: second')
  await drop.command('DELE', '1')
  await drop.QUIT()

  await kill()
  server = await start()
  const again = imap()
  await again.connect()
  const reopened = await again.mailboxOpen('INBOX')
  expect(reopened).toMatchObject({ exists: 1, uidNext: 3 })
  expect(reopened.uidValidity).toBe(opened.uidValidity)
  const left = await again.fetchOne('1', { uid: true, envelope: true })
  expect(left).toMatchObject({ uid: 2, envelope: { subject: 'second' } })
  await again.logout()
})

it('works through a mailbox as a mail program does', async () => {
  const client = imap()
  await client.connect()
  const mailboxes = await client.list()
  expect(mailboxes.map(({ path, specialUse }) => [path, specialUse ?? null])).toEqual(
    expect.arrayContaining([
      ['INBOX', '\\Inbox'],
      ['Drafts', '\\Drafts'],
      ['Sent', '\\Sent'],
      ['Junk', '\\Junk'],
      ['Trash', '\\Trash'],
    ]),
  )
  await client.mailboxCreate('Projekte/Größe')
  const text = 'Subject: appended\r\n\r\nbody\r\n'
  const appended = await client.append('Projekte/Größe', text, ['\\Seen'], new Date('2026-03-04T05:06:07Z'))
  expect(appended).toMatchObject({ uid: 1, destination: 'Projekte/Größe' })
  await client.mailboxOpen('Projekte/Größe')
  expect(await client.messageCopy('1', 'Sent')).toMatchObject({
    destination: 'Sent',
    uidMap: new Map([[1, 1]]),
  })
  expect(await client.messageMove('1', 'Trash')).toMatchObject({
    destination: 'Trash',
    uidMap: new Map([[1, 1]]),
  })
  expect(await client.status('Projekte/Größe', { messages: true })).toMatchObject({ messages: 0 })
  await client.mailboxOpen('Trash')
  expect(await client.fetchOne('1', { internalDate: true, flags: true, size: true })).toMatchObject({
    internalDate: new Date('2026-03-04T05:06:07Z'),
    flags: new Set(['\\Seen', '\\Recent']),
    size: text.length,
  })
  await client.messageDelete('1:*')
  expect(await client.status('Trash', { messages: true })).toMatchObject({ messages: 0 })
  await client.mailboxRename('Projekte/Größe', 'Alt')
  await client.mailboxDelete('Alt')
  await client.logout()
})
