import { UsageError } from '../../core/errors.js'
import type { Limits } from '../../core/limits.js'
import { resolveLimits } from '../../core/limits.js'
import type { WireLog } from '../../core/wire-log.js'
import type { DeliveryFeatures } from '../../interfaces/index.js'
import { describeMechanism } from '../../sasl/index.js'
import { isDomainOrLiteral } from '../grammar/index.js'

const NEVER = Number.POSITIVE_INFINITY
const MIB = 1_048_576

/** What an SMTP server engine holds at most, and what happens beyond it. */
export const smtpServerLimits = {
  /** Octets of a command line with its CRLF; beyond it 500. RFC 5321 section 4.5.3.1.4 wants at least 512. */
  commandOctets: { default: 2048, min: 512, max: 12_288 },
  /** Octets of a line of AUTH, RFC 4954 section 4; beyond it 500 5.5.6. */
  authOctets: { default: 12_288, min: 12_288, max: MIB },
  /** Recipients of a message; beyond it 452. RFC 5321 section 4.5.3.1.8 wants at least 100. */
  recipients: { default: 1000, min: 100, max: NEVER },
  /** Recipients of a message from the null reverse-path, which are few of an honest one; beyond it 452. */
  nullSenderRecipients: { default: 1000, min: 1, max: NEVER },
  /** Transactions of a session; beyond it 421 and close. Without limit by default on submission and LMTP. */
  messages: { default: 100, min: 1, max: NEVER },
  /** Commands answered 5yz, refused recipients apart; one more is followed by 421 and close. */
  errors: { default: 20, min: 1, max: NEVER },
  /** Commands answered 5yz after which each more is answered only after `tarpitMs`. */
  softErrors: { default: 10, min: 0, max: NEVER },
  /** Refused recipients of a session; one more is followed by 421 and close. */
  refusedRecipients: { default: 100, min: 1, max: NEVER },
  /** NOOP, RSET, VRFY, HELP, EXPN, HELO and EHLO since the last message; one more is answered 421 and close. */
  junkCommands: { default: 100, min: 1, max: NEVER },
  /** Failed logins of a session; the last is followed by 421 and close. */
  failedLogins: { default: 3, min: 1, max: NEVER },
  /** Octets of a message's header; beyond it 552 after the end. */
  headerOctets: { default: MIB, min: 65_536, max: NEVER },
  /** Fields of a message's header; beyond it 552 after the end. */
  headerFields: { default: 2000, min: 10, max: NEVER },
  /** Received fields of a message; beyond it 554 5.4.6 (RFC 5321 section 6.3). */
  receivedFields: { default: 50, min: 10, max: NEVER },
  /** Octets of a line of a message without its CRLF; beyond it 554 5.6.0 after the end. */
  lineOctets: { default: MIB, min: 998, max: NEVER },
  /** Milliseconds to complete a command; beyond it 421. RFC 5321 section 4.5.3.2.7 wants at least 300,000. */
  commandMs: { default: 300_000, min: 1000, max: NEVER },
  /** Milliseconds to complete a command on submission while nobody has logged in. */
  loginMs: { default: 60_000, min: 1000, max: NEVER },
  /** Milliseconds without an octet of a message; beyond it 421. */
  dataMs: { default: 300_000, min: 1000, max: NEVER },
  /** Octets a second below which a message is too slow once `dataMs` are used up; beyond it 421. */
  dataRate: { default: 500, min: 1, max: NEVER },
} as const

export type SmtpServerLimits = Limits<typeof smtpServerLimits>

/** What the host can do with a message beyond RFC 5321; each is offered where it is there (see `DeliveryFeatures`). */
export type SmtpServerFeatures = Partial<Omit<DeliveryFeatures, 'maxMessageSize' | 'futureRelease'>> & {
  /** As seconds, and as the latest moment, milliseconds since 1970: an engine has no clock. */
  readonly futureRelease?: { readonly maximumSeconds: number; readonly until: number }
}

/** A verb that the host may answer itself. */
export type SmtpHostVerb = 'VRFY' | 'EXPN' | 'ETRN'

