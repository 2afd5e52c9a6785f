import { CR, CRLF, DOT, LF } from './bytes.js'
import { checkLines, LINE_CHECK_OCTETS } from './line-check.js'

const DOT_ONLY: Uint8Array = Buffer.from('.', 'latin1')
const FINAL: Uint8Array = Buffer.from('.\r\n', 'latin1')
/** Fewer octets than this are not worth more than a look line by line. */
const FEW = 256

/**
 * Writes octets as dot-stuffed lines. Bare CR and bare LF become CRLF, so that no reader can take anything inside
 * for the end of the data, however it reads line ends. With `stuffed` false only the line ends are made CRLF, for
 * what is counted (BDAT, APPEND).
 */
export class DotWriter {
  readonly #stuffed: boolean
  #lineStart: boolean
  #lastCr: boolean

  constructor(options: { readonly stuffed?: boolean } = {}) {
    this.#stuffed = options.stuffed ?? true
    this.#lineStart = true
    this.#lastCr = false
  }

  /** The chunk, stuffed: views of it with what had to be put between. Every reader sees CRLF line ends only. */
  write(chunk: Buffer): Uint8Array[] {
    const out: Uint8Array[] = []
    const total = chunk.length
    let from = 0
    let at = 0
    if (total === 0) return out
    if (this.#isProper(chunk)) {
      this.#lineStart = chunk[total - 1] === LF
      return [chunk]
    }
    if (this.#lastCr) {
      this.#lastCr = false
      out.push(CRLF)
      this.#lineStart = true
      if (chunk[0] === LF) {
        at = 1
        from = 1
      }
    }
    let nextCr = -1
    while (at < total) {
      if (this.#lineStart) {
        this.#lineStart = false
        if (this.#stuffed && chunk[at] === DOT) {
          if (at > from) out.push(chunk.subarray(from, at))
          out.push(DOT_ONLY)
          from = at
        }
      }
      const lf = chunk.indexOf(LF, at)
      const stop = lf === -1 ? total : lf
      if (nextCr < at) {
        nextCr = chunk.indexOf(CR, at)
        if (nextCr === -1) nextCr = total
      }
      if (nextCr < stop && (nextCr < stop - 1 || lf === -1)) {
        if (nextCr > from) out.push(chunk.subarray(from, nextCr))
        at = nextCr + 1
        from = at
        if (at === total) {
          this.#lastCr = true
        } else {
          out.push(CRLF)
          this.#lineStart = true
        }
        continue
      }
      if (lf === -1) {
        at = total
      } else {
        if (nextCr !== lf - 1) {
          if (lf > from) out.push(chunk.subarray(from, lf))
          out.push(CRLF)
          from = lf + 1
        }
        at = lf + 1
        this.#lineStart = true
      }
    }
    if (total > from) out.push(chunk.subarray(from, total))
    return out
  }

  /** The chunk needs nothing put between, nor is anything of it held back. */
  #isProper(chunk: Buffer): boolean {
    if (chunk.length < FEW || this.#lastCr || chunk[chunk.length - 1] === CR) return false
    let before = this.#lineStart ? LF : DOT
    for (let at = 0; at < chunk.length; at += LINE_CHECK_OCTETS) {
      const octets = chunk.subarray(at, at + LINE_CHECK_OCTETS)
      if (checkLines(octets, before) !== 'clean') return false
      before = octets[octets.length - 1] as number
    }
    return true
  }

  /** The end of the data: the last line's CRLF where it lacks one, and the final dot line where there is stuffing. */
  end(): Uint8Array[] {
    const out: Uint8Array[] = []
    if (this.#lastCr || !this.#lineStart) out.push(CRLF)
    if (this.#stuffed) out.push(FINAL)
    this.#lineStart = true
    this.#lastCr = false
    return out
  }
}
