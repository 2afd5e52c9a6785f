import { CR } from '../core/bytes.js'
import { Boundaries, type Delimiter } from './boundaries.js'
import type { DefectCode } from './defects.js'
import { headerDamage } from './header-damage.js'
import { beginsHeader, Headers, looksLikeField } from './headers.js'
import type { InputWindow } from './input-window.js'
import type { MimeLimits } from './limits.js'
import { lineFeedAt } from './line-count.js'
import { announcedBoundary } from './part-header.js'

/** A header block, which begins where the window stands. */
export interface HeaderBlock {
  /** Index after the block and its empty line. */
  readonly end: number
  readonly headers: Headers
  /** The block is over the limit, and goes on behind `end`. */
  readonly isCut: boolean
  /** The delimiter of an open multipart that stands at `end`. */
  readonly delimiter: Delimiter | null
}

export const NO_HEADERS = new Headers('')

const DASH = 0x2d
const SPACE = 0x20
const TAB = 0x09

/**
 * Finds the header block at the beginning of what a window holds, line by line, whatever it is cut into. It ends with its
 * empty line, or before a delimiter, and is empty where the first lines are no fields.
 */
export class HeaderReader {
  readonly #limits: MimeLimits
  readonly #window: InputWindow
  readonly #boundaries: Boundaries
  readonly #report: (code: DefectCode, index: number) => void
  /** From `window.at`: where the line begins that is being read, and what was searched for its end. */
  #lineStart: number
  #searched: number
  #ofMessage: boolean
  /** The first line is no field, and no field has followed yet. */
  #fieldAwaited: boolean
  /** There was a line that begins like a delimiter and is none. */
  #dashesSeen: boolean

  /** `report` is told of what is wrong with a block, by index. */
  constructor(
    limits: MimeLimits,
    window: InputWindow,
    boundaries: Boundaries,
    report: (code: DefectCode, index: number) => void,
  ) {
    this.#limits = limits
    this.#window = window
    this.#boundaries = boundaries
    this.#report = report
    this.#lineStart = 0
    this.#searched = 0
    this.#ofMessage = true
    this.#fieldAwaited = false
    this.#dashesSeen = false
  }

  /** A block begins where the window stands: of a message, or of a part in a multipart. */
  begin(ofMessage: boolean): void {
    this.#lineStart = 0
    this.#searched = 0
    this.#ofMessage = ofMessage
    this.#fieldAwaited = false
    this.#dashesSeen = false
  }

