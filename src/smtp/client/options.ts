import { UsageError } from '../../core/errors.js'
import type { Limits } from '../../core/limits.js'
import { resolveLimits } from '../../core/limits.js'
import type { WireLog } from '../../core/wire-log.js'
import type { ClientCredentials } from '../../sasl/index.js'
import { isDomainOrLiteral } from '../grammar/index.js'

const NEVER = Number.POSITIVE_INFINITY

/** What an SMTP client engine waits for and holds at most. Passing one ends the session; its message is to be tried again. */
export const smtpClientLimits = {
  /** Octets of a line of a reply with its line end; RFC 5321 section 4.5.3.1.5 allows 512. */
  replyOctets: { default: 4096, min: 512, max: 1_048_576 },
  /** Lines of a reply. */
  replyLines: { default: 200, min: 20, max: 10_000 },
  /** Milliseconds for the greeting (RFC 5321 section 4.5.3.2.1). */
  greetingMs: { default: 300_000, min: 1, max: NEVER },
  /** Milliseconds for the reply to EHLO, HELO, LHLO, STARTTLS, AUTH, RSET. */
  commandMs: { default: 300_000, min: 1, max: NEVER },
  /** Milliseconds for the reply to MAIL (section 4.5.3.2.2). */
  mailMs: { default: 300_000, min: 1, max: NEVER },
  /** Milliseconds for the reply to each RCPT (section 4.5.3.2.3). */
  rcptMs: { default: 300_000, min: 1, max: NEVER },
  /** Milliseconds for the reply to DATA (section 4.5.3.2.4). */
  dataMs: { default: 120_000, min: 1, max: NEVER },
  /** Milliseconds for the reply to a chunk of BDAT that is not the last, as for a block of data (section 4.5.3.2.5). */
  blockMs: { default: 180_000, min: 1, max: NEVER },
  /** Milliseconds for the reply to the whole message (section 4.5.3.2.6). */
  finalMs: { default: 600_000, min: 1, max: NEVER },
  /** Milliseconds for the reply to QUIT, after which the connection is closed all the same. */
  quitMs: { default: 10_000, min: 1, max: NEVER },
  /** Commands on their way without a reply, so that two full windows never wait for each other (RFC 2920 section 3.1). */
  pipelined: { default: 100, min: 1, max: 10_000 },
} as const

export type SmtpClientLimits = Limits<typeof smtpClientLimits>

/** How one SMTP client engine behaves. */
export interface SmtpClientOptions {
  /** The name to say in EHLO: this host's domain, or an address literal. */
  readonly hostname: string
  /** LMTP (RFC 2033) in place of SMTP: LHLO, and a reply for each recipient. */
  readonly lmtp?: boolean
  /**
   * STARTTLS (RFC 3207): `required` ends the session where there is none, `opportunistic`, the default, uses it where
   * it is offered, `none` never does.
   */
  readonly startTls?: 'none' | 'opportunistic' | 'required'
  /** TLS is in place already (implicit TLS). */
  readonly secure?: boolean
  /** With `secure`: the server's certificate was checked, which REQUIRETLS wants (RFC 8689 section 4.2.1). */
  readonly peerVerified?: boolean
  /** To log in with before the first message. */
  readonly credentials?: ClientCredentials | null
  /** Mechanisms to choose from, in capitals; all that fit the credentials by default. */
  readonly mechanisms?: readonly string[] | null
  /** Sends a password or token without TLS; for loopback and tests. */
  readonly allowPlaintext?: boolean
  /** Uses BDAT (RFC 3030) where it is offered; true by default. A BINARYMIME message cannot do without. */
  readonly chunking?: boolean
  /**
   * Encodes anew what a peer without 8BITMIME or BINARYMIME could not take (RFC 6152 section 3), where the message can
   * be read twice; true by default. With false such a message is refused, for senders who would rather keep a DKIM
   * signature. A session does this, not the engine.
   */
  readonly downgrade?: boolean
  readonly limits?: Partial<SmtpClientLimits>
  readonly wireLog?: WireLog | null
}

export type ResolvedSmtpClientOptions = Readonly<Required<Omit<SmtpClientOptions, 'limits'>>> & {
  readonly limits: SmtpClientLimits
}

/** The options with their defaults. UsageError `OPTION` or `LIMIT` for what cannot work. */
export function resolveSmtpClientOptions(given: SmtpClientOptions): ResolvedSmtpClientOptions {
  if (!isDomainOrLiteral(given.hostname)) {
    throw new UsageError('OPTION', `hostname must be a domain or an address literal, not "${given.hostname}"`)
  }
  return {
    hostname: given.hostname,
    lmtp: given.lmtp ?? false,
    startTls: given.startTls ?? 'opportunistic',
    secure: given.secure ?? false,
    peerVerified: given.peerVerified ?? false,
    credentials: given.credentials ?? null,
    mechanisms: given.mechanisms?.map((name) => name.toUpperCase()) ?? null,
    allowPlaintext: given.allowPlaintext ?? false,
    chunking: given.chunking ?? true,
    downgrade: given.downgrade ?? true,
    limits: resolveLimits(smtpClientLimits, given.limits),
    wireLog: given.wireLog ?? null,
  }
}
