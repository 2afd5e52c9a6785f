export type { SmtpConnectOptions } from './connect-smtp.js'
export { connectSmtp } from './connect-smtp.js'
export type { SmtpClientPoolOptions } from './smtp-client.js'
export { SmtpClient } from './smtp-client.js'