/** How one SMTP server engine behaves. */
export interface SmtpServerOptions {
  /** The name in the greeting, in EHLO and in Received: a domain or an address literal. */
  readonly hostname: string
  /**
   * `submission` wants AUTH before MAIL; `lmtp` speaks LMTP (RFC 2033): LHLO, and one reply for each recipient after a
   * message; `smtp` is the default.
   */
  readonly service?: 'smtp' | 'submission' | 'lmtp'
  /** Octets of the largest message, told by SIZE (RFC 1870); 52,428,800 by default, Infinity for no limit. */
  readonly maxMessageSize?: number
  /** Extensions that the host takes part in; 8BITMIME alone by default. */
  readonly features?: SmtpServerFeatures
  /** Offers CHUNKING (RFC 3030), which the engine does alone; true by default. */
  readonly chunking?: boolean
  /** Verbs the host answers, as `query` events; none by default. ETRN never on submission (RFC 6409 section 7). */
  readonly verbs?: readonly SmtpHostVerb[]
  /** Takes XCLIENT: the client is a proxy that is trusted to say for whom it speaks. */
  readonly xclient?: boolean
  /** Takes XFORWARD: the same, for the log only. */
  readonly xforward?: boolean
  /** SASL mechanisms to offer, in order of preference; none by default. */
  readonly mechanisms?: readonly string[]
  /** TLS is in place already (implicit TLS). */
  readonly secure?: boolean
  /** Offers STARTTLS (RFC 3207): the host can upgrade the connection. */
  readonly startTls?: boolean
  /** Refuses everything but what leads to TLS while there is none. */
  readonly requireTls?: boolean
  /** MAIL and VRFY want AUTH first; true by default on submission. */
  readonly requireAuth?: boolean
  /** Takes passwords without TLS; for loopback and tests. */
  readonly allowPlaintext?: boolean
  /** Takes a space after `FROM:` or `TO:`, paths without angle brackets and underscores in domains. */
  readonly lenient?: boolean
  /** `normalize` makes CRLF of a bare CR or LF in a message; `refuse`, the default, answers 550 after its end. */
  readonly bareLineEnds?: 'refuse' | 'normalize'
  /** Takes NUL in a message, which RFC 5322 section 2.3 forbids; a message with it is refused by default. */
  readonly allowNul?: boolean
  /**
   * Milliseconds to hold back the greeting once the host has accepted the connection; a client that talks first gets
   * 554. 0 by default, which delays no honest client and finds no early talker that is polite enough to be slow.
   */
  readonly greetingDelayMs?: number
  /** Milliseconds that a 5yz reply is held back after `limits.softErrors`; 0, for never, by default. */
  readonly tarpitMs?: number
  /** What follows the host name in the greeting; `ESMTP` or `LMTP` by default. */
  readonly greeting?: string
  readonly limits?: Partial<SmtpServerLimits>
  readonly wireLog?: WireLog | null
}

/** Every feature, null or false where it is not there. */
export type ResolvedFeatures = {
  readonly [K in keyof SmtpServerFeatures]-?: boolean extends SmtpServerFeatures[K]
    ? boolean
    : NonNullable<SmtpServerFeatures[K]> | null
}

export type ResolvedSmtpServerOptions = Readonly<Required<Omit<SmtpServerOptions, 'limits' | 'features'>>> & {
  readonly limits: SmtpServerLimits
  readonly features: ResolvedFeatures
}

/** What comes from here, and need not be looked at again. */
const resolved: WeakSet<object> = new WeakSet()

/**
 * The options with their defaults. UsageError `OPTION` or `LIMIT` for what cannot work. Options that come from here are
 * taken as they are: what many sessions share is looked at once.
 */
export function resolveSmtpServerOptions(
  given: SmtpServerOptions | ResolvedSmtpServerOptions,
): ResolvedSmtpServerOptions {
  if (isResolved(given)) return given
  const options = resolve(given)
  resolved.add(options)
  return options
}

/** Options that are resolved with what is of one connection; the same object where that changes nothing. */
export function changeOptions(
  options: ResolvedSmtpServerOptions,
  change: Pick<ResolvedSmtpServerOptions, ConnectionOption | 'features'>,
): ResolvedSmtpServerOptions {
  const same =
    options.secure === change.secure &&
    options.xclient === change.xclient &&
    options.xforward === change.xforward &&
    options.allowPlaintext === change.allowPlaintext &&
    options.wireLog === change.wireLog &&
    options.features === change.features
  if (same) return options
  const changed = { ...options, ...change }
  resolved.add(changed)
  return changed
}

/** What may differ from one connection of a listener to the next. */
export type ConnectionOption = 'secure' | 'xclient' | 'xforward' | 'allowPlaintext' | 'wireLog'

function isResolved(
  options: SmtpServerOptions | ResolvedSmtpServerOptions,
): options is ResolvedSmtpServerOptions {
  return resolved.has(options)
}

