import { randomUUID } from 'node:crypto'
import { asBuffer, CRLF, EMPTY, LF, toLatin1 } from '../../core/bytes.js'
import { formatDate } from '../../mime/date.js'

const CR = 0x0d
/** A field name and what follows it; octets above 126 are no mistake that ends a header. */
const NAME = /^([^\x00-\x20:\x7f]+)([ \t]*)(:?)/
const BLIND = /^(?:resent-)?bcc$/
/** The line that an mbox file puts before each message. */
const MBOX = /^>?From$/
/** Nothing but blanks and folds, and then another line; or something else. */
const EMPTY_VALUE = /^(?:[ \t]|\r?\n[ \t])*\r?\n[^ \t]/
const VALUE = /^(?:[ \t]|\r?\n[ \t])*(?:[^ \t\r\n]|\r[^\n])/
/** Octets that tell what a field is: those of the longest line of RFC 5322, within which its name ends. */
const KEPT = 1000

/** What becomes of a line: it goes on, it is dropped, it ends the header, or more of it must be seen. */
type Verdict = 'keep' | 'drop' | 'end' | 'more'

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
 * Message-ID and From where they are missing or empty, and takes Bcc and Resent-Bcc out (RFC 5322 section 3.6.3), so that
 * nobody learns of blind recipients. What an mbox file puts before a message is dropped. A line that is no field ends
 * the header, and an empty line is put before it, so that every reader takes what follows for the body. Nothing else
 * changes; the body passes untouched, and no more than the beginning of a field is held. Lines end with LF: a CR alone
 * reaches a delivery in BINARYMIME only, and there it is a mistake of the client's that stays one.
 */
export class SubmissionHeader {
  readonly #facts: SubmissionFacts
  readonly #seen: Set<string>
  /** The beginning of a field that does not tell yet what it is. */
  #held: Buffer
  /** Within a line: it goes on, or it is dropped. */
  #line: 'start' | 'keep' | 'drop'
  /** The field that a folded line would belong to; null before the first. */
  #field: 'keep' | 'drop' | null
  #ended: boolean

  constructor(facts: SubmissionFacts) {
    this.#facts = facts
    this.#seen = new Set()
    this.#held = EMPTY
    this.#line = 'start'
    this.#field = null
    this.#ended = false
  }

  /** The octets that go on in place of the chunk: views of it, but for a field's beginning that a chunk broke. */
  write(chunk: Uint8Array): readonly Uint8Array[] {
    if (this.#ended) return [chunk]
    const octets = this.#held.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#held, chunk])
    this.#held = EMPTY
    return this.#pass(octets, false)
  }

  /** What is left at the end of the message, which may have no body. */
  end(): readonly Uint8Array[] {
    if (this.#ended) return []
    const held = this.#held
    this.#held = EMPTY
    const out = this.#pass(held, true)
    if (this.#ended) return out
    this.#ended = true
    const missing = this.#missing()
    const broken = this.#line === 'keep' && missing.length > 0
    return [...out, broken ? CRLF : EMPTY, missing].filter((piece) => piece.length > 0)
  }

  /** `last`: nothing follows, so that every line can be judged. */
  #pass(octets: Buffer, last: boolean): readonly Uint8Array[] {
    const out: Uint8Array[] = []
    let from = 0
    let at = 0
    while (at < octets.length) {
      if (this.#line === 'start') {
        const verdict = this.#judge(toLatin1(octets, at, Math.min(octets.length, at + KEPT)), last)
        if (verdict === 'more') {
          this.#held = Buffer.from(octets.subarray(at))
          break
        }
        if (verdict === 'end') {
          const empty = octets[at] === LF || (octets[at] === CR && octets[at + 1] === LF)
          out.push(octets.subarray(from, at), this.#missing(), empty ? EMPTY : CRLF, octets.subarray(at))
          this.#ended = true
          return out.filter((piece) => piece.length > 0)
        }
        this.#line = verdict
      }
      const lf = octets.indexOf(LF, at)
      const end = lf === -1 ? octets.length : lf + 1
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

  /** Decides on the line that `text` begins with. */
  #judge(text: string, last: boolean): Verdict {
    const more = !last && text.length < KEPT
    if (more && (text === '' || text === '\r')) return 'more'
    if (text.startsWith('\n') || text.startsWith('\r\n')) return 'end'
    if (text.startsWith(' ') || text.startsWith('\t')) return this.#field ?? 'end'
    const [whole = '', name = '', blanks = '', colon = ''] = NAME.exec(text) ?? []
    const rest = text.slice(whole.length)
    // The colon may be still to come.
    if (colon === '' && more && (rest === '' || rest === '\r')) return 'more'
    const kind = name.toLowerCase()
    // A Bcc without a colon, or with one too far away or in its folded line, is a Bcc to somebody.
    if (BLIND.test(kind) && (colon !== '' || /^\r?(?:\n|$)/.test(rest))) return this.#begin('other', 'drop')
    if (colon === '') return this.#field === null && blanks !== '' && MBOX.test(name) ? 'drop' : 'end'
    if (kind !== 'date' && kind !== 'from' && kind !== 'message-id') return this.#begin('other', 'keep')
    if (VALUE.test(rest)) return this.#begin(kind, 'keep')
    if (EMPTY_VALUE.test(rest) || last) return this.#begin('other', 'drop')
    return more ? 'more' : this.#begin(kind, 'keep')
  }

  #begin(kind: string, verdict: 'keep' | 'drop'): Verdict {
    this.#seen.add(kind)
    this.#field = verdict
    return verdict
  }

  /** The fields that are missing. */
  #missing(): Buffer {
    const { from, hostname, now } = this.#facts
    const seen = this.#seen
    const fields = [
      ...(seen.has('date') ? [] : [`Date: ${formatDate(now)}\r\n`]),
      ...(seen.has('from') || from === '' ? [] : [`From: <${from}>\r\n`]),
      ...(seen.has('message-id') ? [] : [`Message-ID: <${randomUUID()}@${hostname}>\r\n`]),
    ]
    return Buffer.from(fields.join(''))
  }
}
