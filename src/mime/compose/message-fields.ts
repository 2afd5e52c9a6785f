import { UsageError } from '../../core/errors.js'
import type { Address } from '../mailboxes.js'
import { addressField, asciiDomain, flatAddresses, readAddresses } from './address-writer.js'
import type { ComposedEnvelope } from './composed-message.js'
import { checkName, checkText, foldField } from './fold.js'
import { checkMessageId, listFields, messageIdField, writeDate } from './identifiers.js'
import type { EnvelopeOptions, HeaderOptions, Settings } from './mail-options.js'
import { textField } from './words.js'

/** Fields that an option or the composer itself writes; given in `headers` they would stand twice. */
const written: ReadonlyMap<string, string> = new Map([
  ['from', 'from'],
  ['sender', 'sender'],
  ['reply-to', 'replyTo'],
  ['to', 'to'],
  ['cc', 'cc'],
  ['bcc', 'bcc'],
  ['subject', 'subject'],
  ['message-id', 'messageId'],
  ['in-reply-to', 'inReplyTo'],
  ['references', 'references'],
  ['date', 'date'],
  ['mime-version', ''],
  ['content-type', 'contentType'],
  ['content-transfer-encoding', 'contentTransferEncoding'],
  ['content-disposition', 'contentDisposition'],
  ['content-id', 'cid'],
])

/** Fields without an option whose value is addresses, so that encoded words may stand in their phrases only. */
const ofAddresses: ReadonlySet<string> = new Set([
  ...['resent-from', 'resent-sender', 'resent-to', 'resent-cc', 'resent-bcc', 'disposition-notification-to'],
  ...['return-receipt-to', 'errors-to', 'mail-followup-to', 'mail-reply-to'],
])

/** The fields of the option `headers`. */
export function customFields(headers: HeaderOptions | undefined, smtpUtf8: boolean): string {
  if (headers === undefined) return ''
  const pairs = isPairs(headers)
    ? headers.map(({ key, value }) => [key, value] as const)
    : Object.entries(headers).flatMap(([key, value]) => [value].flat().map((each) => [key, each] as const))
  let out = ''
  for (const [name, value] of pairs) {
    const lower = checkName(name).toLowerCase()
    const option = written.get(lower)
    if (option !== undefined) {
      const hint = option === '' ? 'it is always there' : `use the option ${option}`
      throw new UsageError('HEADER_DUPLICATE', `${name} must not be given in headers: ${hint}`)
    }
    out += ofAddresses.has(lower)
      ? addressField(name, readAddresses(value, name, smtpUtf8), smtpUtf8)
      : textField(name, value, smtpUtf8)
  }
  return out
}

function isPairs(headers: HeaderOptions): headers is readonly { key: string; value: string }[] {
  return Array.isArray(headers)
}

/** Words of a Subject longer than this are encoded, so that its lines stay within 78. */
const LONGEST_SUBJECT_WORD = 76

const priorities: Readonly<Record<string, string>> = {
  high: 'X-Priority: 1 (Highest)\r\nX-MSMail-Priority: High\r\nImportance: High\r\n',
  normal: '',
  low: 'X-Priority: 5 (Lowest)\r\nX-MSMail-Priority: Low\r\nImportance: Low\r\n',
}

/** What stands at the top of a message, and what SMTP is to be told. */
export interface MessageFields {
  readonly fields: string
  readonly messageId: string
  readonly envelope: ComposedEnvelope
}

/** The fields of RFC 5322 section 3.6, then the others, without those of the body. */
export function messageFields(mail: EnvelopeOptions, settings: Settings): MessageFields {
  const { smtpUtf8 } = settings
  const read = (name: 'from' | 'sender' | 'replyTo' | 'to' | 'cc' | 'bcc'): Address[] =>
    readAddresses(mail[name], name, smtpUtf8)
  const from = read('from')
  const sender = read('sender')
  const to = read('to')
  const cc = read('cc')
  const bcc = read('bcc')
  const authors = flatAddresses([from])
  if (from.length === 0) throw new UsageError('ADDRESS', 'a message needs an address in from')
  if (sender.length > 1 || sender.some((address) => address.group !== null)) {
    throw new UsageError('ADDRESS', 'sender must be one address')
  }
  if (authors.length !== 1 && sender.length === 0) {
    throw new UsageError(
      'ADDRESS',
      'from must hold one address where there is no sender (RFC 5322 section 3.6.2)',
    )
  }
  const priority = Object.hasOwn(priorities, mail.priority ?? 'normal')
    ? priorities[mail.priority ?? 'normal']
    : undefined
  if (priority === undefined) throw new UsageError('OPTION', 'priority must be high, normal or low')
  const author = flatAddresses([sender, from])[0] ?? ''
  const messageId =
    mail.messageId === undefined
      ? makeMessageId(author, settings)
      : checkMessageId(mail.messageId, 'messageId', smtpUtf8)
  const fields = [
    addressField('From', from, smtpUtf8),
    addressField('Sender', sender, smtpUtf8),
    addressField('Reply-To', read('replyTo'), smtpUtf8),
    addressField('To', to, smtpUtf8),
    addressField('Cc', cc, smtpUtf8),
    settings.keepBcc ? addressField('Bcc', bcc, smtpUtf8) : '',
    mail.subject === undefined ? '' : textField('Subject', mail.subject, smtpUtf8, LONGEST_SUBJECT_WORD),
    foldField('Message-ID', [messageId]),
    messageIdField('In-Reply-To', mail.inReplyTo, smtpUtf8),
    messageIdField('References', mail.references, smtpUtf8),
    foldField('Date', [writeDate(mail.date ?? settings.now(), 'date')]),
    listFields(mail.list ?? {}, smtpUtf8),
    priority,
    customFields(mail.headers, smtpUtf8),
    'MIME-Version: 1.0\r\n',
  ]
  return { fields: fields.join(''), messageId, envelope: { from: author, to: flatAddresses([to, cc, bcc]) } }
}

function makeMessageId(author: string, settings: Settings): string {
  const written = settings.hostname ?? author.slice(author.lastIndexOf('@') + 1)
  const domain = written.startsWith('[') ? written : asciiDomain(checkText(written, 'hostname'))
  if (domain === null || domain === '') {
    throw new UsageError('MESSAGE_ID', 'hostname must be a domain name for a Message-ID')
  }
  return checkMessageId(`<${Buffer.from(settings.random(16)).toString('hex')}@${domain}>`, 'hostname', false)
}
