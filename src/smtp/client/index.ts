export { SmtpClientEngine } from './engine.js'
export type { SmtpEnvelope, SmtpRecipient } from './envelope.js'
export type {
  MessageOutcome,
  RecipientOutcome,
  SmtpClientCloseReason,
  SmtpClientEvent,
  SmtpStage,
} from './events.js'
export type { SmtpExtensions } from './extensions.js'
export type { MessageBody } from './message-body.js'
export type { ResolvedSmtpClientOptions, SmtpClientLimits, SmtpClientOptions } from './options.js'
export { smtpClientLimits } from './options.js'
export { SmtpRefusal } from './refusal.js'
export type { SmtpSendOptions } from './session.js'
export { SmtpClientSession } from './session.js'
