import { asBuffer, CR, EMPTY, LF } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'

/** Applies a transfer encoding to octets that come in pieces; the result is the same however they are cut. */
export interface BodyEncoder {
  write(piece: Uint8Array): Buffer
  /** What was still held back. */
  end(): Buffer
}

/** Octets of one line of base64, which has 76 characters (RFC 2045 section 6.8). */
const LINE_OCTETS = 57
const LINE_CHARACTERS = 76
const CRLF_BYTES = Buffer.from('\r\n', 'latin1')

/** Base64 in lines of 76 characters with CRLF between them, none at the end. */
export class Base64Encoder implements BodyEncoder {
  /** Octets of a line not yet full. */
  #rest: Buffer
  #begun: boolean

  constructor() {
    this.#rest = EMPTY
    this.#begun = false
  }

  write(piece: Uint8Array): Buffer {
    if (piece.length === 0) return EMPTY
    const input = asBuffer(piece)
    const first = this.#rest.length === 0 ? 0 : Math.min(LINE_OCTETS - this.#rest.length, input.length)
    const head = first === 0 ? EMPTY : Buffer.concat([this.#rest, input.subarray(0, first)])
    if (first > 0 && head.length < LINE_OCTETS) {
      this.#rest = head
      return EMPTY
    }
    const lines = Math.floor((input.length - first) / LINE_OCTETS)
    const end = first + lines * LINE_OCTETS
    // a copy, so that the caller's memory is not held
    this.#rest = Buffer.from(input.subarray(end))
    return this.#lines(head, input.subarray(first, end))
  }

  end(): Buffer {
    const rest = this.#rest
    this.#rest = EMPTY
    return this.#lines(rest, EMPTY)
  }

  #lines(head: Buffer, body: Buffer): Buffer {
    const text = head.toString('base64') + body.toString('base64')
    if (text === '') return EMPTY
    const encoded = Buffer.from(text, 'latin1')
    const out = Buffer.allocUnsafe(encoded.length + Math.ceil(encoded.length / LINE_CHARACTERS) * 2)
    let length = 0
    for (let at = 0; at < encoded.length; at += LINE_CHARACTERS) {
      if (this.#begun) {
        out[length++] = CR
        out[length++] = LF
      }
      this.#begun = true
      length += encoded.copy(out, length, at, at + LINE_CHARACTERS)
    }
    return out.subarray(0, length)
  }
}

const TAB = 0x09
const SPACE = 0x20
const DASH = 0x2d
const EQUALS = 0x3d
const DIGITS = Buffer.from('0123456789ABCDEF', 'latin1')
/** Characters of a line before the `=` of a soft break, of the 76 in all (RFC 2045 section 6.7 rule 5). */
const QUOTED_ROOM = 75

/**
 * Quoted-printable (RFC 2045 section 6.7): CRLF is a line end, a CR or LF alone is encoded like every other control, and
 * so is a dash that a soft break would put at the start of a line, where it might begin what reads as a delimiter.
 */
export class QuotedPrintableEncoder implements BodyEncoder {
  #column: number
  /** A space, tab or CR whose form depends on what follows it, or -1. */
  #held: number

  constructor() {
    this.#column = 0
    this.#held = -1
  }

  write(piece: Uint8Array): Buffer {
    // every octet as an escape, a soft break for every 25 of them, and what was held
    const out = Buffer.allocUnsafe(piece.length * 3 + Math.ceil(piece.length / 25) * 3 + 16)
    let length = 0
    for (let i = 0; i < piece.length; i++) {
      const octet = piece[i] as number
      if (this.#held !== -1) {
        const held = this.#held
        this.#held = -1
        if (held === CR && octet === LF) {
          out[length++] = CR
          out[length++] = LF
          this.#column = 0
          continue
        }
        length =
          held === CR || octet === CR ? this.#escape(out, length, held) : this.#plain(out, length, held)
      }
      if (octet === SPACE || octet === TAB || octet === CR) this.#held = octet
      else if (octet > SPACE && octet < 0x7f && octet !== EQUALS) length = this.#plain(out, length, octet)
      else length = this.#escape(out, length, octet)
    }
    return out.subarray(0, length)
  }

  end(): Buffer {
    const out = Buffer.allocUnsafe(8)
    const length = this.#held === -1 ? 0 : this.#escape(out, 0, this.#held)
    this.#held = -1
    return out.subarray(0, length)
  }

  #plain(out: Buffer, start: number, octet: number): number {
    if (this.#column < QUOTED_ROOM) {
      out[start] = octet
      this.#column++
      return start + 1
    }
    const length = this.#softBreak(out, start)
    if (octet === DASH) return this.#escape(out, length, octet)
    out[length] = octet
    this.#column++
    return length + 1
  }

