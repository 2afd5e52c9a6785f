import type { WireLog } from '../core/index.js'
import type { Clock, DeliveryFeatures, Logger } from '../interfaces/index.js'
import type { ConnectionLimitOptions } from '../net/index.js'
import type { SmtpHandlers, SmtpServerLimits } from '../smtp/index.js'
import type { CertificatePair } from '../tls/index.js'
import {
  aFunction,
  byPrefix,
  type Check,
  choice,
  configError,
  object,
  plugin,
  trustedList,
  whole,
  yesOrNo,
} from './check.js'

/** The handlers of an SMTP server, and how it behaves. */
export interface SmtpServerSettings extends SmtpHandlers {
  /** The name in the greeting; the machine's by default. */
  readonly hostname?: string
  /** `submission` wants a login before MAIL, `lmtp` speaks LMTP; `smtp` by default. */
  readonly service?: 'smtp' | 'submission' | 'lmtp'
  /** TLS from the first octet, as on port 465; else STARTTLS is offered. */
  readonly secure?: boolean
  /** Certificates as for `createMailServer`: by default one made for development, `false` for no TLS at all. */
  readonly tls?: CertificatePair | readonly CertificatePair[] | false
  /** Refuses everything but what leads to TLS while there is none. */
  readonly requireTls?: boolean
  /** MAIL wants a login first; by default on submission, and there only. */
  readonly requireAuth?: boolean
  /** Passwords are taken without TLS: from loopback by default. */
  readonly plaintextLogin?: 'loopback' | 'always' | 'never'
  /** Octets of the largest message, told by SIZE and held to; 52,428,800 by default. */
  readonly maxMessageSize?: number
  /** What the handlers can do with a message beyond 8BITMIME and SMTPUTF8, such as `dsn` or `binaryMime`. */
  readonly features?: Partial<Omit<DeliveryFeatures, 'maxMessageSize'>>
  /** Offers CHUNKING; true by default. */
  readonly chunking?: boolean
  /** Takes addresses that are written wrong in common ways, such as `MAIL FROM: a@b`. */
  readonly lenient?: boolean
  /** A bare CR or LF in a message: `refuse`, the default, answers 550 after its end, `normalize` makes it CRLF. */
  readonly bareLineEnds?: 'refuse' | 'normalize'
  /** Takes NUL in a message; such a message is refused by default. */
  readonly allowNul?: boolean
  /**
   * Submission: adds Date, Message-ID and From where missing or empty, and takes Bcc out; false by default, unlike in a
   * mail server.
   */
  readonly mendHeader?: boolean
  /** Milliseconds to hold back the greeting, to find clients that talk first; 0 by default. */
  readonly greetingDelayMs?: number
  /** Milliseconds that a refusal is held back after `limits.softErrors`; 0, for never, by default. */
  readonly tarpitMs?: number
  /** What follows the host name in the greeting. */
  readonly greeting?: string
  readonly limits?: Partial<SmtpServerLimits>
  /** Connections at the same time, in all and by network, and new ones a minute. */
  readonly connections?: ConnectionLimitOptions
  /** Every connection comes through proxies at these addresses and begins with a PROXY header. */
  readonly proxy?: readonly string[]
  /** Addresses and networks of those who may use XCLIENT and XFORWARD. */
  readonly xclient?: readonly string[]
  /** Milliseconds that sessions have to finish when the server closes; 10,000 by default. */
  readonly shutdownTimeout?: number
  readonly logger?: Logger
  readonly clock?: Clock
  /** Asked for each connection: a record of its wire traffic, or null for none. */
  readonly wireLog?: (connection: { readonly id: string; readonly remoteAddress: string }) => WireLog | null
}

const TLS = 'give tls: { cert, key }, a list of these for several names, or false'
const ALWAYS = 'leave it out: it cannot be switched off'
const AS_DEFAULT = 'leave it out'

