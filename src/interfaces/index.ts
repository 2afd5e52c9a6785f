export type { Clock } from '../core/clock.js'
export { systemClock } from '../core/clock.js'
export type {
  AuthContext,
  Authenticator,
  AuthFailure,
  AuthRefusal,
  AuthResult,
  BearerCredentials,
  PlainCredentials,
  ScramAttempt,
  ScramCredentials,
  ScramKeys,
} from './authenticator.js'
export type {
  AbortReason,
  CommitResult,
  Delivery,
  DeliveryFeatures,
  EnvelopeStart,
  MessageTags,
  Notify,
  Recipient,
  SessionContext,
  Transaction,
} from './delivery.js'
export type { Logger, LogLevel, LogValue } from './logger.js'
export { silentLogger } from './logger.js'
export type {
  Account,
  Body,
  Changes,
  Flags,
  Mailbox,
  MailboxId,
  MailboxInfo,
  MailboxStatus,
  MailStore,
  MessageInfo,
  MessageWant,
  Op,
  Placed,
  Result,
  Snapshot,
  SpecialUse,
  Staged,
  StoreFeatures,
  Uids,
} from './mail-store.js'
export type { Envelope, EnvelopeAddress, MessageFacts, Parameter, PartFacts } from './message-facts.js'
export type { Policy } from './policy.js'
export type { Reply } from './reply.js'
export { reply } from './reply.js'
export type { Resolver } from './resolver.js'
