import { formatDate } from '../mime/index.js'

/** A few messages of different kinds for a new user to look at. */
export function demoMessages(user: string, domain: string, now: Date): readonly string[] {
  const header = (id: string, subject: string, ...more: readonly string[]): string[] => [
    `Date: ${formatDate(now.getTime())}`,
    `From: Mailwright <postmaster@${domain}>`,
    `To: ${user}@${domain}`,
    `Message-ID: <${id}.${now.getTime()}@${domain}>`,
    `Subject: ${subject}`,
    'MIME-Version: 1.0',
    ...more,
  ]
  return [
    [
      ...header(
        'welcome',
        'Welcome to Mailwright',
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
      ),
      '',
      `Hello ${user},`,
      '',
      'this message is kept in the embedded database and can be read over IMAP and POP3 alike.',
      'Delete it over one and it is gone from the other.',
    ],
    [
      ...header(
        'two-forms',
        '=?utf-8?Q?Two_forms_of_one_message_=E2=80=93_choose?=',
        'Content-Type: multipart/alternative; boundary="forms"',
      ),
      '',
      '--forms',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'A mail program that shows no HTML shows this.',
      '--forms',
      'Content-Type: text/html; charset=utf-8',
      '',
      '<p>A mail program that shows <b>HTML</b> shows this.</p>',
      '--forms--',
    ],
    [
      ...header('attachment', 'With an attachment', 'Content-Type: multipart/mixed; boundary="parts"'),
      '',
      '--parts',
      'Content-Type: text/plain; charset=utf-8',
      '',
      'The attachment is a small table.',
      '--parts',
      'Content-Type: text/csv; charset=utf-8; name="ports.csv"',
      'Content-Disposition: attachment; filename="ports.csv"',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from(
        'protocol,port,with TLS\r\nSMTP submission,587,465\r\nPOP3,110,995\r\nIMAP,143,993\r\n',
      ).toString('base64'),
      '--parts--',
    ],
  ].map((lines) => `${lines.join('\r\n')}\r\n`)
}
