import { LF, toLatin1 } from '../../core/bytes.js'

const SPACE = 0x20
const TAB = 0x09
const COLON = 0x3a
const CR = 0x0d
const RECEIVED = /^received[ \t]*:/i
const KEPT = 16

/**
 * Counts what a message's header holds while it passes, without keeping it. The header ends at the first empty line
 * or at the first line that is no field (RFC 5322 section 2.2).
 */
export class HeaderScanner {
  /** Octets of the header so far. */
  octets: number
  fields: number
  receivedFields: number
  ended: boolean
  /** The beginning of a line that a chunk broke, latin1, at most `KEPT` characters. */
  #start: string
  #lineLength: number
  #colon: boolean

  constructor() {
    this.octets = 0
    this.fields = 0
    this.receivedFields = 0
    this.ended = false
    this.#start = ''
    this.#lineLength = 0
    this.#colon = false
  }

  /** Reads on; `chunk` follows the one before without a gap. Looks at nothing once the header has ended. */
  read(chunk: Buffer): void {
    let at = 0
    let colon = -1
    while (!this.ended && at < chunk.length) {
      const lf = chunk.indexOf(LF, at)
      const stop = lf === -1 ? chunk.length : lf
      if (!this.#colon) {
        if (colon < at) {
          colon = chunk.indexOf(COLON, at)
          if (colon === -1) colon = chunk.length
        }
        this.#colon = colon < stop
      }
      if (this.#start.length < KEPT) {
        this.#start += toLatin1(chunk, at, Math.min(stop, at + KEPT - this.#start.length))
      }
      this.#lineLength += stop - at
      this.octets += stop - at + (lf === -1 ? 0 : 1)
      if (lf === -1) return
      this.#line()
      at = lf + 1
    }
  }

  #line(): void {
    const first = this.#start.charCodeAt(0)
    const empty = this.#lineLength === 0 || (this.#lineLength === 1 && first === CR)
    const folded = first === SPACE || first === TAB
    if (empty || !(folded ? this.fields > 0 : this.#colon)) {
      this.ended = true
    } else if (!folded) {
      this.fields++
      if (RECEIVED.test(this.#start)) this.receivedFields++
    }
    this.#start = ''
    this.#lineLength = 0
    this.#colon = false
  }
}
