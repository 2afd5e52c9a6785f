import type { ComposedMessage } from './composed-message.js'
import { checkMessageId } from './identifiers.js'
import { type ComposeOptions, checkNames } from './mail-options.js'
import { checkToken } from './parameters.js'
import { composeReport, type ReportOptions } from './report.js'
import { checkWord, ReportFields } from './report-fields.js'

const types = ['displayed', 'deleted', 'dispatched', 'processed'] as const

/** What was done with a message, by whom (RFC 8098 section 3.2.6). */
export interface Disposition {
  readonly type: (typeof types)[number]
  /** The user did it; false: the program did. */
  readonly manualAction: boolean
  /** The user agreed to this notification; false: it was sent on its own. */
  readonly sentManually: boolean
  /** For example `error`. */
  readonly modifiers?: readonly string[] | undefined
}

/** A message disposition notification (RFC 8098 section 3.1). */
export interface DispositionReportOptions extends ReportOptions {
  /** The address, or `type; address`. */
  readonly finalRecipient: string
  readonly originalRecipient?: string | undefined
  /** The Message-ID of the message it is about. */
  readonly originalMessageId?: string | undefined
  readonly disposition: Disposition
  /** `name; product`. */
  readonly reportingUa?: string | undefined
  readonly mdnGateway?: string | undefined
  /** One text for each `error` of the modifiers. */
  readonly errors?: readonly string[] | undefined
}

const names = [
  ...['finalRecipient', 'originalRecipient', 'originalMessageId', 'disposition', 'reportingUa'],
  ...['mdnGateway', 'errors'],
]

/**
 * A message disposition notification: multipart/report with message/disposition-notification (RFC 8098), or with the
 * type of RFC 6533 where an address is in UTF-8. Its envelope has no sender. UsageErrors as `composeMessage`.
 */
export function composeDispositionReport(
  report: DispositionReportOptions,
  options: ComposeOptions = {},
): ComposedMessage {
  const { disposition, originalMessageId } = report
  checkNames(disposition, ['type', 'manualAction', 'sentManually', 'modifiers'], 'a disposition')
  const fields = new ReportFields()
  fields.add('Reporting-UA', report.reportingUa)
  fields.addTyped('MDN-Gateway', report.mdnGateway, 'dns')
  fields.addAddress('Original-Recipient', report.originalRecipient)
  fields.addAddress('Final-Recipient', report.finalRecipient)
  if (originalMessageId !== undefined) {
    fields.add('Original-Message-ID', checkMessageId(originalMessageId, 'originalMessageId', false))
  }
  fields.add('Disposition', dispositionText(disposition))
  for (const error of report.errors ?? []) fields.add('Error', error)
  const kind = {
    type: 'disposition-notification',
    utf8Type: 'global-disposition-notification',
    autoSubmitted: 'auto-replied',
    nullSender: true,
  }
  return composeReport(report, names, kind, fields, options)
}

function dispositionText({ type, manualAction, sentManually, modifiers = [] }: Disposition): string {
  const mode = `${manualAction ? 'manual-action' : 'automatic-action'}/MDN-sent-${sentManually ? 'manually' : 'automatically'}`
  const after = modifiers.map((modifier) => checkToken(modifier, 'a modifier of a disposition')).join(',')
  return `${mode}; ${checkWord(type, types, 'the type of a disposition')}${after === '' ? '' : `/${after}`}`
}
