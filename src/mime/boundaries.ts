import { CR, fromLatin1, toLatin1 } from '../core/bytes.js'
import { lineFeedAt } from './line-count.js'

const SPACE = 0x20
const TAB = 0x09
const DASH = 0x2d
/** White space taken after a delimiter (RFC 2046 section 5.1.1 sets no bound). */
const PADDING = 256

/** A line that is a delimiter of an open multipart. */
export interface Delimiter {
  /** Which multipart: the number `open` gave it. */
  readonly level: number
  readonly closing: boolean
  /** Index of the delimiter's line end, or of the end of the input. */
  readonly lineEnd: number
  /** Index after the line end. */
  readonly next: number
}

/**
 * The boundaries of the multiparts that are open, innermost first. A line is a delimiter when, white space at its end
 * aside, it is exactly `--`, the boundary, and `--` where it closes: so boundaries that begin alike do not matter.
 * Looking a line up costs the same however many are open.
 */
export class Boundaries {
  #levels: Map<string, number[]> | null
  /** Open multiparts, innermost last: most delimiters are of that one. */
  readonly #open: { readonly octets: Buffer; readonly level: number }[]
  /** Octets of the longest line that can be a delimiter, its line end not counted; 0 while nothing is open. */
  #longest: number
  #colonSeen: boolean

  constructor() {
    this.#levels = null
    this.#open = []
    this.#longest = 0
    this.#colonSeen = false
  }

  get isEmpty(): boolean {
    return this.#open.length === 0
  }

  /** Whether a delimiter may have a colon, as a field has. */
  get mayBeField(): boolean {
    return this.#colonSeen
  }

  open(boundary: string, level: number): void {
    this.#colonSeen ||= boundary.includes(':')
    this.#levels ??= new Map()
    const levels = this.#levels.get(boundary)
    if (levels === undefined) this.#levels.set(boundary, [level])
    else levels.push(level)
    this.#open.push({ octets: fromLatin1(boundary), level })
    this.#longest = Math.max(this.#longest, boundary.length + 4 + PADDING)
  }

  /** Forgets the innermost multipart of that boundary. */
  close(boundary: string): void {
    const levels = this.#levels?.get(boundary)
    levels?.pop()
    if (levels?.length === 0) this.#levels?.delete(boundary)
    this.#open.pop()
  }

  clear(): void {
    this.#levels?.clear()
    this.#open.length = 0
  }

  /**
   * The delimiter that the line at `start` (which begins with `--`) is, or null, or `more` while the octets up to
   * `end` leave that open. `last` says that the input ends there.
   */
  match(buffer: Buffer, start: number, end: number, last: boolean): Delimiter | null | 'more' {
    let lf = lineFeedAt(buffer, start, end)
    if (lf === -1) {
      if (end - start > this.#longest + 1) return null
      if (!last) return 'more'
      lf = end
    } else if (lf - start > this.#longest + 1) return null
    let lineEnd = lf
    if (lineEnd < end && buffer[lineEnd - 1] === CR) lineEnd--
    let textEnd = lineEnd
    while (
      textEnd > start + 2 &&
      (buffer[textEnd - 1] === SPACE || buffer[textEnd - 1] === TAB || buffer[textEnd - 1] === CR)
    )
      textEnd--
    const innermost = this.#open.at(-1)
    if (innermost !== undefined) {
      const closing = tailOf(innermost.octets, buffer, start + 2, textEnd)
      if (closing !== null) return { level: innermost.level, closing, lineEnd, next: lf < end ? lf + 1 : end }
      if (this.#open.length === 1) return null
    }
    const text = toLatin1(buffer, start + 2, textEnd)
    const opening = this.#innermost(text)
    const closing = text.endsWith('--') ? this.#innermost(text.slice(0, -2)) : -1
    if (opening === -1 && closing === -1) return null
    return {
      level: Math.max(opening, closing),
      closing: closing > opening,
      lineEnd,
      next: lf < end ? lf + 1 : end,
    }
  }

  #innermost(boundary: string): number {
    return this.#levels?.get(boundary)?.at(-1) ?? -1
  }
}

/** What the text from `start` to `end` is: the boundary (false), the boundary and `--` (true), or neither. */
function tailOf(boundary: Buffer, buffer: Buffer, start: number, end: number): boolean | null {
  const rest = end - start - boundary.length
  if (rest !== 0 && rest !== 2) return null
  for (let i = 0; i < boundary.length; i++) if (buffer[start + i] !== boundary[i]) return null
  if (rest === 0) return false
  return buffer[end - 1] === DASH && buffer[end - 2] === DASH ? true : null
}
