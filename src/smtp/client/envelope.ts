import { domainToASCII } from 'node:url'
import { isAscii } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import { encodeUtf8Address, encodeXtext, scanMailbox, scanPath } from '../grammar/index.js'
import type { SmtpExtensions } from './extensions.js'

/** A recipient with what is asked for it by DSN (RFC 3461 section 4); left out where the peer does not offer DSN. */
export interface SmtpRecipient {
  readonly address: string
  /** When to tell the sender; `NEVER` stands alone. */
  readonly notify?: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[]
  /** The original recipient as it reads, for example `rfc822;alice@example.test` or `utf-8;jörg@example.test` (RFC 6533). */
  readonly originalRecipient?: string
  /**
   * The mailbox must have had one owner since, milliseconds since 1970 (RFC 7293). Where the peer does not offer RRVS,
   * `reject` refuses the recipient, and `continue` goes on without, for a message that has the header field.
   */
  readonly validSince?: { readonly since: number; readonly otherwise: 'reject' | 'continue' }
}

/** Whom a message is from and for, and what it needs of the peer. */
export interface SmtpEnvelope {
  /** Without angle brackets; empty for the null reverse-path. */
  readonly from: string
  /** At least one. */
  readonly to: readonly (string | SmtpRecipient)[]
  /** Octets of the message with CRLF line ends, where known: told by SIZE=, and a peer with a lower limit is not asked. */
  readonly size?: number
  /** What octets the message holds: `7BIT` by default. */
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME'
  /** The header holds UTF-8 (RFC 6531). An address that does needs no word here. */
  readonly smtpUtf8?: boolean
  /**
   * Every hop must use TLS or give the message back (RFC 8689). A server that was found by MX is the caller's to prove,
   * by DNSSEC or MTA-STS. A bounce, from the null reverse-path, asks for it only where the peer can do it (section 5).
   */
  readonly requireTls?: boolean
  /** How much of the message a report may hold (RFC 3461 section 4.3). */
  readonly ret?: 'FULL' | 'HDRS'
  /** What a report calls the message (RFC 3461 section 4.4), at most 100 octets as xtext. */
  readonly envelopeId?: string
  /**
   * The mailbox that has submitted the message, or empty where that is not known (RFC 4954 section 5); told to a peer that
   * the session has logged in at.
   */
  readonly auth?: string
  /** Solicitation class keywords, those of the Solicitation field (RFC 3865 section 2.7), told where the peer offers that. */
  readonly solicitation?: readonly string[]
}

/** An envelope as commands for one peer. */
export interface EnvelopePlan {
  /** `MAIL FROM:...` without its line end. */
  readonly mail: string
  readonly recipients: readonly PlannedRecipient[]
  /** Why the peer cannot take the message at all, in the words it would have used; null when it can. */
  readonly refusal: Reply | null
}

export interface PlannedRecipient {
  readonly address: string
  /** `RCPT TO:...` without its line end. */
  readonly command: string
  /** Why the peer cannot be asked; null when it can. */
  readonly refusal: Reply | null
}

const TOO_LARGE = reply(552, '5.3.4', 'The message is larger than the peer takes')
const NEEDS_8BIT = reply(554, '5.6.3', 'The message holds 8-bit octets and the peer does not offer 8BITMIME')
const NEEDS_BINARY = reply(554, '5.6.3', 'The message is binary and the peer does not offer BINARYMIME')
const NEEDS_UTF8 = reply(550, '5.6.7', 'The message needs SMTPUTF8 and the peer does not offer it')
const NEEDS_REQUIRETLS = reply(
  550,
  '5.7.30',
  'The message requires TLS and the peer does not offer REQUIRETLS',
)
const NEEDS_TLS = reply(550, '5.7.10', 'The message requires TLS and the session has none')
const NEEDS_PROOF = reply(
  550,
  '5.7.10',
  'The message requires TLS and the certificate of the peer was not checked',
)
const NEEDS_RRVS = reply(550, '5.7.19', 'Whose mailbox it is matters, and the peer does not offer RRVS')
const BAD_SENDER = reply(501, '5.1.7', 'The sender is no mailbox')
const BAD_RECIPIENT = reply(501, '5.1.3', 'The recipient is no mailbox')
const CONTROL = /[\x00-\x1f\x7f]/
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/u
/** RFC 3461 section 4.2. */
const LONGEST_ORCPT = 500
const LONGEST_AUTH = 500