/** What to write for a setting of npm smtp-server that is named otherwise here, or is not there. */
const elsewhere: Readonly<Record<string, string>> = {
  secured: 'give each connection to connect(), which takes TLS that is in place',
  needsUpgrade: 'use secure',
  key: TLS,
  cert: TLS,
  pfx: TLS,
  ca: TLS,
  requestCert: TLS,
  SNICallback: TLS,
  sniOptions: TLS,
  name: 'use hostname',
  banner: 'use greeting',
  heloResponse: AS_DEFAULT,
  size: 'use maxMessageSize',
  rejectOversized: 'leave it out: maxMessageSize is always held to',
  hideSize: 'leave it out: SIZE is always told',
  authMethods:
    'leave it out: PLAIN and LOGIN are offered where there is an onAuth, XOAUTH2 and OAUTHBEARER where there is an onToken',
  authOptional: 'use requireAuth: true wants a login before MAIL',
  authRequiredMessage: AS_DEFAULT,
  allowInsecureAuth: "use plaintextLogin: 'always'",
  disabledCommands:
    'for AUTH leave onAuth and onToken out, for STARTTLS give tls: false, for BDAT chunking: false',
  hideSTARTTLS: 'use tls: false',
  hidePIPELINING: ALWAYS,
  hideENHANCEDSTATUSCODES: ALWAYS,
  hide8BITMIME: 'use features: { eightBitMime: false }',
  hideSMTPUTF8: 'use features: { smtpUtf8: false }',
  hideDSN: 'use features: { dsn: true } to offer it',
  hideREQUIRETLS: 'use features: { requireTls: true } to offer it',
  disableReverseLookup: 'leave it out: no address is looked up',
  resolver: 'leave it out: no address is looked up',
  component: 'use logger',
  maxClients: 'use connections: { total: n }',
  useProxy: "use proxy: ['192.0.2.1'] with the addresses of the proxies",
  ignoredHosts: AS_DEFAULT,
  useXClient: "use xclient: ['192.0.2.1'] with the addresses of those who may",
  useXForward: "use xclient: ['192.0.2.1'] with the addresses of those who may",
  lmtp: "use service: 'lmtp'",
  socketTimeout: 'use limits: { commandMs, loginMs, dataMs }',
  closeTimeout: 'use shutdownTimeout',
  maxAllowedUnauthenticatedCommands: 'use limits: { junkCommands, errors }',
  maxCommandLength: 'use limits: { commandOctets }',
  maxRecipients: 'use limits: { recipients }',
  lenientAddressParsing: 'use lenient',
  onSecure: 'use onHelo, which is asked again after STARTTLS',
  checkSender: 'use onMailFrom, which knows session.user',
}

/** What is looked at where it is used. */
const anything: Check = () => undefined

/** Who comes from smtp-server may wait for a callback that never comes. */
function handler(parameters: number): Check {
  return (value, key) => {
    aFunction(value, key)
    if ((value as () => void).length > parameters) {
      throw configError(
        key,
        `takes ${parameters} parameters and no callback: return the answer, or a promise of it`,
      )
    }
  }
}

/** As a table of its keys, so that none of the interface is forgotten. */
const features: Readonly<Record<keyof NonNullable<SmtpServerSettings['features']>, Check>> = {
  eightBitMime: yesOrNo,
  smtpUtf8: yesOrNo,
  binaryMime: yesOrNo,
  dsn: yesOrNo,
  requireTls: yesOrNo,
  deliverBy: anything,
  futureRelease: anything,
  mtPriority: anything,
  rrvs: yesOrNo,
  noSoliciting: anything,
}

/** Of connections; Infinity is for no limit. */
const count: Check = (value, key) => {
  if (value !== Number.POSITIVE_INFINITY) whole(1, 1_000_000)(value, key)
}

const connections: Readonly<Record<keyof ConnectionLimitOptions, Check>> = {
  byPrefix: byPrefix(count),
  perMinute: byPrefix(count),
  total: count,
}

const settings: Readonly<Record<keyof SmtpServerSettings, Check>> = {
  onConnect: handler(1),
  onHelo: handler(1),
  onAuth: handler(2),
  onToken: handler(2),
  onMailFrom: handler(2),
  onRcptTo: handler(2),
  onData: handler(2),
  onClose: handler(1),
  hostname: anything,
  service: choice('smtp', 'submission', 'lmtp'),
  secure: yesOrNo,
  tls: anything,
  requireTls: yesOrNo,
  requireAuth: yesOrNo,
  plaintextLogin: choice('loopback', 'always', 'never'),
  maxMessageSize: anything,
  features: object(features),
  chunking: yesOrNo,
  lenient: yesOrNo,
  bareLineEnds: choice('refuse', 'normalize'),
  allowNul: yesOrNo,
  mendHeader: yesOrNo,
  greetingDelayMs: anything,
  tarpitMs: anything,
  greeting: anything,
  limits: anything,
  connections: object(connections),
  proxy: trustedList(anything),
  xclient: trustedList(anything),
  shutdownTimeout: whole(0, 3_600_000),
  logger: plugin('a Logger', 'log'),
  clock: plugin('a Clock', 'now', 'sleep'),
  wireLog: aFunction,
}

/**
 * UsageError `CONFIG` for a setting that there is not, which names the one that was meant as far as that can be told, and
 * for a value that it cannot have.
 */
export function checkSettings(given: SmtpServerSettings): void {
  object(settings, [], elsewhere)(given, '')
}