  #escape(out: Buffer, start: number, octet: number): number {
    const length = this.#column + 3 > QUOTED_ROOM ? this.#softBreak(out, start) : start
    out[length] = EQUALS
    out[length + 1] = DIGITS[octet >> 4] as number
    out[length + 2] = DIGITS[octet & 15] as number
    this.#column += 3
    return length + 3
  }

  #softBreak(out: Buffer, length: number): number {
    out[length] = EQUALS
    out[length + 1] = CR
    out[length + 2] = LF
    this.#column = 0
    return length + 3
  }
}

/** Octets of a line without its CRLF (RFC 2045 section 2.7). */
const LONGEST_LINE = 998

/**
 * 7bit and 8bit: lines with every kind of end made CRLF. UsageError `CONTENT` for NUL, for a line of over 998 octets,
 * and in 7bit for an octet over 127.
 */
export class LineEncoder implements BodyEncoder {
  readonly #sevenBit: boolean
  #column: number
  /** The last piece ended with CR, written as a line end already: an LF that follows it is passed over. */
  #afterCr: boolean

  constructor(sevenBit: boolean) {
    this.#sevenBit = sevenBit
    this.#column = 0
    this.#afterCr = false
  }

  write(piece: Uint8Array): Buffer {
    const input = asBuffer(piece)
    if (input.includes(0)) throw new UsageError('CONTENT', 'a body in 7bit or 8bit must not hold NUL')
    if (this.#sevenBit && !isSevenBit(input)) {
      throw new UsageError('CONTENT', 'a body in 7bit must not hold octets over 127')
    }
    const out: Buffer[] = []
    let at = this.#afterCr && input[0] === LF ? 1 : 0
    if (input.length > 0) this.#afterCr = false
    let nextCr = input.indexOf(CR, at)
    while (at < input.length) {
      const lf = input.indexOf(LF, at)
      if (nextCr !== -1 && nextCr < at) nextCr = input.indexOf(CR, at)
      const end = nextCr !== -1 && (lf === -1 || nextCr < lf) ? nextCr : lf
      this.#column += (end === -1 ? input.length : end) - at
      if (this.#column > LONGEST_LINE) {
        throw new UsageError('CONTENT', `a body in 7bit or 8bit must not hold a line of over ${LONGEST_LINE}`)
      }
      if (end === -1) {
        out.push(input.subarray(at))
        break
      }
      out.push(input.subarray(at, end), CRLF_BYTES)
      this.#column = 0
      this.#afterCr = input[end] === CR && end + 1 === input.length
      at = input[end] === CR && input[end + 1] === LF ? end + 2 : end + 1
    }
    return Buffer.concat(out)
  }

  end(): Buffer {
    return EMPTY
  }
}

/** True when no octet is over 127. */
export function isSevenBit(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 127) return false
  return true
}

/** What a body can be written as, and how long that is. */
export interface Survey {
  /** ASCII without NUL, every line ended by CRLF and up to 998 octets long. */
  readonly sevenBit: boolean
  readonly octets: number
  readonly quotedPrintable: number
  readonly base64: number
}

/** Looks through a body once. */
export function survey(bytes: Uint8Array): Survey {
  let sevenBit = true
  let lineStart = 0
  let size = 0
  let column = 0
  for (let i = 0; i < bytes.length; i++) {
    const octet = bytes[i] as number
    if (octet === CR && bytes[i + 1] === LF) {
      if (i - lineStart > LONGEST_LINE) sevenBit = false
      size += 2
      column = 0
      i++
      lineStart = i + 1
      continue
    }
    let cost = 1
    if (octet === SPACE || octet === TAB) {
      if (i + 1 === bytes.length || bytes[i + 1] === CR) cost = 3
    } else if (octet < SPACE || octet >= 0x7f || octet === EQUALS) {
      cost = 3
      if (octet === 0 || octet === CR || octet === LF || octet > 0x7f) sevenBit = false
    }
    if (column + cost > QUOTED_ROOM) {
      size += 3
      column = 0
      if (octet === DASH) cost = 3
    }
    size += cost
    column += cost
  }
  if (bytes.length - lineStart > LONGEST_LINE) sevenBit = false
  const digits = Math.ceil(bytes.length / 3) * 4
  const breaks = Math.max(0, Math.ceil(digits / LINE_CHARACTERS) - 1)
  return { sevenBit, octets: bytes.length, quotedPrintable: size, base64: digits + breaks * 2 }
}
