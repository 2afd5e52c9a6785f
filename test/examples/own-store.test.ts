import { ImapFlow } from 'imapflow'
import Pop3Command from 'node-pop3'
import { createTransport } from 'nodemailer'
import { describe, expect, it, vi } from 'vitest'
import { OwnStore } from '../../examples/own-store/store.js'
import { startServer } from '../../examples/own-store.js'
import { storeSuite } from '../../src/testing/index.js'

// The suite has a listener that throws; the store prints that, and nobody need read it here.
vi.spyOn(console, 'error').mockImplementation(() => undefined)

storeSuite('own store', { open: async () => new OwnStore() }, { describe, it })

it('serves three protocols over a store of its own', async () => {
  const user = 'alice@example.test'
  const pass = 'secret'
  const store = new OwnStore()
  const server = await startServer(store)
  const port = (name: string): number => server.listeners.find(({ protocol }) => protocol === name)?.port ?? 0
  const tls = { rejectUnauthorized: false }
  try {
    await createTransport({
      host: '127.0.0.1',
      port: port('submission'),
      auth: { user, pass },
      tls,
    }).sendMail({ from: user, to: user, subject: 'To myself', text: 'Hello.' })

    const imap = new ImapFlow({
      host: '127.0.0.1',
      port: port('imap'),
      secure: false,
      auth: { user, pass },
      tls,
      logger: false,
    })
    await imap.connect()
    expect(await imap.mailboxOpen('INBOX')).toMatchObject({ exists: 1, uidNext: 2 })
    expect(await imap.fetchOne('1', { envelope: true })).toMatchObject({
      uid: 1,
      envelope: { subject: 'To myself' },
    })
    expect(await imap.messageCopy('1', 'Sent')).toMatchObject({ uidMap: new Map([[1, 1]]) })
    await imap.logout()

    const pop3 = new Pop3Command({ host: '127.0.0.1', port: port('pop3'), user, password: pass })
    expect(await pop3.RETR(1)).toContain('Subject: To myself\r\n')
    await pop3.command('DELE', '1')
    await pop3.QUIT()

    const account = await store.open(user)
    expect(await account.status('INBOX')).toMatchObject({ messages: 0, uidNext: 2 })
    expect(await account.status('Sent')).toMatchObject({ messages: 1, unseen: 1 })
  } finally {
    await server.close()
  }
})
