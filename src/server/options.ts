import { hostname as machineName } from 'node:os'
import { type ThrottleLimits, throttleLimits } from '../auth/index.js'
import type { LimitRule, WireLog } from '../core/index.js'
import { canonicalAddress, canonicalDomain, resolveLimits } from '../core/index.js'
import { type ImapLimits, imapLimitRules } from '../imap/index.js'
import type { Authenticator, Clock, Delivery, Logger, MailStore, Policy } from '../interfaces/index.js'
import { AddressList } from '../net/index.js'
import { type Pop3ServerLimits, pop3ServerLimits } from '../pop3/index.js'
import { type SmtpServerLimits, smtpServerLimits } from '../smtp/index.js'
import type { CertificatePair } from '../tls/index.js'
import {
  aFunction,
  byPrefix,
  type Check,
  choice,
  configError,
  list,
  object,
  oneOrMore,
  plugin,
  record,
  text,
  trustedList,
  whole,
  yesOrNo,
} from './check.js'
import { type ListenAddress, parseListenAddress } from './listen-address.js'

/** What a listener speaks. The names that end in s have TLS from the first octet (RFC 8314), the others STARTTLS. */
export type ListenerName =
  | 'smtp'
  | 'lmtp'
  | 'submission'
  | 'submissions'
  | 'pop3'
  | 'pop3s'
  | 'imap'
  | 'imaps'

export const listenerNames: readonly ListenerName[] = [
  'smtp',
  'lmtp',
  'submission',
  'submissions',
  'pop3',
  'pop3s',
  'imap',
  'imaps',
]

/** A user with mail here; `passwordHash` is what `mailwright user hash` prints. */
export type UserOptions = { readonly password: string } | { readonly passwordHash: string }

export interface DomainOptions {
  /** By local part. */
  readonly users?: Readonly<Record<string, UserOptions>>
  /** From a local part to one or several full addresses of local domains. */
  readonly aliases?: Readonly<Record<string, string | readonly string[]>>
  /** The full address that gets what is addressed to nobody here; without it such mail is refused. */
  readonly catchAll?: string
}

/** The limits that differ from their defaults; docs/configuration.md lists them all. */
export interface LimitOptions {
  readonly smtp?: Partial<SmtpServerLimits>
  readonly pop3?: Partial<Pop3ServerLimits>
  readonly imap?: Partial<ImapLimits>
  /** What failed logins cost whoever tries them. */
  readonly logins?: Partial<ThrottleLimits>
  /** Connections at the same time from one address (IPv6: one /64), its /26 (/48) and its /21 (/32); 30, 90, 270. */
  readonly connections?: readonly [number, number, number]
  /** New connections a minute from the same; without limit by default. */
  readonly connectionsPerMinute?: readonly [number, number, number]
}

/** What the SMTP listeners do beside their limits. */
export interface SmtpOptions {
  /** Milliseconds that `smtp` holds its greeting back, to find clients that talk first; 0 by default. */
  readonly greetingDelay?: number
  /** Milliseconds that a refusal is held back after `limits.smtp.softErrors`; 0, for never, by default. */
  readonly tarpit?: number
  /** On submission: the sender must be the user's own address or an alias that leads to him; true by default. */
  readonly checkSender?: boolean
  /** On submission: Date, Message-ID and From are added where missing or empty, and Bcc is taken out; true by default. */
  readonly mendHeader?: boolean
  /** A bare CR or LF in a message: `refuse`, the default, answers 550 after its end, `normalize` makes it CRLF. */
  readonly bareLineEnds?: 'refuse' | 'normalize'
  /** Takes NUL in a message; such a message is refused by default. */
  readonly allowNul?: boolean
  /** Takes a space after `FROM:` or `TO:`, paths without angle brackets and underscores in domains; false by default. */
  readonly lenient?: boolean
  /** Addresses and networks of proxies that may say by XCLIENT and XFORWARD for whom they speak; none by default. */
  readonly xclient?: readonly string[]
}

