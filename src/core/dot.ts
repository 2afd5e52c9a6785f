import { CR, CRLF, DOT, EMPTY, LF, toLatin1 } from './bytes.js'
import { checkLines, LINE_CHECK_OCTETS } from './line-check.js'

const DOT_ONLY: Uint8Array = Buffer.from('.', 'latin1')
const FINAL: Uint8Array = Buffer.from('.\r\n', 'latin1')

type DotState = 'lineStart' | 'dot' | 'dotCr' | 'text' | 'end'

/** Fewer octets than this are not worth more than a look line by line. */
const FEW = 256
/** So few octets are copied in less time than a call takes. */
const FEW_TO_COPY = 32
/** Octets looked at as one: few at first, since a message may end early in a chunk that holds many. */
const FIRST_WINDOW = 4096
const LARGEST_WINDOW = LINE_CHECK_OCTETS

/**
 * Undoes dot-stuffing (RFC 5321 section 4.5.2) on octets that come in chunks, and finds the end of the data: CRLF
 * `.` CRLF and nothing else. Bare CR, bare LF and NUL are noticed, never taken for a line end. Where `stuffed` is
 * false the octets are only looked at: no dot goes, and nothing in them ends them (RFC 3030).
 *
 * Octets are looked at in windows: many of proper lines at once, and where there is a dot or something odd line by line,
 * in a latin1 string, in which V8 finds a character at half the cost of a call into Buffer.
 */
export class DotReader {
  /** An LF without CR before it was seen. */
  bareLf: boolean
  /** A CR without LF after it was seen. */
  bareCr: boolean
  nul: boolean
  /** A line of more than `longestLine` octets was seen, its CRLF not counted. */
  longLine: boolean
  readonly #stuffed: boolean
  readonly #longestLine: number
  #state: DotState
  #lastCr: boolean
  /** Octets of the line so far. */
  #line: number
  /** The first CR at or after where it was last looked for, so that text without any is not searched for each line. */
  #nextCr: number
  #window: number

  constructor(options: { readonly stuffed?: boolean; readonly longestLine?: number } = {}) {
    this.bareLf = false
    this.bareCr = false
    this.nul = false
    this.longLine = false
    this.#stuffed = options.stuffed ?? true
    this.#longestLine = options.longestLine ?? Number.POSITIVE_INFINITY
    this.#state = 'lineStart'
    this.#lastCr = false
    this.#line = 0
    this.#nextCr = -1
    this.#window = FIRST_WINDOW
  }

  /** True once the final dot line is read; octets after it are not touched. */
  get ended(): boolean {
    return this.#state === 'end'
  }

