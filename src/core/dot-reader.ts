import { CR, DOT, EMPTY, LF, toLatin1 } from './bytes.js'
import { checkLines, LINE_CHECK_OCTETS } from './line-check.js'

const LF_DOT = Buffer.from('\n.', 'latin1')

type DotState = 'lineStart' | 'dot' | 'dotCr' | 'text' | 'end'

/** Fewer octets than this are not worth more than a look line by line. */
const FEW = 256
/** So few octets are copied in less time than a call takes. */
const FEW_TO_COPY = 32
/** What is so near is found in less time than a call takes. */
const NEAR = 32
/** In place of an index: the end of the window was reached. */
const WHOLE = -1
/** Octets looked at as one: few at first, since a message may end early in a chunk that holds many. */
const FIRST_WINDOW = 4096
const LARGEST_WINDOW = LINE_CHECK_OCTETS
/** Octets looked at where a chunk begins behind a dot that began a line: they tell whether that was the end. */
const DOT_WINDOW = 2

/**
 * Undoes dot-stuffing (RFC 5321 section 4.5.2) on octets that come in chunks, and finds the end of the data: CRLF
 * `.` CRLF and nothing else. Bare CR, bare LF and NUL are noticed, never taken for a line end. Where `stuffed` is
 * false the octets are only looked at: no dot goes, and nothing in them ends them (RFC 3030).
 *
 * Octets are looked at in windows: in those of proper lines only dots are searched for, where there are any. Where there
 * is something odd it goes line by line, in a latin1 string, in which V8 finds a character at half the cost of a call into
 * Buffer.
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
  /** The chunk at hand, what was taken of it where a dot had to go, and where in it the rest begins. */
  #chunk: Buffer
  #copy: Buffer | null
  #length: number
  #from: number

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
    this.#chunk = EMPTY
    this.#copy = null
    this.#length = 0
    this.#from = 0
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
    this.#chunk = chunk
    let at = 0
    let text = ''
    let nulAt = -1
    let base = 0
    let limit = 0
    while (at < total && this.#state !== 'end') {
      if (at >= limit) {
        base = at
        const cut = this.#state === 'dot' || this.#state === 'dotCr'
        limit = Math.min(total, base + (cut ? DOT_WINDOW : this.#window))
        if (!cut) this.#window = LARGEST_WINDOW
        if (nulAt !== -1) this.nul = true
        nulAt = -1
        if (!cut) at = this.#readProper(base, limit)
        if (at > base) {
          limit = at
          continue
        }
        text = toLatin1(chunk, base, limit)
        nulAt = this.nul ? -1 : text.indexOf('\0')
        this.#nextCr = -1
      }
      switch (this.#state) {
        case 'lineStart':
          if (this.#stuffed && chunk[at] === DOT) {
            this.#leaveOut(at, 1)
            at++
            this.#state = 'dot'
          } else {
            this.#state = 'text'
          }
          break
        case 'dot':
          if (chunk[at] === CR) {
            this.#leaveOut(at, 1)
            at++
            this.#state = 'dotCr'
          } else {
            this.#state = 'text'
          }
          break
        case 'dotCr':
          if (chunk[at] === LF) {
            this.#leaveOut(at, 1)
            at++
            this.#state = 'end'
          } else {
            this.#putCr()
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
    return { body: this.#takeBody(at), used: at }
  }

  /** Leaves `count` octets from `at` on out of the body. */
  #leaveOut(at: number, count: number): void {
    this.#keep(at)
    this.#from = at + count
  }

  /** A CR that belongs to the body after all, though a chunk before this may have held it. */
  #putCr(): void {
    this.#copy ??= Buffer.allocUnsafe(this.#chunk.length + 1)
    this.#copy[this.#length++] = CR
  }

  #keep(end: number): void {
    const chunk = this.#chunk
    const copy = this.#copy ?? Buffer.allocUnsafe(chunk.length + 1)
    const from = this.#from
    let length = this.#length
    if (end - from > FEW_TO_COPY) length += chunk.copy(copy, length, from, end)
    else for (let each = from; each < end; each++) copy[length++] = chunk[each] as number
    this.#copy = copy
    this.#length = length
  }

  #takeBody(end: number): Uint8Array {
    let body: Uint8Array
    if (this.#copy === null) body = viewOf(this.#chunk, this.#from, end)
    else {
      this.#keep(end)
      body = this.#copy.subarray(0, this.#length)
    }
    this.#chunk = EMPTY
    this.#copy = null
    this.#length = 0
    this.#from = 0
    return body
  }

  /**
   * Takes a window at once where there is nothing in it but proper lines, and says where it has come to; `from` where
   * there is something else, or may be.
   */
  #readProper(from: number, to: number): number {
    if (to - from < FEW) return from
    const chunk = this.#chunk
    const before = this.#state === 'lineStart' ? LF : this.#lastCr ? CR : DOT
    const found = checkLines(chunk.subarray(from, to), before)
    if (found === 'odd') return from
    const dotted = found === 'dotted' && this.#stuffed
    const { longLine } = this
    const line = this.#line
    this.#measureLines(chunk, from, to)
    if (dotted && this.longLine && !longLine) {
      // Perhaps by no more than its dot.
      this.longLine = false
      this.#line = line
      return from
    }
    this.#lastCr = false
    const at = dotted ? this.#unstuff(chunk, from, to) : WHOLE
    if (at !== WHOLE) {
      this.#line = 0
      return at
    }
    const last = chunk[to - 1]
    this.#state = last === LF ? 'lineStart' : 'text'
    this.#lastCr = last === CR
    const start = to - this.#line
    if (dotted && start >= from && this.#line > 0 && chunk[start] === DOT) this.#line--
    return to
  }

  /**
   * Undoes the stuffing in a window of proper lines. Where it stops: behind the data, or before a dot of which the window
   * does not show what follows; WHOLE where it has come to the end of the window.
   */
  #unstuff(chunk: Buffer, from: number, to: number): number {
    let at = from
    if (this.#state === 'text') {
      const lf = dottedLine(chunk, from, to)
      if (lf === -1) return WHOLE
      at = lf + 1
    }
    for (;;) {
      if (chunk[at] === DOT) {
        this.#state = 'lineStart'
        if (at + 2 >= to) return at
        if (chunk[at + 1] === CR) {
          this.#leaveOut(at, 3)
          this.#state = 'end'
          return at + 3
        }
        this.#leaveOut(at, 1)
        at++
      }
      const lf = dottedLine(chunk, at, to)
      if (lf === -1) return WHOLE
      at = lf + 1
    }
  }

  /** Looks for a line that is too long without looking at each: there must be an LF wherever one would have to end. */
  #measureLines(chunk: Buffer, from: number, to: number): void {
    const most = this.#longestLine + 2
    let start = from - this.#line
    while (!this.longLine && start + most <= to) {
      const end = lastLf(chunk, start + most - 1)
      if (end < from || end < start) this.longLine = true
      else start = end + 1
    }
    const last = lastLf(chunk, to - 1)
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

/** The next LF with a dot behind it, both before `to`, or -1. */
function dottedLine(chunk: Buffer, from: number, to: number): number {
  const near = Math.min(to - 1, from + NEAR)
  for (let at = from; at < near; at++) if (chunk[at] === LF && chunk[at + 1] === DOT) return at
  const found = near === to - 1 ? -1 : chunk.indexOf(LF_DOT, near)
  return found < to - 1 ? found : -1
}

/** The last LF at `at` or before it, or -1. */
function lastLf(chunk: Buffer, at: number): number {
  const near = Math.max(0, at - NEAR)
  for (let each = at; each >= near; each--) if (chunk[each] === LF) return each
  return near === 0 ? -1 : chunk.lastIndexOf(LF, near - 1)
}

/** No view is made of a whole chunk. */
function viewOf(chunk: Buffer, from: number, to: number): Uint8Array {
  if (from === to) return EMPTY
  return to - from === chunk.length ? chunk : chunk.subarray(from, to)
}