/** Everything a mail server can be told. All but what a host plugs in may stand in the configuration file. */
export interface MailServerOptions {
  /** The name in greetings and Received fields; the machine's by default. */
  readonly hostname?: string
  /** The folder of the embedded database; without it, and without `store`, mail is kept in memory. */
  readonly data?: string
  /** Which listeners to have and where, as in `"imap": "127.0.0.1:2143"`; port 0 picks a free one. */
  readonly listen: Readonly<Partial<Record<ListenerName, string>>>
  /**
   * Certificates: PEM texts, or the names of PEM files. The first is for clients that ask for no name. Without it a
   * self-signed certificate is made for development, and kept in the data folder; `false` is for no TLS at all.
   */
  readonly tls?: CertificatePair | readonly CertificatePair[] | false
  /** The domains that are local, by name. */
  readonly domains?: Readonly<Record<string, DomainOptions>>
  /** The full address that gets mail for postmaster; the first user of each domain by default. */
  readonly postmaster?: string
  /** Where passwords are taken without TLS: from loopback by default. */
  readonly plaintextLogin?: 'loopback' | 'always' | 'never'
  /** Octets of the largest message; 52,428,800 by default. */
  readonly maxMessageSize?: number
  /** Connections at the same time from everywhere; 10,000 by default. */
  readonly maxConnections?: number
  readonly limits?: LimitOptions
  readonly smtp?: SmtpOptions
  /**
   * Listeners that stand behind a proxy which speaks the PROXY protocol, each with the proxies' addresses and networks.
   * Such a listener closes every connection from elsewhere, and every one without a good header.
   */
  readonly proxy?: Readonly<Partial<Record<ListenerName, readonly string[]>>>
  /** Milliseconds that sessions have to finish when the server stops; 10,000 by default. */
  readonly shutdownTimeout?: number
  /** Instead of the embedded database. It is the host's to close. */
  readonly store?: MailStore
  /** Instead of the users of `domains`; addresses that take mail still follow from `domains`. */
  readonly authenticator?: Authenticator
  /** Instead of local delivery to the users and aliases of `domains`. */
  readonly delivery?: Delivery
  readonly policy?: Policy
  readonly logger?: Logger
  readonly clock?: Clock
  /** Asked for each session: a record of its wire traffic, or null for none. */
  readonly wireLog?: (session: SessionLabel) => WireLog | null
}

/** Which session a wire log is for. */
export interface SessionLabel {
  readonly id: string
  readonly listener: ListenerName
  readonly remoteAddress: string
}

const certificate = object(
  {
    cert: text('a PEM certificate or the name of its file'),
    key: text('a PEM private key or the name of its file'),
  },
  ['cert', 'key'],
)

const listenAddress = text(
  'host:port, for example "127.0.0.1:2525" or "[::1]:2525"',
  (value) => parseListenAddress(value) !== null,
)
const domainName = text(
  'a domain name, for example "example.test"',
  (value) => canonicalDomain(value) !== null,
)
const fullAddress = text(
  'a full address, for example "alice@example.test"',
  (value) => canonicalAddress(value) !== null,
)
const localPart = text(
  'the part of an address before the @, for example "alice"',
  (value) => !value.includes('@') && canonicalAddress(`${value}@example.test`) !== null,
)

const secrets = object({ password: text('a password'), passwordHash: text('a password hash') })

const user = (value: unknown, key: string): void => {
  secrets(value, key)
  const { password, passwordHash } = value as { password?: string; passwordHash?: string }
  if ((password === undefined) === (passwordHash === undefined)) {
    throw configError(key, 'needs either "password" or "passwordHash"')
  }
}

/** Numbers by the names of these rules. */
function limits(rules: Readonly<Record<string, LimitRule>>): Check {
  return (value, key) => {
    if (typeof value !== 'object' || value === null)
      throw configError(key, 'must be an object of numbers by name')
    try {
      resolveLimits(rules, value as Readonly<Record<string, number>>)
    } catch (error) {
      throw configError(key, (error as Error).message)
    }
  }
}

