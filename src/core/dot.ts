import { CR, CRLF, DOT, EMPTY, LF } from './bytes.js'

const DOT_ONLY: Uint8Array = Buffer.from('.', 'latin1')
const FINAL: Uint8Array = Buffer.from('.\r\n', 'latin1')

type DotState = 'lineStart' | 'dot' | 'dotCr' | 'text' | 'end'

/**
 * Undoes dot-stuffing (RFC 5321 section 4.5.2) on octets that come in chunks, and finds the end of the data: CRLF
 * `.` CRLF and nothing else. Bare CR, bare LF and NUL are noticed, never taken for a line end.
 */
export class DotReader {
  /** An LF without CR before it was seen. */
  bareLf: boolean
  /** A CR without LF after it was seen. */
  bareCr: boolean
  nul: boolean
  /** Octets of the longest line so far, its CRLF not counted. */
  longestLine: number
  #state: DotState
  #lastCr: boolean
  #line: number

  constructor() {
    this.bareLf = false
    this.bareCr = false
    this.nul = false
    this.longestLine = 0
    this.#state = 'lineStart'
    this.#lastCr = false
    this.#line = 0
  }

  /** True once the final dot line is read; octets after it are not touched. */
  get ended(): boolean {
    return this.#state === 'end'
  }

  /**
   * Reads `chunk` up to the end of the data or of the chunk: `used` octets of it, which are `body` once unstuffed.
   * The body is a view of the chunk where no dot had to go, else one copy.
   */
  read(chunk: Buffer): { readonly body: Uint8Array; readonly used: number } {
    let copy: Buffer | null = null
    let length = 0
    let from = 0
    let at = 0
    const total = chunk.length
    const nulAt = this.nul ? -1 : chunk.indexOf(0)
    const keep = (start: number, end: number): void => {
      if (end <= start) return
      copy ??= Buffer.allocUnsafe(total + 1)
      length += chunk.copy(copy, length, start, end)
    }
    let nextCr = -1
    while (at < total && this.#state !== 'end') {
      switch (this.#state) {
        case 'lineStart':
          this.#line = 0
          this.#lastCr = false
          if (chunk[at] === DOT) {
            keep(from, at)
            copy ??= Buffer.allocUnsafe(total + 1)
            at++
            from = at
            this.#state = 'dot'
          } else {
            this.#state = 'text'
          }
          break
        case 'dot':
          if (chunk[at] === CR) {
            at++
            from = at
            this.#state = 'dotCr'
          } else {
            this.#state = 'text'
          }
          break
        case 'dotCr':
          if (chunk[at] === LF) {
            at++
            from = at
            this.#state = 'end'
          } else {
            copy ??= Buffer.allocUnsafe(total + 1)
            copy[length++] = CR
            this.#line = 1
            this.#lastCr = true
            this.#state = 'text'
          }
          break
        case 'text': {
          const lf = chunk.indexOf(LF, at)
          const stop = lf === -1 ? total : lf
          if (this.#lastCr && stop > at) this.bareCr = true
          if (!this.bareCr) {
            if (nextCr < at) {
              nextCr = chunk.indexOf(CR, at)
              if (nextCr === -1) nextCr = total
            }
            if (nextCr < stop - 1) this.bareCr = true
          }
          const crBefore = stop > at ? chunk[stop - 1] === CR : this.#lastCr
          const line = this.#line + (stop - at) - (crBefore ? 1 : 0)
          if (line > this.longestLine) this.longestLine = line
          if (lf === -1) {
            this.#line += stop - at
            this.#lastCr = crBefore
            at = total
          } else {
            at = lf + 1
            if (crBefore) {
              this.#state = 'lineStart'
            } else {
              this.bareLf = true
              this.#line = 0
              this.#lastCr = false
            }
          }
          break
        }
      }
    }
    if (nulAt !== -1 && nulAt < at) this.nul = true
    if (copy === null) return { body: from < at ? chunk.subarray(from, at) : EMPTY, used: at }
    keep(from, at)
    return { body: (copy as Buffer).subarray(0, length), used: at }
  }
}

/**
 * Writes octets as dot-stuffed lines. Bare CR and bare LF become CRLF, so that no reader can take anything inside
 * for the end of the data, however it reads line ends.
 */
export class DotWriter {
  #lineStart: boolean
  #lastCr: boolean

  constructor() {
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
        if (chunk[at] === DOT) {
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

  /** The end of the data: the last line's CRLF where it lacks one, and the final dot line. */
  end(): Uint8Array[] {
    const out: Uint8Array[] = []
    if (this.#lastCr || !this.#lineStart) out.push(CRLF)
    out.push(FINAL)
    this.#lineStart = true
    this.#lastCr = false
    return out
  }
}
