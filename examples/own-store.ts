import { createMailServer, type MailServer, type MailStore } from 'mailwright'

/** SMTP, POP3 and IMAP for alice over whatever keeps the mail: see own-store/ for a small store of one's own. */
export function startServer(store: MailStore): Promise<MailServer> {
  return createMailServer({
    hostname: 'localhost',
    store,
    listen: { submission: '127.0.0.1:0', pop3: '127.0.0.1:0', imap: '127.0.0.1:0' },
    domains: { 'example.test': { users: { alice: { password: 'secret' } } } },
  })
}
