// What `mailwright/smtp` gives: the engines and sessions of src/smtp, which know no socket, and the server and the client
// that put them on one.
export type { SmtpClientPoolOptions, SmtpConnectOptions } from './delivery/index.js'
export { connectSmtp, SmtpClient } from './delivery/index.js'
export type { Reply } from './interfaces/index.js'
export { reply } from './interfaces/index.js'
export type { GivenConnection, SmtpServerSettings } from './server/index.js'
export { SmtpServer } from './server/index.js'
export * from './smtp/index.js'
