import { UsageError } from '../../core/errors.js'
import type { ComposedMessage } from './composed-message.js'
import { dated } from './delivery-report.js'
import type { ComposeOptions } from './mail-options.js'
import { checkToken } from './parameters.js'
import { composeReport, type ReportOptions } from './report.js'
import { ReportFields } from './report-fields.js'

/** A report of abuse in the Abuse Reporting Format (RFC 5965 section 3). */
export interface FeedbackReportOptions extends ReportOptions {
  /** `abuse`, `fraud`, `virus`, `other` or another registered one (RFC 5965 section 7.3). */
  readonly feedbackType: string
  /** The program that reports, as `name/version`. */
  readonly userAgent: string
  readonly originalEnvelopeId?: string | undefined
  /** An address; '' for the empty reverse path. */
  readonly originalMailFrom?: string | undefined
  readonly originalRcptTo?: readonly string[] | undefined
  readonly arrivalDate?: Date | number | string | undefined
  readonly reportingMta?: string | undefined
  readonly sourceIp?: string | undefined
  /** Alike incidents that this report stands for. */
  readonly incidents?: number | undefined
  readonly authenticationResults?: readonly string[] | undefined
  readonly reportedDomain?: readonly string[] | undefined
  readonly reportedUri?: readonly string[] | undefined
}

const names = [
  ...['feedbackType', 'userAgent', 'originalEnvelopeId', 'originalMailFrom', 'originalRcptTo', 'arrivalDate'],
  ...['reportingMta', 'sourceIp', 'incidents', 'authenticationResults', 'reportedDomain', 'reportedUri'],
]

/**
 * A feedback report: multipart/report with message/feedback-report (RFC 5965). The message it is about (`original`) must
 * be there. UsageErrors as `composeMessage`.
 */
export function composeFeedbackReport(
  report: FeedbackReportOptions,
  options: ComposeOptions = {},
): ComposedMessage {
  const { incidents, originalMailFrom } = report
  if (report.original === undefined) throw new UsageError('OPTION', 'a feedback report needs the original')
  if (incidents !== undefined && !(Number.isSafeInteger(incidents) && incidents > 0)) {
    throw new UsageError('OPTION', 'incidents must be a whole number over 0')
  }
  const fields = new ReportFields()
  fields.add('Feedback-Type', checkToken(report.feedbackType, 'feedbackType'))
  fields.add('User-Agent', report.userAgent)
  fields.add('Version', '1')
  fields.add('Original-Envelope-Id', report.originalEnvelopeId)
  fields.add('Original-Mail-From', originalMailFrom === undefined ? undefined : bracketed(originalMailFrom))
  fields.add('Arrival-Date', dated(report.arrivalDate, 'arrivalDate'))
  fields.addTyped('Reporting-MTA', report.reportingMta, 'dns')
  fields.add('Source-IP', report.sourceIp)
  fields.add('Incidents', incidents === undefined ? undefined : String(incidents))
  for (const result of report.authenticationResults ?? []) fields.add('Authentication-Results', result)
  for (const address of report.originalRcptTo ?? []) fields.add('Original-Rcpt-To', bracketed(address))
  for (const domain of report.reportedDomain ?? []) fields.add('Reported-Domain', domain)
  for (const uri of report.reportedUri ?? []) fields.add('Reported-URI', uri)
  const kind = {
    type: 'feedback-report',
    utf8Type: null,
    autoSubmitted: 'auto-generated',
    nullSender: false,
  }
  return composeReport(report, names, kind, fields, options)
}

function bracketed(address: string): string {
  return address.startsWith('<') ? address : `<${address}>`
}
