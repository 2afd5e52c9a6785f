import type { Reply } from '../../interfaces/index.js'

/** What a server offered in its last EHLO or LHLO; nothing after HELO. */
export interface SmtpExtensions {
  /** Every keyword in capitals, with its parameters as sent. */
  readonly keywords: ReadonlyMap<string, string>
  /** RFC 2920. */
  readonly pipelining: boolean
  /** RFC 1870: octets of the largest message, Infinity where no limit is told; null where SIZE is not offered. */
  readonly size: number | null
  /** RFC 6152. */
  readonly eightBitMime: boolean
  /** RFC 6531. */
  readonly smtpUtf8: boolean
  /** RFC 3030. */
  readonly chunking: boolean
  /** RFC 3030. */
  readonly binaryMime: boolean
  /** RFC 3461. */
  readonly dsn: boolean
  /** RFC 8689. */
  readonly requireTls: boolean
  /** RFC 3207. */
  readonly startTls: boolean
  /** RFC 4954, in capitals, in the server's order. */
  readonly mechanisms: readonly string[]
}

/** A keyword and its parameters; `AUTH=PLAIN LOGIN` is how some old servers still write it. */
const LINE = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =](.*))?$/

/**
 * Reads the reply to EHLO. A line that is no keyword is passed over.
 *
 *     ehlo-line    = ehlo-keyword *( SP ehlo-param )      ; RFC 5321 section 4.1.1.1
 */
export function readExtensions(reply: Reply | null): SmtpExtensions {
  const keywords = new Map<string, string>()
  for (const line of reply?.lines.slice(1) ?? []) {
    const [, keyword, parameters = ''] = LINE.exec(line.trimEnd()) ?? []
    if (keyword === undefined) continue
    const name = keyword.toUpperCase()
    const known = keywords.get(name)
    keywords.set(name, known === undefined ? parameters.trim() : `${known} ${parameters.trim()}`)
  }
  const size = keywords.get('SIZE')
  const limit = Number(size?.split(' ')[0])
  return {
    keywords,
    pipelining: keywords.has('PIPELINING'),
    size: size === undefined ? null : limit > 0 ? limit : Number.POSITIVE_INFINITY,
    eightBitMime: keywords.has('8BITMIME'),
    smtpUtf8: keywords.has('SMTPUTF8'),
    chunking: keywords.has('CHUNKING'),
    binaryMime: keywords.has('BINARYMIME'),
    dsn: keywords.has('DSN'),
    requireTls: keywords.has('REQUIRETLS'),
    startTls: keywords.has('STARTTLS'),
    mechanisms: (keywords.get('AUTH') ?? '').toUpperCase().split(' ').filter(Boolean),
  }
}
