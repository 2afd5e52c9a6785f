import { asBuffer, CR, LF } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import type { Canonicalization } from './canonical-header.js'

const TAB = 0x09
const SPACE = 0x20
/** Line ends written at a time where many of them were held back. */
const LINE_ENDS = Buffer.from('\r\n'.repeat(4_096), 'latin1')
const CR_BYTE = Buffer.from([CR])
const SPACE_BYTE = Buffer.from([SPACE])
/** Octets looked at together: those without anything to change are handed on as they stand. */
const BLOCK = 8_192

/**
 * A message body as it is hashed (RFC 6376 sections 3.4.3 and 3.4.4), from pieces of any size. `simple` drops empty
 * lines at the end; `relaxed` drops white space at the ends of lines as well and makes every other run of it one space.
 * Both end the last line. What comes out does not depend on how the input is cut. Holds a few octets and a count,
 * whatever the input; linear time.
 */
export class BodyCanonicalizer {
  readonly #relaxed: boolean
  readonly #maxLength: number
  /** Line ends held back, since they may be empty lines at the end. */
  #lineEnds: number
  /** White space held back, since it may stand at the end of a line. */
  #space: boolean
  #cr: boolean
  /** Something has been written. */
  #begun: boolean
  #length: number
  #out: Buffer[]

  /**
   * `maxLength`: octets handed out, the `l=` tag (RFC 6376 section 3.4.5); the rest is counted only. UsageError `LIMIT`
   * unless it is a whole number from 0, or Infinity.
   */
  constructor(canonicalization: Canonicalization, maxLength = Number.POSITIVE_INFINITY) {
    if (!(Number.isInteger(maxLength) || maxLength === Number.POSITIVE_INFINITY) || maxLength < 0) {
      throw new UsageError('LIMIT', 'the length of a canonical body must be a whole number from 0')
    }
    this.#relaxed = canonicalization === 'relaxed'
    this.#maxLength = maxLength
    this.#lineEnds = 0
    this.#space = false
    this.#cr = false
    this.#begun = false
    this.#length = 0
    this.#out = []
  }

  /**
   * Octets of the canonical body so far, those over `maxLength` counted too: after `end`, a signature whose `l=` is
   * greater is not valid.
   */
  get length(): number {
    return this.#length
  }

  /** Takes a piece; what is to be hashed next, as views of the piece where nothing had to be changed. */
  write(piece: Uint8Array): readonly Buffer[] {
    const bytes = asBuffer(piece)
    if (bytes.length === 0) return []
    if (!this.#relaxed) this.#simple(bytes)
    else {
      for (let at = 0; at < bytes.length; at += BLOCK) this.#relax(bytes.subarray(at, at + BLOCK))
    }
    return this.#take()
  }

  /** There is no more input; the end of the canonical body. */
  end(): readonly Buffer[] {
    if (this.#cr) {
      this.#cr = false
      this.#flush()
      this.#emit(CR_BYTE)
    }
    this.#lineEnds = 0
    this.#space = false
    // an empty body is one CRLF in simple and nothing in relaxed
    if (this.#begun || !this.#relaxed) this.#emitLineEnds(1)
    return this.#take()
  }

  #take(): readonly Buffer[] {
    const out = this.#out
    this.#out = []
    return out
  }

  #emit(bytes: Buffer): void {
    if (bytes.length === 0) return
    const room = this.#maxLength - this.#length
    this.#length += bytes.length
    this.#begun = true
    if (room >= bytes.length) this.#out.push(bytes)
    else if (room > 0) this.#out.push(bytes.subarray(0, room))
  }

