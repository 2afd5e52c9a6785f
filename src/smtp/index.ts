export {
  addressLiteral,
  formatReply,
  isDomainOrLiteral,
  makeMailbox,
  quoteLocalPart,
  scanMailbox,
  scanPath,
} from './grammar/index.js'
export type {
  ResolvedSmtpServerOptions,
  SmtpCloseReason,
  SmtpServerEvent,
  SmtpServerLimits,
  SmtpServerOptions,
  SmtpServerState,
} from './server/index.js'
export { SmtpServerEngine, smtpServerLimits } from './server/index.js'
export type {
  IncomingMessage,
  SimpleDeliveryOptions,
  SmtpConnection,
  SmtpServerSessionOptions,
  SmtpServiceOptions,
} from './session/index.js'
export {
  commitReply,
  makeReceived,
  SmtpServerSession,
  simpleDelivery,
  startSmtpSession,
} from './session/index.js'
