import { UsageError } from '../../core/errors.js'
import type { ComposedMessage } from './composed-message.js'
import { writeDate } from './identifiers.js'
import { type ComposeOptions, checkNames } from './mail-options.js'
import { composeReport, type ReportOptions } from './report.js'
import { checkStatus, checkWord, ReportFields } from './report-fields.js'

const actions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const

/** What became of one recipient (RFC 3464 section 2.3). Dates as in `EnvelopeOptions.date`. */
export interface RecipientReport {
  /** The address, or `type; address`. */
  readonly finalRecipient: string
  /** From ORCPT, its xtext decoded: the address, or `type; address`. */
  readonly originalRecipient?: string | undefined
  readonly action: (typeof actions)[number]
  /** For example `5.1.1` (RFC 3463). */
  readonly status: string
  /** The host that gave the answer: its name, or `type; name`. */
  readonly remoteMta?: string | undefined
  /** The answer of a host of SMTP on one line, or `type; text`. */
  readonly diagnosticCode?: string | undefined
  readonly lastAttemptDate?: Date | number | string | undefined
  readonly finalLogId?: string | undefined
  readonly willRetryUntil?: Date | number | string | undefined
}

/** A delivery status notification (RFC 3464 section 2.2). */
export interface DeliveryReportOptions extends ReportOptions {
  /** The host that tells: its name, or `type; name`. */
  readonly reportingMta: string
  readonly originalEnvelopeId?: string | undefined
  readonly dsnGateway?: string | undefined
  readonly receivedFromMta?: string | undefined
  readonly arrivalDate?: Date | number | string | undefined
  /** One or more. */
  readonly recipients: readonly RecipientReport[]
}

const names = [
  'reportingMta',
  'originalEnvelopeId',
  'dsnGateway',
  'receivedFromMta',
  'arrivalDate',
  'recipients',
]
const recipientNames = [
  ...['finalRecipient', 'originalRecipient', 'action', 'status', 'remoteMta', 'diagnosticCode'],
  ...['lastAttemptDate', 'finalLogId', 'willRetryUntil'],
]

/**
 * A delivery status notification: multipart/report with message/delivery-status (RFC 3464), or with the types of RFC
 * 6533 where an address is in UTF-8. Its envelope has no sender. UsageErrors as `composeMessage`.
 */
export function composeDeliveryReport(
  report: DeliveryReportOptions,
  options: ComposeOptions = {},
): ComposedMessage {
  if (report.recipients.length === 0) throw new UsageError('OPTION', 'a delivery report needs a recipient')
  const fields = new ReportFields()
  fields.add('Original-Envelope-Id', report.originalEnvelopeId)
  fields.addTyped('Reporting-MTA', report.reportingMta, 'dns')
  fields.addTyped('DSN-Gateway', report.dsnGateway, 'dns')
  fields.addTyped('Received-From-MTA', report.receivedFromMta, 'dns')
  fields.add('Arrival-Date', dated(report.arrivalDate, 'arrivalDate'))
  for (const recipient of report.recipients) {
    checkNames(recipient, recipientNames, 'a recipient of a delivery report')
    fields.gap()
    fields.addAddress('Original-Recipient', recipient.originalRecipient)
    fields.addAddress('Final-Recipient', recipient.finalRecipient)
    fields.add('Action', checkWord(recipient.action, actions, 'action'))
    fields.add('Status', checkStatus(recipient.status))
    fields.addTyped('Remote-MTA', recipient.remoteMta, 'dns')
    fields.addTyped('Diagnostic-Code', recipient.diagnosticCode, 'smtp')
    fields.add('Last-Attempt-Date', dated(recipient.lastAttemptDate, 'lastAttemptDate'))
    fields.add('Final-Log-ID', recipient.finalLogId)
    fields.add('Will-Retry-Until', dated(recipient.willRetryUntil, 'willRetryUntil'))
  }
  const kind = {
    type: 'delivery-status',
    utf8Type: 'global-delivery-status',
    autoSubmitted: 'auto-replied',
    nullSender: true,
  }
  return composeReport(report, names, kind, fields, options)
}

/** The date-time of an optional date. */
export function dated(date: Date | number | string | undefined, what: string): string | undefined {
  return date === undefined ? undefined : writeDate(date, what)
}
