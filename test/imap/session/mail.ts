import type { Flags, MailStore } from '../../../src/interfaces/index.js'
import { factsOf } from '../../../src/mime/index.js'

const lines = (...text: string[]): string => text.map((line) => `${line}\r\n`).join('')

/** Four messages that scripts refer to by number: plain, nested, encoded, and one without a header worth the name. */
export const messages: readonly string[] = [
  lines(
    'From: Anna Example <anna@example.test>',
    'To: Bob <bob@example.test>',
    'Subject: Lunch',
    'Date: Thu, 1 Jan 2026 23:30:00 -0500',
    'Message-ID: <lunch@example.test>',
    '',
    'Shall we meet at noon?',
    'Anna',
  ),
  lines(
    'From: carol@example.test',
    'To: Undisclosed: ;',
    'Cc: "Doe, Dan" <dan@example.test>',
    'Subject: Fwd: plans',
    'Date: Fri, 2 Jan 2026 10:00:00 +0000',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=outer',
    '',
    'preamble',
    '--outer',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Gr=C3=BC=C3=9Fe aus K=C3=B6ln',
    '--outer',
    'Content-Type: message/rfc822',
    '',
    'From: dan@example.test',
    'Subject: plans',
    'Content-Type: multipart/alternative; boundary=inner',
    '',
    '--inner',
    '',
    'first inner part',
    '--inner',
    'Content-Type: text/html',
    '',
    '<p>second inner part</p>',
    '--inner--',
    '--outer',
    'Content-Type: application/octet-stream',
    'Content-Transfer-Encoding: base64',
    'X-Part: three',
    '',
    'bm90IHRleHQ=',
    '--outer--',
  ),
  lines(
    'From: =?utf-8?q?J=C3=B6rg?= <joerg@example.test>',
    'Subject: =?utf-8?b?w5xiZXJyYXNjaHVuZw==?=',
    'Date: Sat, 3 Jan 2026 10:00:00 +0000',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('Ein schöner Tag\r\n').toString('base64'),
  ),
  lines('Subject: short', '', 'x'),
]

/** Puts the messages into the INBOX of `user`, received on the first four days of 2026; the second is seen. */
export async function seed(store: MailStore, user: string): Promise<void> {
  for (const [index, text] of messages.entries()) {
    await deliver(store, user, text, index === 1 ? ['\\Seen'] : [], Date.UTC(2026, 0, index + 1, 12))
  }
}

/** Puts one message into the INBOX of `user`. */
export async function deliver(
  store: MailStore,
  user: string,
  text: string,
  flags: Flags = [],
  internalDate = Date.UTC(2026, 0, 1),
): Promise<void> {
  const account = await store.open(user)
  const inbox = await account.find('INBOX')
  const octets = Buffer.from(text, 'latin1')
  const staged = await store.stage(octets.length)
  await staged.write(octets)
  const body = await staged.seal(factsOf(octets))
  await store.apply([{ type: 'append', body, to: [{ mailbox: inbox?.id ?? '', flags, internalDate }] }])
  await account.close()
}