function resolve(given: SmtpServerOptions): ResolvedSmtpServerOptions {
  const service = given.service ?? 'smtp'
  const maxMessageSize = given.maxMessageSize ?? 50 * MIB
  const mechanisms = (given.mechanisms ?? []).map((name) => name.toUpperCase())
  if (!isDomainOrLiteral(given.hostname)) {
    throw new UsageError('OPTION', `hostname must be a domain or an address literal, not "${given.hostname}"`)
  }
  if (maxMessageSize !== NEVER && (!Number.isSafeInteger(maxMessageSize) || maxMessageSize < 1)) {
    throw new UsageError('OPTION', `maxMessageSize must be a number of octets, not ${maxMessageSize}`)
  }
  for (const name of mechanisms) {
    if (describeMechanism(name) === undefined)
      throw new UsageError('OPTION', `unknown SASL mechanism ${name}`)
  }
  if (given.requireTls === true && given.startTls !== true && given.secure !== true) {
    throw new UsageError('OPTION', 'requireTls needs startTls, or TLS that is in place already')
  }
  const greetingDelayMs = given.greetingDelayMs ?? 0
  if (!(greetingDelayMs >= 0 && greetingDelayMs < NEVER)) {
    throw new UsageError('OPTION', `greetingDelayMs must be a number of milliseconds, not ${greetingDelayMs}`)
  }
  const tarpitMs = given.tarpitMs ?? 0
  if (!(tarpitMs >= 0 && tarpitMs < NEVER)) {
    throw new UsageError('OPTION', `tarpitMs must be a number of milliseconds, not ${tarpitMs}`)
  }
  const greeting = given.greeting ?? (service === 'lmtp' ? 'LMTP' : 'ESMTP')
  if (!/^[\x20-\x7e]{1,200}$/.test(greeting)) {
    throw new UsageError('OPTION', 'greeting must be 1 to 200 printable ASCII characters')
  }
  return {
    hostname: given.hostname,
    service,
    maxMessageSize,
    features: resolveFeatures(given.features ?? { eightBitMime: true }),
    chunking: given.chunking ?? true,
    verbs: (given.verbs ?? []).filter((verb) => verb !== 'ETRN' || service !== 'submission'),
    xclient: given.xclient ?? false,
    xforward: given.xforward ?? false,
    mechanisms,
    secure: given.secure ?? false,
    startTls: given.startTls ?? false,
    requireTls: given.requireTls ?? false,
    requireAuth: given.requireAuth ?? service === 'submission',
    allowPlaintext: given.allowPlaintext ?? false,
    lenient: given.lenient ?? false,
    bareLineEnds: given.bareLineEnds ?? 'refuse',
    allowNul: given.allowNul ?? false,
    greetingDelayMs,
    tarpitMs,
    greeting,
    limits: resolveLimits(smtpServerLimits, {
      ...(service === 'smtp' ? {} : { messages: NEVER }),
      ...given.limits,
    }),
    wireLog: given.wireLog ?? null,
  }
}

/** UsageError `OPTION` for what could not stand in a line of EHLO. */
function resolveFeatures(given: SmtpServerFeatures): ResolvedFeatures {
  const { deliverBy, futureRelease, mtPriority, noSoliciting } = given
  const numbers = [
    deliverBy?.minimumSeconds ?? 0,
    futureRelease?.maximumSeconds ?? 1,
    futureRelease?.until ?? 0,
  ]
  if (numbers.some((each) => !Number.isSafeInteger(each) || each < 0)) {
    throw new UsageError('OPTION', 'deliverBy and futureRelease are whole numbers')
  }
  const words = [...(mtPriority === undefined ? [] : [mtPriority.profile]), ...(noSoliciting ?? [])]
  if (words.some((each) => !/^[\w.:-]{0,100}$/.test(each))) {
    throw new UsageError(
      'OPTION',
      'a priority profile and a solicitation class are words of letters, digits and .:-_',
    )
  }
  return {
    eightBitMime: given.eightBitMime ?? false,
    smtpUtf8: given.smtpUtf8 ?? false,
    binaryMime: given.binaryMime ?? false,
    dsn: given.dsn ?? false,
    requireTls: given.requireTls ?? false,
    rrvs: given.rrvs ?? false,
    deliverBy: deliverBy ?? null,
    futureRelease: futureRelease ?? null,
    mtPriority: mtPriority ?? null,
    noSoliciting: noSoliciting ?? null,
  }
}
