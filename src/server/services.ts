import type { TlsMode } from '../net/index.js'
import type { ListenerName } from './options.js'

/** What one kind of listener is. */
export interface Service {
  readonly protocol: 'smtp' | 'pop3' | 'imap'
  /** Where TLS is switched off a `starttls` listener speaks in clear, and an `implicit` one cannot be. */
  readonly tlsMode: Exclude<TlsMode, 'none'>
  /** RFC 6409: for the mail of people who log in, not for that of other servers. */
  readonly submission: boolean
}

export const services: Readonly<Record<ListenerName, Service>> = {
  smtp: { protocol: 'smtp', tlsMode: 'starttls', submission: false },
  submission: { protocol: 'smtp', tlsMode: 'starttls', submission: true },
  submissions: { protocol: 'smtp', tlsMode: 'implicit', submission: true },
  pop3: { protocol: 'pop3', tlsMode: 'starttls', submission: false },
  pop3s: { protocol: 'pop3', tlsMode: 'implicit', submission: false },
  imap: { protocol: 'imap', tlsMode: 'starttls', submission: false },
  imaps: { protocol: 'imap', tlsMode: 'implicit', submission: false },
}
