import { asBuffer } from '../core/bytes.js'
import { type MailDate, parseDate } from './date.js'
import { decodeWords } from './encoded-words.js'
import { Headers } from './headers.js'
import { parseMessageIds } from './message-ids.js'
import { trimWhite, withoutComments } from './text.js'

/** `type; value` of RFC 3464 section 2.1.2, for example `rfc822; a@b`. */
export interface TypedName {
  /** Lower case. */
  readonly type: string
  readonly value: string
}

/** The fields for one recipient (RFC 3464 section 2.3). Absent ones are null. */
export interface RecipientStatus {
  readonly originalRecipient: TypedName | null
  readonly finalRecipient: TypedName | null
  /** Lower case: `failed`, `delayed`, `delivered`, `relayed`, `expanded`. */
  readonly action: string | null
  /** An enhanced status code such as `5.1.1`, without its comment. */
  readonly status: string | null
  readonly remoteMta: TypedName | null
  readonly diagnosticCode: TypedName | null
  readonly lastAttemptDate: MailDate | null
  readonly finalLogId: string | null
  readonly willRetryUntil: MailDate | null
  /** All of this recipient's fields, extensions included. */
  readonly fields: Headers
}

/** A message/delivery-status or message/global-delivery-status body (RFC 3464, RFC 6533). */
export interface DeliveryStatus {
  readonly originalEnvelopeId: string | null
  readonly reportingMta: TypedName | null
  readonly dsnGateway: TypedName | null
  readonly receivedFromMta: TypedName | null
  readonly arrivalDate: MailDate | null
  readonly fields: Headers
  /** Up to 10,000 of them. */
  readonly recipients: readonly RecipientStatus[]
}

/** A message/disposition-notification body (RFC 8098 section 3). */
export interface DispositionNotification {
  readonly reportingUa: string | null
  readonly mdnGateway: TypedName | null
  readonly originalRecipient: TypedName | null
  readonly finalRecipient: TypedName | null
  readonly originalMessageId: string | null
  readonly disposition: {
    /** Lower case: `manual-action` or `automatic-action`. */
    readonly actionMode: string
    /** Lower case: `mdn-sent-manually` or `mdn-sent-automatically`. */
    readonly sendingMode: string
    /** Lower case: `displayed`, `deleted`, `dispatched`, `processed`. */
    readonly type: string
    readonly modifiers: readonly string[]
  } | null
  readonly error: readonly string[]
  readonly fields: Headers
}

const MAX_RECIPIENTS = 10_000

/** The groups of fields that empty lines set apart. */
function groupsOf(body: Uint8Array): Headers[] {
  const bytes = asBuffer(body)
  const groups: Headers[] = []
  for (let at = 0; at < bytes.length && groups.length <= MAX_RECIPIENTS; ) {
    // one empty line or more stands between groups
    if (bytes[at] === 0x0a || bytes[at] === 0x0d) {
      at++
      continue
    }
    let end = at
    for (;;) {
      const lf = bytes.indexOf(0x0a, end)
      end = lf === -1 ? bytes.length : lf + 1
      if (end === bytes.length || bytes[end] === 0x0a || (bytes[end] === 0x0d && bytes[end + 1] === 0x0a))
        break
    }
    groups.push(new Headers(bytes.subarray(at, end)))
    at = end
  }
  return groups
}

function text(fields: Headers, name: string): string | null {
  const value = fields.get(name)
  return value === null ? null : trimWhite(withoutComments(decodeWords(value)))
}

function typedName(fields: Headers, name: string): TypedName | null {
  const value = fields.get(name)
  if (value === null) return null
  const semicolon = value.indexOf(';')
  if (semicolon === -1) return { type: '', value: decodeWords(trimWhite(value)) }
  const type = trimWhite(withoutComments(value.slice(0, semicolon))).toLowerCase()
  return { type, value: decodeWords(trimWhite(value.slice(semicolon + 1))) }
}

function date(fields: Headers, name: string): MailDate | null {
  return parseDate(fields.get(name) ?? '')
}

function recipientOf(fields: Headers): RecipientStatus {
  return {
    originalRecipient: typedName(fields, 'original-recipient'),
    finalRecipient: typedName(fields, 'final-recipient'),
    action: text(fields, 'action')?.toLowerCase() ?? null,
    status: /\d{1,3}\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0] ?? null,
    remoteMta: typedName(fields, 'remote-mta'),
    diagnosticCode: typedName(fields, 'diagnostic-code'),
    lastAttemptDate: date(fields, 'last-attempt-date'),
    finalLogId: text(fields, 'final-log-id'),
    willRetryUntil: date(fields, 'will-retry-until'),
    fields,
  }
}

/** Reads a delivery status; a report that lacks its first group (of the message) is taken as well. Never throws. */
export function parseDeliveryStatus(body: Uint8Array): DeliveryStatus {
  const groups = groupsOf(body)
  const first = groups[0]
  const bare = first?.has('final-recipient') === true && !first.has('reporting-mta')
  const fields = first === undefined || bare ? new Headers('') : first
  return {
    originalEnvelopeId: text(fields, 'original-envelope-id'),
    reportingMta: typedName(fields, 'reporting-mta'),
    dsnGateway: typedName(fields, 'dsn-gateway'),
    receivedFromMta: typedName(fields, 'received-from-mta'),
    arrivalDate: date(fields, 'arrival-date'),
    fields,
    recipients: groups.slice(bare ? 0 : 1).map(recipientOf),
  }
}

/** Reads a disposition notification. Never throws. */
export function parseDispositionNotification(body: Uint8Array): DispositionNotification {
  const fields = groupsOf(body)[0] ?? new Headers('')
  const disposition = text(fields, 'disposition')
  const [modes = '', outcome = ''] = disposition?.split(';', 2) ?? []
  const [actionMode = '', sendingMode = ''] = modes.split('/', 2).map((mode) => trimWhite(mode).toLowerCase())
  const [type = '', modifiers = ''] = outcome.split('/', 2).map((word) => trimWhite(word).toLowerCase())
  return {
    reportingUa: text(fields, 'reporting-ua'),
    mdnGateway: typedName(fields, 'mdn-gateway'),
    originalRecipient: typedName(fields, 'original-recipient'),
    finalRecipient: typedName(fields, 'final-recipient'),
    originalMessageId: parseMessageIds(fields.get('original-message-id') ?? '')[0] ?? null,
    disposition:
      disposition === null
        ? null
        : {
            actionMode,
            sendingMode,
            type,
            modifiers: modifiers === '' ? [] : modifiers.split(',').map(trimWhite),
          },
    error: fields.getAll('error').map((value) => decodeWords(value)),
    fields,
  }
}