const addresses = trustedList(
  text('an IP address, a network as in "192.0.2.0/24", or "loopback"', (value) => {
    try {
      return new AddressList([value]) !== null
    } catch {
      return false
    }
  }),
)

const options = object(
  {
    hostname: text('a host name', (value) => canonicalDomain(value) !== null),
    data: text('the name of a folder'),
    listen: object(Object.fromEntries(listenerNames.map((name) => [name, listenAddress]))),
    tls: (value, key) => (value === false ? undefined : oneOrMore(certificate)(value, key)),
    domains: record(
      domainName,
      object({
        users: record(localPart, user),
        aliases: record(localPart, (value, key) => {
          if (Array.isArray(value) && value.length === 0)
            throw configError(key, 'must name at least one address')
          if (Array.isArray(value)) list(fullAddress)(value, key)
          else fullAddress(value, key)
        }),
        catchAll: fullAddress,
      }),
    ),
    postmaster: fullAddress,
    plaintextLogin: choice('loopback', 'always', 'never'),
    maxMessageSize: whole(1024, 2 ** 32),
    maxConnections: whole(1, 1_000_000),
    limits: object({
      smtp: limits(smtpServerLimits),
      pop3: limits(pop3ServerLimits),
      imap: limits(imapLimitRules),
      logins: limits(throttleLimits),
      connections: byPrefix(whole(1, 1_000_000)),
      connectionsPerMinute: byPrefix(whole(1, 1_000_000)),
    }),
    smtp: object({
      greetingDelay: whole(0, 60_000),
      tarpit: whole(0, 60_000),
      checkSender: yesOrNo,
      mendHeader: yesOrNo,
      bareLineEnds: choice('refuse', 'normalize'),
      allowNul: yesOrNo,
      lenient: yesOrNo,
      xclient: addresses,
    }),
    proxy: (value, key) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        const example = '{ "smtp": ["192.0.2.1"] }'
        throw configError(
          key,
          `must name listeners, each with the addresses of its proxies, as in ${example}`,
        )
      }
      object(Object.fromEntries(listenerNames.map((name) => [name, addresses])))(value, key)
    },
    shutdownTimeout: whole(0, 3_600_000),
    store: plugin('a MailStore', 'open', 'stage', 'apply'),
    authenticator: plugin('an Authenticator'),
    delivery: plugin('a Delivery', 'begin'),
    policy: plugin('a Policy'),
    logger: plugin('a Logger', 'log'),
    clock: plugin('a Clock', 'now', 'sleep'),
    wireLog: aFunction,
  },
  ['listen'],
)

/** Throws UsageError `CONFIG` that names the setting and the mend. */
export function checkOptions(value: unknown): asserts value is MailServerOptions {
  options(value, '')
  const given = value as MailServerOptions
  if (Object.keys(given.listen).length === 0) {
    throw configError('listen', `names no listener; write at least one of ${listenerNames.join(', ')}`)
  }
  if (given.listen.lmtp !== undefined && parseListenAddress(given.listen.lmtp)?.port === 25) {
    throw configError(
      'listen.lmtp',
      'must not be on port 25, which is for SMTP (RFC 2033 section 5); choose another',
    )
  }
  if (given.delivery === undefined && Object.keys(given.domains ?? {}).length === 0) {
    throw configError('domains', 'is missing: write the domains to take mail for, each with its users')
  }
}

/** The listeners asked for, in the order of `listenerNames`. */
export function listenAddresses(
  given: MailServerOptions,
): readonly { readonly name: ListenerName; readonly address: ListenAddress }[] {
  return listenerNames.flatMap((name) => {
    const value = given.listen[name]
    const address = value === undefined ? null : parseListenAddress(value)
    return address === null ? [] : [{ name, address }]
  })
}

/** The host name to go by: what is configured, else the machine's, else `localhost`. */
export function hostnameOf(given: MailServerOptions): string {
  return given.hostname ?? canonicalDomain(machineName()) ?? 'localhost'
}
