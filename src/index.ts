export * from './core/index.js'
export * from './interfaces/index.js'
export type {
  DomainOptions,
  LimitOptions,
  ListenerInfo,
  ListenerName,
  MailServer,
  MailServerOptions,
  OutgoingMessage,
  SessionLabel,
  UserAdministration,
  UserListing,
  UserOptions,
  Users,
} from './server/index.js'
export { createMailServer, openUsers } from './server/index.js'
export { simpleDelivery } from './smtp/index.js'
