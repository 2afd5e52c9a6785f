export { configError } from './check.js'
export type { OutgoingMessage } from './deliver-message.js'
export type { ListenAddress } from './listen-address.js'
export { formatListenAddress, parseListenAddress } from './listen-address.js'
export type { ListenerInfo, MailServer } from './mail-server.js'
export { createMailServer } from './mail-server.js'
export type { UserAdministration } from './open-users.js'
export { openUsers } from './open-users.js'
export type {
  DomainOptions,
  LimitOptions,
  ListenerName,
  MailServerOptions,
  SessionLabel,
  SmtpOptions,
  UserOptions,
} from './options.js'
export { checkOptions, listenerNames } from './options.js'
export type { GivenConnection } from './smtp-server.js'
export { SmtpServer } from './smtp-server.js'
export type { SmtpServerSettings } from './smtp-server-settings.js'
export type { UserListing, Users } from './users.js'
