export * from './core/index.js'
export type { SmtpClientPoolOptions, SmtpConnectOptions } from './delivery/index.js'
export { connectSmtp, SmtpClient } from './delivery/index.js'
export * from './interfaces/index.js'
export type {
  DomainOptions,
  GivenConnection,
  LimitOptions,
  ListenerInfo,
  ListenerName,
  MailServer,
  MailServerOptions,
  OutgoingMessage,
  SessionLabel,
  SmtpOptions,
  SmtpServerSettings,
  UserAdministration,
  UserListing,
  UserOptions,
  Users,
} from './server/index.js'
export { createMailServer, openUsers, SmtpServer } from './server/index.js'
export { simpleDelivery, smtpHandlers } from './smtp/index.js'