  /** The block, or null while the window has to be widened first. `last`: the input ends with the window. */
  read(last: boolean): HeaderBlock | null {
    const { buffer, at: start, end } = this.#window
    if (this.#searched === 0 && !this.#boundaries.mayBeField) {
      const block = this.#toEmptyLine(start)
      if (block !== null) return block
    }
    for (;;) {
      const line = start + this.#lineStart
      const lf = lineFeedAt(buffer, start + this.#searched, end)
      const lineEnd = lf === -1 ? end : lf + 1
      if (lineEnd - start > this.#limits.headerBlock) {
        if (this.#fieldAwaited) return this.#missing(start)
        this.#report('headerTooLong', start)
        return this.#upTo(line > start ? line : start + this.#limits.headerBlock, null, true)
      }
      if (lf === -1 && !last) {
        this.#searched = end - start
        return null
      }
      if (lf === line || (lf === line + 1 && buffer[line] === CR))
        return this.#fieldAwaited ? this.#missing(start) : this.#upTo(lineEnd, null, false)
      if (lineEnd - line > 2 && buffer[line] === DASH && buffer[line + 1] === DASH) {
        const block = this.#toDelimiter(start, line, lineEnd)
        if (block !== null) return block
      }
      if ((line === start || this.#fieldAwaited) && lineEnd > line && !this.#goesOn(start, line, lineEnd))
        return this.#missing(start)
      if (lf === -1) return this.#fieldAwaited ? this.#missing(start) : this.#unterminated(start, end, null)
      this.#lineStart = lineEnd - start
      this.#searched = lineEnd - start
    }
  }

  /** The short way, where nothing but fields stands before the empty line: all is found in one go. */
  #toEmptyLine(start: number): HeaderBlock | null {
    const { buffer, end } = this.#window
    const most = Math.min(end, start + this.#limits.headerBlock)
    // a view costs as much as a field
    const look = most === buffer.length ? buffer : buffer.subarray(0, most)
    const inMultipart = !this.#boundaries.isEmpty
    const headers = new Headers(look, this.#limits.headerFields, start, inMultipart)
    const to = start + headers.size
    // what begins otherwise, or may hold a delimiter, is read line by line
    if (!headers.terminated || !looksLikeField(buffer, start, to)) return null
    if (inMultipart) return headers.isRegular ? this.#block(to, headers, null, false) : null
    if (!headers.isRegular && announcedBoundary(headers, this.#limits) !== null) return null
    return this.#block(to, headers, null, false)
  }

  /** Ends the block at a line that begins like a delimiter: one of an open multipart, or of the one that begins here. */
  #toDelimiter(start: number, line: number, lineEnd: number): HeaderBlock | null {
    const { buffer, end } = this.#window
    const delimiter = this.#boundaries.isEmpty ? null : this.#boundaries.match(buffer, line, end, true)
    if (delimiter !== null && delimiter !== 'more')
      return this.#fieldAwaited ? this.#missing(start) : this.#unterminated(start, line, delimiter)
    if (line === start || this.#dashesSeen || looksLikeField(buffer, line, lineEnd)) return null
    // one look a block, so that its cost is bounded; the short way above takes what looks like a field for one too
    this.#dashesSeen = true
    const headers = new Headers(buffer.subarray(start, line), this.#limits.headerFields)
    const boundary = announcedBoundary(headers, this.#limits)
    if (boundary === null) return null
    const own = new Boundaries()
    own.open(boundary, 0)
    return own.match(buffer, line, end, true) === null ? null : this.#unterminated(start, line, null)
  }

  /**
   * Whether a header may go on with a line before which it holds no field. That of a message may begin with one line that
   * is no field; text after a delimiter is taken for the part's body at once.
   */
  #goesOn(start: number, line: number, lineEnd: number): boolean {
    const { buffer } = this.#window
    if (line === start) {
      if (beginsHeader(buffer, line, lineEnd)) return true
      this.#fieldAwaited = this.#ofMessage
      return this.#ofMessage
    }
    if (buffer[line] === SPACE || buffer[line] === TAB) return true
    if (!looksLikeField(buffer, line, lineEnd)) return false
    this.#report('firstLineUnusable', start)
    this.#fieldAwaited = false
    return true
  }

  /** All of it is body. */
  #missing(start: number): HeaderBlock {
    this.#report('headerMissing', start)
    return this.#upTo(start, null, false)
  }

  /** Without an empty line; no octets at all need none. */
  #unterminated(start: number, end: number, delimiter: Delimiter | null): HeaderBlock {
    if (end > start) this.#report('headerUnterminated', end)
    return this.#upTo(end, delimiter, false)
  }

  #upTo(end: number, delimiter: Delimiter | null, isCut: boolean): HeaderBlock {
    const { buffer, at } = this.#window
    const headers = end === at ? NO_HEADERS : new Headers(buffer.subarray(at, end), this.#limits.headerFields)
    return this.#block(end, headers, delimiter, isCut)
  }

  #block(end: number, headers: Headers, delimiter: Delimiter | null, isCut: boolean): HeaderBlock {
    const { at } = this.#window
    if (!headers.isRegular)
      for (const { code, offset } of headerDamage(headers.raw)) this.#report(code, at + offset)
    if (headers.truncated) this.#report('tooManyFields', at)
    return { end, headers, isCut, delimiter }
  }
}
