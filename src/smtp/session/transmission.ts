import type { SessionContext } from '../../interfaces/index.js'

/**
 * How a message comes, as the `with` of Received names it: RFC 3848, and RFC 6531 section 4.3 for SMTPUTF8.
 * `extended` after EHLO or LHLO.
 */
export function transmissionOf(
  { service, tls, user }: Pick<SessionContext, 'service' | 'tls' | 'user'>,
  extended: boolean,
  smtpUtf8: boolean,
): string {
  if (!extended && service !== 'lmtp') return 'SMTP'
  const base = service === 'lmtp' ? 'LMTP' : smtpUtf8 ? 'SMTP' : 'ESMTP'
  return `${smtpUtf8 ? 'UTF8' : ''}${base}${tls === null ? '' : 'S'}${user === null ? '' : 'A'}`
}
