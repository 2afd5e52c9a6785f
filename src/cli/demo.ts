import { formatListenAddress, type MailServer, type MailServerOptions } from '../server/index.js'
import { demoMessages } from './demo-messages.js'

const DOMAIN = 'example.test'
const PASSWORD = 'secret'

/** The folder of the demo's database, in the folder where the command runs. */
const DATA = 'mailwright-demo'

/** Loopback only, one domain, two users. */
export function demoOptions(data: string | undefined): MailServerOptions {
  return {
    hostname: 'localhost',
    data: data ?? DATA,
    listen: {
      smtp: '127.0.0.1:2525',
      submission: '127.0.0.1:2587',
      submissions: '127.0.0.1:2465',
      pop3: '127.0.0.1:2110',
      pop3s: '127.0.0.1:2995',
      imap: '127.0.0.1:2143',
      imaps: '127.0.0.1:2993',
    },
    domains: {
      [DOMAIN]: {
        users: { alice: { password: PASSWORD }, bob: { password: PASSWORD } },
        aliases: { info: [`alice@${DOMAIN}`, `bob@${DOMAIN}`] },
      },
    },
  }
}

/** Puts the sample messages into an account that has never had any. */
export async function fillDemo(server: MailServer): Promise<void> {
  for (const user of ['alice', 'bob']) {
    const address = `${user}@${DOMAIN}`
    const account = await server.store.open(address)
    const { uidNext } = await account.status('INBOX')
    await account.close()
    if (uidNext > 1) continue
    for (const message of demoMessages(user, DOMAIN, new Date())) {
      await server.deliver({ reversePath: '', recipients: [address], message: Buffer.from(message) })
    }
  }
}

/** What to type next. */
export function demoText(server: MailServer): string {
  const at = (protocol: string): string => {
    const listener = server.listeners.find((each) => each.protocol === protocol)
    return listener === undefined ? '' : formatListenAddress(listener)
  }
  const port = (protocol: string): string => at(protocol).replace(/^.*:/, '')
  return `
The domain is ${DOMAIN}; alice and bob have mail, and the password of both is "${PASSWORD}".

Send a message
  printf 'Subject: Hello\\r\\n\\r\\nIt works.\\r\\n' | curl smtp://${at('smtp')} \\
    --mail-from bob@${DOMAIN} --mail-rcpt alice@${DOMAIN} -T -
Read it over IMAP (1 is the first message of INBOX), and list them over POP3
  curl -u alice@${DOMAIN}:${PASSWORD} 'imap://${at('imap')}/INBOX;MAILINDEX=1'
  curl -u alice@${DOMAIN}:${PASSWORD} pop3://${at('pop3')}/
In a mail program, for alice@${DOMAIN}
  user name  alice@${DOMAIN}, password ${PASSWORD}
  IMAP       127.0.0.1 port ${port('imaps')} SSL/TLS, or ${port('imap')} STARTTLS
  POP3       127.0.0.1 port ${port('pop3s')} SSL/TLS, or ${port('pop3')} STARTTLS
  SMTP       127.0.0.1 port ${port('submissions')} SSL/TLS, or ${port('submission')} STARTTLS
  The certificate is made by this server, so the program asks once whether to trust it.

Stop with Ctrl+C.

`
}
