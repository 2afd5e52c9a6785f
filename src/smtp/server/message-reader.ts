import { asBuffer } from '../../core/bytes.js'
import { DotReader } from '../../core/dot-reader.js'
import type { Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import { HeaderScanner } from './header-scanner.js'
import { LineEnds } from './line-ends.js'
import type { ResolvedSmtpServerOptions } from './options.js'

const BARE_LF = reply(550, '5.6.0', 'Message holds a line feed without carriage return')
const BARE_CR = reply(550, '5.6.0', 'Message holds a carriage return without line feed')
const NUL = reply(550, '5.6.0', 'Message holds a NUL octet')
const TOO_LARGE = reply(552, '5.3.4', 'Message is larger than the limit')
const HEADER_TOO_LARGE = reply(552, '5.3.4', 'Message header is larger than the limit')
const LOOP = reply(554, '5.4.6', 'Too many Received fields: mail loop')
const LONG_LINE = reply(554, '5.6.0', 'Message holds a line longer than the limit')

/** How a message comes: after DATA in lines with dots, by BDAT as it is, or by BDAT and of no lines at all. */
export type MessageForm = 'dots' | 'chunks' | 'binary'

/** Reads one message: undoes dot-stuffing, counts, and holds the message to the rules of the options. */
export class MessageReader {
  /** Octets so far, dots removed and line ends included (RFC 1870 section 5). */
  size: number
  readonly #dots: DotReader
  readonly #header: HeaderScanner
  readonly #lineEnds: LineEnds | null
  readonly #binary: boolean
  readonly #options: ResolvedSmtpServerOptions

  constructor(options: ResolvedSmtpServerOptions, form: MessageForm) {
    this.size = 0
    this.#dots = new DotReader({ stuffed: form === 'dots', longestLine: options.limits.lineOctets })
    this.#header = new HeaderScanner()
    this.#binary = form === 'binary'
    this.#lineEnds = !this.#binary && options.bareLineEnds === 'normalize' ? new LineEnds() : null
    this.#options = options
  }

  /** True once CRLF `.` CRLF is read. */
  get ended(): boolean {
    return this.#dots.ended
  }

  /** The last chunk is read. */
  end(): void {
    this.#dots.finish()
  }

  /** Takes `used` octets of the chunk, which are `body` of the message; that may be nothing yet. */
  read(chunk: Buffer): { readonly body: Uint8Array; readonly used: number } {
    const read = this.#dots.read(chunk)
    this.size += read.body.length
    if (!this.#header.ended) this.#header.read(asBuffer(read.body))
    if (this.#lineEnds === null) return read
    return { body: this.#lineEnds.write(asBuffer(read.body)), used: read.used }
  }

  /**
   * What rule the octets so far break, or null. At the end of a message it does not depend on how the octets were cut
   * into chunks: everything is counted to the end, and the order here decides.
   */
  get violation(): Reply | null {
    const limits = this.#options.limits
    const dots = this.#dots
    const header = this.#header
    if (this.#lineEnds === null && !this.#binary) {
      if (dots.bareLf) return BARE_LF
      if (dots.bareCr) return BARE_CR
    }
    if (dots.nul && !this.#options.allowNul && !this.#binary) return NUL
    if (this.size > this.#options.maxMessageSize) return TOO_LARGE
    if (header.octets > limits.headerOctets || header.fields > limits.headerFields) return HEADER_TOO_LARGE
    if (header.receivedFields > limits.receivedFields) return LOOP
    if (dots.longLine && !this.#binary) return LONG_LINE
    return null
  }
}
