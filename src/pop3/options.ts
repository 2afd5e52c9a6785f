import type { Limits, WireLog } from '../core/index.js'
import { resolveLimits, UsageError } from '../core/index.js'
import { describeMechanism } from '../sasl/index.js'

const NEVER = Number.POSITIVE_INFINITY

/** What a POP3 server engine holds at most, and what happens beyond it. */
export const pop3ServerLimits = {
  /** Octets after a command's keyword and space; beyond it -ERR. RFC 2449 section 4 wants lines of 255. */
  argumentOctets: { default: 255, min: 248, max: 65_536 },
  /** Octets of a line of an AUTH exchange (RFC 5034 section 4); beyond it the exchange fails. */
  authOctets: { default: 12_288, min: 12_288, max: 1_048_576 },
  /** Commands of a client that has not logged in answered -ERR, failed logins apart; one more closes. */
  errorsBeforeLogin: { default: 3, min: 0, max: NEVER },
  /** Commands of a client that has logged in answered -ERR for its own fault; one more closes. */
  errors: { default: 20, min: 0, max: NEVER },
  /** Commands before login; one more closes. */
  commandsBeforeLogin: { default: 100, min: 10, max: NEVER },
  /** Failed logins; the last one closes. */
  failedLogins: { default: 3, min: 1, max: NEVER },
  /** Milliseconds from the greeting, or from STLS, to login, the server's own time not counted; then the end. */
  loginMs: { default: 60_000, min: 1000, max: NEVER },
  /** Milliseconds between commands after login; then the end. RFC 1939 section 3 wants at least 600,000. */
  commandMs: { default: 600_000, min: 1000, max: NEVER },
} as const

export type Pop3ServerLimits = Limits<typeof pop3ServerLimits>

/** How one POP3 server engine behaves. */
export interface Pop3ServerOptions {
  /** The name in the greeting. */
  readonly hostname: string
  /**
   * SASL mechanisms to offer, in order of preference; none by default: the `usableMechanisms` of the session's
   * authenticator. USER and PASS are offered with PLAIN.
   */
  readonly mechanisms?: readonly string[]
  /** TLS is in place already (implicit TLS). */
  readonly secure?: boolean
  /** Offers STLS (RFC 2595 section 4): the host can upgrade the connection. */
  readonly startTls?: boolean
  /** Takes passwords without TLS; for loopback and tests. */
  readonly allowPlaintext?: boolean
  readonly limits?: Partial<Pop3ServerLimits>
  readonly wireLog?: WireLog | null
}

export type ResolvedPop3ServerOptions = Readonly<Required<Omit<Pop3ServerOptions, 'limits'>>> & {
  readonly limits: Pop3ServerLimits
}

/** The options with their defaults. UsageError `OPTION` or `LIMIT` for what cannot work. */
export function resolvePop3ServerOptions(given: Pop3ServerOptions): ResolvedPop3ServerOptions {
  const mechanisms = (given.mechanisms ?? []).map((name) => name.toUpperCase())
  if (!/^[A-Za-z0-9._:[\]-]{1,255}$/.test(given.hostname)) {
    throw new UsageError('OPTION', `hostname must be a domain or an address literal, not "${given.hostname}"`)
  }
  for (const name of mechanisms) {
    if (describeMechanism(name) === undefined)
      throw new UsageError('OPTION', `unknown SASL mechanism ${name}`)
  }
  return {
    hostname: given.hostname,
    mechanisms,
    secure: given.secure ?? false,
    startTls: given.startTls ?? false,
    allowPlaintext: given.allowPlaintext ?? false,
    limits: resolveLimits(pop3ServerLimits, given.limits),
    wireLog: given.wireLog ?? null,
  }
}