  #emitLineEnds(count: number): void {
    for (let left = count * 2; left > 0; left -= LINE_ENDS.length) {
      this.#emit(left >= LINE_ENDS.length ? LINE_ENDS : LINE_ENDS.subarray(0, left))
    }
  }

  /** Writes what was held back, since a line with something in it follows. */
  #flush(): void {
    this.#emitLineEnds(this.#lineEnds)
    this.#lineEnds = 0
    if (this.#space) this.#emit(SPACE_BYTE)
    this.#space = false
  }

  /** Settles a CR at the end of the piece before: the index from which the octets count. */
  #afterCr(bytes: Buffer): number {
    if (!this.#cr) return 0
    this.#cr = false
    if (bytes[0] === LF) {
      this.#lineEnds++
      this.#space = false
      return 1
    }
    this.#flush()
    this.#emit(CR_BYTE)
    return 0
  }

  #simple(bytes: Buffer): void {
    const start = this.#afterCr(bytes)
    let end = bytes.length
    const cr = end > start && bytes[end - 1] === CR
    if (cr) end--
    let lineEnds = 0
    while (end - 2 >= start && bytes[end - 1] === LF && bytes[end - 2] === CR) {
      end -= 2
      lineEnds++
    }
    if (end > start) {
      this.#flush()
      this.#emit(bytes.subarray(start, end))
    }
    this.#lineEnds += lineEnds
    this.#cr = cr
  }

  #relax(block: Buffer): void {
    const start = this.#afterCr(block)
    const end = this.#cleanEnd(block, start)
    if (end > start) {
      this.#flush()
      this.#emit(block.subarray(start, end))
    }
    if (end < block.length) this.#rewrite(block, end)
  }

  /**
   * The index up to which the octets stay as they are: before the first tab, run of spaces, or space at the end of a
   * line or of the block, and before line ends at the end of that.
   */
  #cleanEnd(block: Buffer, start: number): number {
    // a space held back may run on, or turn out to end its line
    if (this.#space && (isWhite(block[start]) || block[start] === CR)) return start
    let end = firstWhite(block, start)
    for (let previous = 0; end < block.length; end++) {
      const octet = block[end] as number
      if (octet <= SPACE) {
        if (octet === TAB) break
        if (previous === SPACE && (octet === SPACE || octet === CR)) {
          end--
          break
        }
      }
      previous = octet
    }
    if (end > start && block[end - 1] === CR) end--
    if (end > start && block[end - 1] === SPACE) end--
    while (end - 2 >= start && block[end - 1] === LF && block[end - 2] === CR) end -= 2
    return end
  }

  /** Octet by octet, from one that may have to change. */
  #rewrite(block: Buffer, start: number): void {
    const size = block.length
    const out = Buffer.allocUnsafe(size - start)
    let length = 0
    let at = start
    let lineEnds = this.#lineEnds
    let space = this.#space
    while (at < size) {
      let octet = block[at] as number
      if (octet === SPACE || octet === TAB) {
        space = true
        at++
      } else if (octet === CR && at + 1 === size) {
        this.#cr = true
        at++
      } else if (octet === CR && block[at + 1] === LF) {
        lineEnds++
        space = false
        at += 2
      } else {
        if (length === 0) {
          // what was held back before this block may be more than `out` has room for
          this.#lineEnds = lineEnds
          this.#space = space
          this.#flush()
        } else {
          for (; lineEnds > 0; lineEnds--) {
            out[length++] = CR
            out[length++] = LF
          }
          if (space) out[length++] = SPACE
        }
        lineEnds = 0
        space = false
        do {
          out[length++] = octet
          octet = ++at < size ? (block[at] as number) : 0
        } while (octet > SPACE)
      }
    }
    this.#emit(out.subarray(0, length))
    this.#lineEnds = lineEnds
    this.#space = space
  }
}

/** The index of the first space or tab, or the size of the block. */
function firstWhite(block: Buffer, start: number): number {
  const space = block.indexOf(SPACE, start)
  const tab = block.indexOf(TAB, start)
  if (space === -1 || tab === -1) return Math.max(space, tab) === -1 ? block.length : Math.max(space, tab)
  return Math.min(space, tab)
}

function isWhite(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB
}