/**
 * The commands for a peer with these extensions. UsageError `ENVELOPE` for an envelope that no peer could be given:
 * no recipient, a control character (a line end above all), a value out of range.
 */
export function planEnvelope(
  envelope: SmtpEnvelope,
  extensions: SmtpExtensions,
  session: { readonly secure: boolean; readonly peerVerified: boolean; readonly authenticated: boolean },
): EnvelopePlan {
  const { to, size } = envelope
  const tlsProblem = envelope.requireTls === true ? whyNotRequireTls(extensions, session) : null
  const requireTls = envelope.requireTls === true && (tlsProblem === null || envelope.from !== '')
  const body = envelope.body ?? '7BIT'
  if (!Array.isArray(to)) throw new UsageError('ENVELOPE', 'to must be a list of recipients')
  if (to.length === 0) throw new UsageError('ENVELOPE', 'there is no recipient')
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
    throw new UsageError('ENVELOPE', `size must be a number of octets, not ${size}`)
  }
  const { dsn, smtpUtf8 } = extensions
  const from = writePath(envelope.from, smtpUtf8)
  const written = to.map((each) => {
    const recipient = recipientOf(each)
    return { recipient, path: writePath(recipient.address, smtpUtf8) }
  })
  const utf8 =
    envelope.smtpUtf8 === true ||
    [from, ...written.map(({ path }) => path)].some(({ path }) => !isAscii(path))
  const recipients = written.map(({ recipient, path }) =>
    planRecipient(recipient, path, extensions, utf8 && smtpUtf8),
  )
  let mail = `MAIL FROM:${from.path}`
  if (size !== undefined && extensions.size !== null) mail += ` SIZE=${size}`
  if (body === 'BINARYMIME' || (body === '8BITMIME' && extensions.eightBitMime)) mail += ` BODY=${body}`
  if (utf8) mail += ' SMTPUTF8'
  if (requireTls) mail += ' REQUIRETLS'
  if (envelope.ret !== undefined) {
    const ret = oneOf(envelope.ret, ['FULL', 'HDRS'])
    if (dsn) mail += ` RET=${ret}`
  }
  if (envelope.envelopeId !== undefined) {
    const envelopeId = xtext('envelopeId', envelope.envelopeId, 100)
    if (dsn) mail += ` ENVID=${envelopeId}`
  }
  if (envelope.auth !== undefined) {
    const auth = envelope.auth === '' ? '<>' : xtext('auth', mailboxOnly(envelope.auth), LONGEST_AUTH)
    if (session.authenticated && extensions.keywords.has('AUTH')) mail += ` AUTH=${auth}`
  }
  const { solicitation = [] } = envelope
  if (solicitation.some((each) => !/^[A-Za-z0-9][\w.:-]*$/.test(each)) || solicitation.join().length > 1000) {
    throw new UsageError('ENVELOPE', 'solicitation must be solicitation class keywords')
  }
  if (solicitation.length > 0 && extensions.keywords.has('NO-SOLICITING')) {
    mail += ` SOLICIT=${solicitation.join()}`
  }
  let refusal = from.valid ? null : BAD_SENDER
  if (utf8 && !smtpUtf8) refusal = NEEDS_UTF8
  if (body === '8BITMIME' && !extensions.eightBitMime) refusal = NEEDS_8BIT
  if (body === 'BINARYMIME' && !(extensions.binaryMime && extensions.chunking)) refusal = NEEDS_BINARY
  if (requireTls && tlsProblem !== null) refusal = tlsProblem
  if (size !== undefined && extensions.size !== null && size > extensions.size) refusal = TOO_LARGE
  return { mail, recipients, refusal }
}

/** RFC 8689 section 4.2.1. */
function whyNotRequireTls(
  extensions: SmtpExtensions,
  { secure, peerVerified }: { readonly secure: boolean; readonly peerVerified: boolean },
): Reply | null {
  if (!secure) return NEEDS_TLS
  if (!extensions.requireTls) return NEEDS_REQUIRETLS
  return peerVerified ? null : NEEDS_PROOF
}

function recipientOf(given: string | SmtpRecipient): SmtpRecipient {
  if (typeof given === 'string') return { address: given }
  if (typeof given !== 'object' || given === null) {
    throw new UsageError('ENVELOPE', 'a recipient is an address, or an object with an address')
  }
  return given
}