  /** No more octets come, where nothing in them says so: a CR at the very end is a bare one. */
  finish(): void {
    if (this.#lastCr) this.bareCr = true
    this.#state = 'end'
  }

  /**
   * Reads `chunk` up to the end of the data or of the chunk: `used` octets of it, which are `body` once unstuffed.
   * The body is a view of the chunk where no dot had to go, else one copy.
   */
  read(chunk: Buffer): { readonly body: Uint8Array; readonly used: number } {
    const total = chunk.length
    let copy: Buffer | null = null
    let length = 0
    let from = 0
    let at = 0
    const keep = (start: number, end: number): void => {
      copy ??= Buffer.allocUnsafe(total + 1)
      if (end - start > FEW_TO_COPY) length += chunk.copy(copy, length, start, end)
      else for (let each = start; each < end; each++) copy[length++] = chunk[each] as number
    }
    let text = ''
    let nulAt = -1
    let base = 0
    let limit = 0
    while (at < total && this.#state !== 'end') {
      if (at >= limit) {
        base = at
        limit = Math.min(total, base + this.#window)
        this.#window = LARGEST_WINDOW
        if (nulAt !== -1) this.nul = true
        nulAt = -1
        if (this.#skipLines(chunk, base, limit)) {
          at = limit
          continue
        }
        text = toLatin1(chunk, base, limit)
        nulAt = this.nul ? -1 : text.indexOf('\0')
        this.#nextCr = -1
      }
      switch (this.#state) {
        case 'lineStart':
          if (this.#stuffed && chunk[at] === DOT) {
            keep(from, at)
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
        case 'text':
          at = base + this.#readLines(text, at - base)
          break
      }
    }
    if (nulAt !== -1 && base + nulAt < at) this.nul = true
    if (copy === null) return { body: viewOf(chunk, from, at), used: at }
    keep(from, at)
    return { body: (copy as Buffer).subarray(0, length), used: at }
  }

  /** Takes all of a window at once where there is nothing in it but proper lines; false where there is, or may be. */
  #skipLines(chunk: Buffer, from: number, to: number): boolean {
    if (to - from < FEW || (this.#state !== 'lineStart' && this.#state !== 'text')) return false
    const before = this.#state === 'lineStart' ? LF : this.#lastCr ? CR : DOT
    const found = checkLines(chunk.subarray(from, to), before)
    if (found === 'odd' || (found === 'dotted' && this.#stuffed)) return false
    this.#measureLines(chunk, from, to)
    const last = chunk[to - 1]
    this.#state = last === LF ? 'lineStart' : 'text'
    this.#lastCr = last === CR
    return true
  }

  /** Looks for a line that is too long without looking at each: there must be an LF wherever one would have to end. */
  #measureLines(chunk: Buffer, from: number, to: number): void {
    const most = this.#longestLine + 2
    let start = from - this.#line
    while (!this.longLine && start + most <= to) {
      const end = chunk.lastIndexOf(LF, start + most - 1)
      if (end < from || end < start) this.longLine = true
      else start = end + 1
    }
    const last = chunk.lastIndexOf(LF, to - 1)
    this.#line = last < from ? this.#line + to - from : to - last - 1
    if (this.#line - (chunk[to - 1] === CR ? 1 : 0) > this.#longestLine) this.longLine = true
  }

  /** Reads from within a line to the next line that begins with a dot, or to the end of the text. */
  #readLines(text: string, from: number): number {
    const total = text.length
    let at = this.#readOdd(text, from)
    while (this.#state === 'lineStart' && at < total) {
      // A run of lines as they should be: the next CR stands right before the next LF.
      let lf = text.indexOf('\n', at)
      while (lf !== -1 && text.indexOf('\r', at) === lf - 1 && text.charCodeAt(at) !== DOT) {
        if (lf - 1 - at > this.#longestLine) this.longLine = true
        at = lf + 1
        lf = text.indexOf('\n', at)
      }
      if (at === total || (this.#stuffed && text.charCodeAt(at) === DOT)) break
      at = this.#readOdd(text, at)
    }
    return at
  }

  /** Reads what is left of a line, of whatever kind, or to the end of the text. */
  #readOdd(text: string, from: number): number {
    const found = text.indexOf('\n', from)
    const complete = found !== -1
    const end = complete ? found : text.length
    if (this.#lastCr && end > from) this.bareCr = true
    if (this.#nextCr < from) {
      const next = text.indexOf('\r', from)
      this.#nextCr = next === -1 ? text.length : next
    }
    if (this.#nextCr < end - 1) this.bareCr = true
    const crBefore = end > from ? text.charCodeAt(end - 1) === CR : this.#lastCr
    this.#line += end - from
    if (this.#line - (crBefore ? 1 : 0) > this.#longestLine) this.longLine = true
    if (!complete) {
      this.#state = 'text'
      this.#lastCr = crBefore
      return end
    }
    if (!crBefore) this.bareLf = true
    this.#state = crBefore ? 'lineStart' : 'text'
    this.#line = 0
    this.#lastCr = false
    return end + 1
  }
}

/** No view is made of a whole chunk. */
function viewOf(chunk: Buffer, from: number, to: number): Uint8Array {
  if (from === to) return EMPTY
  return to - from === chunk.length ? chunk : chunk.subarray(from, to)
}

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
