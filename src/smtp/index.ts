export type {
  MessageBody,
  MessageOutcome,
  RecipientOutcome,
  ResolvedSmtpClientOptions,
  SmtpClientCloseReason,
  SmtpClientEvent,
  SmtpClientLimits,
  SmtpClientOptions,
  SmtpEnvelope,
  SmtpExtensions,
  SmtpRecipient,
  SmtpSendOptions,
  SmtpStage,
} from './client/index.js'
export { SmtpClientEngine, SmtpClientSession, SmtpRefusal, smtpClientLimits } from './client/index.js'
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
  HandledParts,
  HandlerAnswer,
  LoginAnswer,
  LoginAttempt,
  SmtpHandlers,
  TokenAttempt,
} from './handlers.js'
export { SmtpSession, smtpHandlers } from './handlers.js'
export type {
  ResolvedSmtpServerOptions,
  SmtpCloseReason,
  SmtpHostVerb,
  SmtpServerEvent,
  SmtpServerFeatures,
  SmtpServerLimits,
  SmtpServerOptions,
  SmtpServerState,
} from './server/index.js'
export { SmtpServerEngine, smtpServerLimits } from './server/index.js'
export type {
  IncomingMessage,
  MessageAnswer,
  SimpleDeliveryOptions,
  SmtpConnection,
  SmtpConnectionOptions,
  SmtpServerSessionOptions,
  SmtpServiceOptions,
} from './session/index.js'
export {
  commitReply,
  makeReceived,
  SmtpServerSession,
  SmtpService,
  simpleDelivery,
  startSmtpSession,
} from './session/index.js'
