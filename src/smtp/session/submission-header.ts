import { randomUUID } from 'node:crypto'
import { asBuffer, CRLF, EMPTY, LF, toLatin1 } from '../../core/bytes.js'
import { formatDate } from '../../mime/date.js'

const CR = 0x0d
const BCC = /^(?:resent-)?bcc[ \t]*:/i
const NAME = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:/
/** Octets that tell which field a line begins: the longest name looked for, with blanks before its colon. */
const KEPT = 64

/** What is added to a message that lacks it. */
export interface SubmissionFacts {
  /** An address for From. */
  readonly from: string
  /** A domain for Message-ID. */
  readonly hostname: string
  /** Milliseconds since 1970, for Date. */
  readonly now: number
}

/**
 * Mends the header of a submitted message as RFC 6409 section 8 lets a submission server do, while it passes: adds Date,
 * Message-ID and From where they are missing, and takes Bcc out (RFC 5322 section 3.6.3), so that nobody learns of blind
 * recipients. Nothing else changes; the body passes untouched, and no more than the beginning of a line is held.
 */
export class SubmissionHeader {
  readonly #facts: SubmissionFacts
  readonly #seen: Set<string>
  /** The beginning of a line that does not tell yet which field it is. */
  #held: Buffer
  /** Within a line: it goes on, or it is dropped. */
  #line: 'start' | 'keep' | 'drop'
  /** The field that a folded line would belong to is dropped. */
  #dropping: boolean
  #ended: boolean

  constructor(facts: SubmissionFacts) {
    this.#facts = facts
    this.#seen = new Set()
    this.#held = EMPTY
    this.#line = 'start'
    this.#dropping = false
    this.#ended = false
  }

  /** The octets that go on in place of the chunk: views of it, but for a line's beginning that a chunk broke. */
  write(chunk: Uint8Array): readonly Uint8Array[] {
    if (this.#ended) return [chunk]
    const octets = this.#held.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#held, chunk])
    this.#held = EMPTY
    const out: Uint8Array[] = []
    let from = 0
    let at = 0
    while (at < octets.length) {
      const lf = octets.indexOf(LF, at)
      const end = lf === -1 ? octets.length : lf + 1
      if (this.#line === 'start') {
        if (lf === -1 && end - at < KEPT) {
          if (at > from) out.push(octets.subarray(from, at))
          this.#held = Buffer.from(octets.subarray(at))
          return out
        }
        const ends = this.#begin(octets, at, end)
        if (ends) {
          if (at > from) out.push(octets.subarray(from, at))
          out.push(this.#missing(octets[at] === CR || octets[at] === LF), octets.subarray(at))
          this.#ended = true
          return out.filter((piece) => piece.length > 0)
        }
      }
      if (this.#line === 'drop') {
        if (at > from) out.push(octets.subarray(from, at))
        from = end
      }
      if (lf !== -1) this.#line = 'start'
      at = end
    }
    if (at > from) out.push(octets.subarray(from, at))
    return out
  }

  /** What is left at the end of the message, which may have no body. */
  end(): readonly Uint8Array[] {
    if (this.#ended) return []
    this.#ended = true
    const held = this.#held
    if (held.length > 0 && this.#begin(held, 0, held.length)) {
      return [this.#missing(held[0] === CR || held[0] === LF), held].filter((piece) => piece.length > 0)
    }
    const missing = this.#missing(true)
    const broken = this.#line === 'keep' && missing.length > 0
    const kept = this.#line === 'drop' ? EMPTY : held
    return [kept, broken ? CRLF : EMPTY, missing].filter((piece) => piece.length > 0)
  }

  /** Decides on the line that begins here; true where it ends the header: it is empty, or no field. */
  #begin(octets: Buffer, at: number, end: number): boolean {
    const first = octets[at]
    const empty = first === LF || (first === CR && octets[at + 1] === LF)
    if (empty) return true
    if (first === 0x20 || first === 0x09) {
      if (this.#seen.size === 0) return true
      this.#line = this.#dropping ? 'drop' : 'keep'
      return false
    }
    const beginning = toLatin1(octets, at, Math.min(end, at + KEPT))
    const name = NAME.exec(beginning)?.[1]?.toLowerCase()
    if (name === undefined && (beginning.length < KEPT || /[\r\n ]/.test(beginning))) return true
    this.#seen.add(name === 'date' || name === 'from' || name === 'message-id' ? name : 'other')
    this.#dropping = BCC.test(beginning)
    this.#line = this.#dropping ? 'drop' : 'keep'
    return false
  }

  /** The fields that are missing; with an empty line behind them where the message has none of its own. */
  #missing(emptyLineFollows: boolean): Buffer {
    const { from, hostname, now } = this.#facts
    const seen = this.#seen
    const fields = [
      ...(seen.has('date') ? [] : [`Date: ${formatDate(now)}\r\n`]),
      ...(seen.has('from') || from === '' ? [] : [`From: <${from}>\r\n`]),
      ...(seen.has('message-id') ? [] : [`Message-ID: <${randomUUID()}@${hostname}>\r\n`]),
    ]
    return Buffer.from(`${fields.join('')}${emptyLineFollows || fields.length === 0 ? '' : '\r\n'}`)
  }
}