/** `utf8` where the transaction is one of SMTPUTF8. */
function planRecipient(
  recipient: SmtpRecipient,
  { path, valid }: WrittenPath,
  extensions: SmtpExtensions,
  utf8: boolean,
): PlannedRecipient {
  const { address, notify, originalRecipient, validSince } = recipient
  let command = `RCPT TO:${path}`
  if (notify !== undefined) {
    const never = notify.includes('NEVER')
    if (notify.length === 0 || (never && notify.length > 1)) {
      throw new UsageError('ENVELOPE', 'notify is NEVER alone, or at least one of SUCCESS, FAILURE, DELAY')
    }
    for (const each of notify) oneOf(each, ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'])
    if (extensions.dsn) command += ` NOTIFY=${notify.join(',')}`
  }
  if (originalRecipient !== undefined) {
    const [, type = '', original = ''] = /^([A-Za-z0-9-]+);(.*)$/s.exec(originalRecipient) ?? []
    if (type === '') {
      throw new UsageError('ENVELOPE', 'originalRecipient must begin with its address type, as rfc822;')
    }
    const value =
      type.toLowerCase() === 'utf-8'
        ? utf8Address(original, utf8)
        : xtext('originalRecipient', original, LONGEST_ORCPT)
    if (extensions.dsn) command += ` ORCPT=${type};${value}`
  }
  let refusal = valid && path !== '<>' ? null : BAD_RECIPIENT
  if (validSince !== undefined) {
    const date = new Date(validSince.since)
    if (Number.isNaN(date.getTime())) throw new UsageError('ENVELOPE', 'validSince must be a time')
    const action = validSince.otherwise === 'continue' ? 'C' : 'R'
    if (extensions.keywords.has('RRVS')) command += ` RRVS=${date.toISOString().slice(0, 19)}Z;${action}`
    else if (action === 'R') refusal ??= NEEDS_RRVS
  }
  return { address, command, refusal }
}

interface WrittenPath {
  readonly path: string
  readonly valid: boolean
}

/**
 * The path with its brackets. For a peer without SMTPUTF8 an internationalized domain is written in A-labels
 * (RFC 5890), which every peer takes. A local part cannot be helped that way.
 */
function writePath(address: string, smtpUtf8: boolean): WrittenPath {
  if (typeof address !== 'string') throw new UsageError('ENVELOPE', 'an address must be a string')
  if (CONTROL.test(address)) throw new UsageError('ENVELOPE', 'an address holds a control character')
  if (address === '') return { path: '<>', valid: true }
  if (isAscii(address)) {
    const path = `<${address}>`
    return { path, valid: isPath(path) }
  }
  const at = address.lastIndexOf('@')
  const localPart = address.slice(0, at)
  const domain = address.slice(at + 1)
  const ascii = isAscii(domain) ? domain : domainToASCII(domain)
  const path = !smtpUtf8 && isAscii(localPart) ? `<${localPart}@${ascii}>` : `<${address}>`
  return { path, valid: isPath(`<${localPart.replace(/[^\x00-\x7f]+/g, 'u')}@${ascii}>`) }
}

function mailboxOnly(text: string): string {
  const found = scanMailbox(text, 0, true)
  if (typeof found !== 'string' && found.end === text.length) return text
  throw new UsageError('ENVELOPE', 'auth must be a mailbox, or empty')
}

function isPath(path: string): boolean {
  const found = scanPath(path, 0, true)
  return typeof found !== 'string' && found.end === path.length
}

function oneOf(value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value)) throw new UsageError('ENVELOPE', `${value} is none of ${allowed.join(', ')}`)
  return value
}

function xtext(what: string, value: string, longest: number): string {
  if (!/^[\x20-\x7e]*$/.test(value)) {
    throw new UsageError('ENVELOPE', `${what} must be printable ASCII`)
  }
  const encoded = encodeXtext(value)
  if (encoded === '' || encoded.length > longest) {
    throw new UsageError('ENVELOPE', `${what} must have 1 to ${longest} octets as xtext`)
  }
  return encoded
}

/**
 * RFC 6533 section 3. Where the message needs no SMTPUTF8 the original recipient alone does not make it need it, or the
 * next peer without it would have to refuse it: then the 7-bit form is written, which every peer takes.
 */
function utf8Address(address: string, utf8: boolean): string {
  const encoded = encodeUtf8Address(address, utf8)
  if (UNPRINTABLE.test(address) || encoded === '' || Buffer.byteLength(encoded) > LONGEST_ORCPT) {
    throw new UsageError(
      'ENVELOPE',
      `originalRecipient must be printable, and 1 to ${LONGEST_ORCPT} octets as it is written`,
    )
  }
  return encoded
}
