import { toLatin1, toUtf8 } from '../../core/bytes.js'
import { PeerError } from '../../core/errors.js'
import type { InputQueue } from '../../core/input-queue.js'
import { escapeControls } from '../../core/wire-log.js'
import type { Reply } from '../../interfaces/index.js'
import type { SmtpClientLimits } from './options.js'

const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/
const ENHANCED = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/
const BEYOND_ASCII = /[\x80-\xff]/
const CR = 0x0d

/**
 * Reads replies, one line at a time. A bare LF ends a line as CRLF does: what a server says can split nothing here.
 *
 *     Reply-line     = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
 *     Reply-code     = %x32-35 %x30-35 %x30-39        ; RFC 5321 section 4.2
 */
export class ReplyReader {
  readonly #limits: SmtpClientLimits
  #code: number
  #enhanced: string
  #lines: string[]

  constructor(limits: SmtpClientLimits) {
    this.#limits = limits
    this.#code = 0
    this.#enhanced = ''
    this.#lines = []
  }

  /** The next reply, null while it is not complete, or how it breaks the protocol. */
  read(input: InputQueue): Reply | PeerError | null {
    for (;;) {
      const line = input.takeLine(this.#limits.replyOctets)
      if (line === null) return null
      if (line === 'too-long') {
        return new PeerError('REPLY_TOO_LONG', `a line of a reply is over ${this.#limits.replyOctets} octets`)
      }
      let end = line.length - 1
      while (end > 0 && line[end - 1] === CR) end--
      const last = this.#add(toLatin1(line, 0, end), line.subarray(0, end))
      if (last instanceof PeerError) return last
      if (last) return this.#complete()
    }
  }

  /** True when the line was the reply's last. */
  #add(text: string, octets: Buffer): boolean | PeerError {
    const match = LINE.exec(text)
    if (match === null) {
      return new PeerError('REPLY', `this is no reply: ${escapeControls(text.slice(0, 80))}`)
    }
    const code = Number(match[1])
    if (this.#lines.length === 0) this.#code = code
    else if (code !== this.#code) {
      return new PeerError('REPLY', `the lines of a reply differ in their code: ${this.#code} and ${code}`)
    }
    if (this.#lines.length === this.#limits.replyLines) {
      return new PeerError('REPLY_TOO_LONG', `a reply has more than ${this.#limits.replyLines} lines`)
    }
    let said = match[3] ?? ''
    if (BEYOND_ASCII.test(said)) said = toUtf8(octets, 4, octets.length)
    const enhanced = ENHANCED.exec(said)
    if (enhanced !== null && said.charCodeAt(0) === 48 + Math.floor(code / 100)) {
      this.#enhanced = enhanced[1] as string
      said = said.slice(enhanced[0].length)
    }
    this.#lines.push(escapeControls(said))
    return match[2] !== '-'
  }

  #complete(): Reply {
    const reply: Reply = { code: this.#code, enhanced: this.#enhanced, lines: this.#lines }
    this.#lines = []
    this.#enhanced = ''
    return reply
  }
}
