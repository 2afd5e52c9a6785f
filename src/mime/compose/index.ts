export type { AddressInput, GroupInput, MailboxInput } from './address-writer.js'
export { composeMessage } from './compose-message.js'
export type { ComposedEnvelope, ComposedMessage } from './composed-message.js'
export type { ContentAccess, ContentOptions, OpenedContent, StreamContent } from './content.js'
export type { DeliveryReportOptions, RecipientReport } from './delivery-report.js'
export { composeDeliveryReport } from './delivery-report.js'
export type { Disposition, DispositionReportOptions } from './disposition-report.js'
export { composeDispositionReport } from './disposition-report.js'
export type { BodyEncoder } from './encoders.js'
export { Base64Encoder, QuotedPrintableEncoder } from './encoders.js'
export type { FeedbackReportOptions } from './feedback-report.js'
export { composeFeedbackReport } from './feedback-report.js'
export type { ListEntry, ListOptions } from './identifiers.js'
export type {
  AlternativeOptions,
  AttachmentOptions,
  ComposeOptions,
  EnvelopeOptions,
  HeaderOptions,
  IcalEventOptions,
  MailOptions,
  TextInput,
  TextOptions,
} from './mail-options.js'
export type { ReportOptions } from './report.js'
export type { FieldOptions } from './words.js'
export { formatField } from './words.js'
