import type { TlsMode } from '../net/index.js'
import type { ListenerName } from './options.js'

/** What one kind of listener is. */
export interface Service {
  readonly protocol: 'smtp' | 'pop3' | 'imap'
  /** Where TLS is switched off a `starttls` listener speaks in clear, and an `implicit` one cannot be. */
  readonly tlsMode: Exclude<TlsMode, 'none'>
  /** SMTP for other servers; submission (RFC 6409) for people who log in; LMTP (RFC 2033) for servers of one's own. */
  readonly service: 'smtp' | 'submission' | 'lmtp'
}

export const services: Readonly<Record<ListenerName, Service>> = {
  smtp: { protocol: 'smtp', tlsMode: 'starttls', service: 'smtp' },
  lmtp: { protocol: 'smtp', tlsMode: 'starttls', service: 'lmtp' },
  submission: { protocol: 'smtp', tlsMode: 'starttls', service: 'submission' },
  submissions: { protocol: 'smtp', tlsMode: 'implicit', service: 'submission' },
  pop3: { protocol: 'pop3', tlsMode: 'starttls', service: 'smtp' },
  pop3s: { protocol: 'pop3', tlsMode: 'implicit', service: 'smtp' },
  imap: { protocol: 'imap', tlsMode: 'starttls', service: 'smtp' },
  imaps: { protocol: 'imap', tlsMode: 'implicit', service: 'smtp' },
}
