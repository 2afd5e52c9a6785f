import { CR, EMPTY, LF, toLatin1 } from '../core/bytes.js'

/** Undoes a transfer encoding on octets that come in pieces; the result is the same however they are cut. */
export interface BodyDecoder {
  /** What `piece` decodes to, as memory of its own or a view of the piece. */
  write(piece: Buffer): Buffer
  /** What was still held back. */
  end(): Buffer
  /** True, after `end`, when octets were no part of the encoding, or when what they encode is cut off. */
  readonly damaged: boolean
}

const SKIP = 64
const PAD = 65
const FOREIGN = 66
/** What an octet of base64 stands for; `SKIP` and over for one that stands for nothing: white space, `=`, any other. */
export const sextets = makeTable()

/** Both alphabets of RFC 4648, since mail with the URL one is met with. */
function makeTable(): Uint8Array {
  const table = new Uint8Array(256).fill(FOREIGN)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  for (let i = 0; i < 64; i++) table[alphabet.charCodeAt(i)] = i
  table[0x2d] = 62
  table[0x5f] = 63
  for (const white of [0x09, 0x0a, 0x0d, 0x20]) table[white] = SKIP
  table[0x3d] = PAD
  return table
}

/**
 * Base64 (RFC 2045 section 6.8). Octets outside the alphabet are passed over; padding ends a group, and what follows
 * it is decoded as well; one stray digit at the end is dropped.
 */
export class Base64Decoder implements BodyDecoder {
  #bits: number
  /** Digits of the group begun, 0 to 3. */
  #held: number
  damaged: boolean

  constructor() {
    this.#bits = 0
    this.#held = 0
    this.damaged = false
  }

  write(piece: Buffer): Buffer {
    const out = Buffer.allocUnsafe(Math.floor(((piece.length + 3) * 3) / 4) + 3)
    let length = 0
    let at = 0
    while (at < piece.length) {
      let end = piece.indexOf(LF, at) + 1
      if (end === 0) end = piece.length
      if (this.#held === 0) end = evenLines(piece, at, end)
      const written = this.#held === 0 ? decodeByPlatform(piece, at, end, out, length) : -1
      length = written === -1 ? this.#decode(piece, at, end, out, length) : length + written
      at = end
    }
    return out.subarray(0, length)
  }

  end(): Buffer {
    const out = Buffer.allocUnsafe(2)
    return out.subarray(0, this.#flush(out, 0))
  }

  #decode(piece: Buffer, from: number, to: number, out: Buffer, start: number): number {
    let length = start
    let bits = this.#bits
    let held = this.#held
    for (let i = from; i < to; i++) {
      const digit = sextets[piece[i] as number] as number
      if (digit < SKIP) {
        bits = (bits << 6) | digit
        if (++held === 4) {
          out[length++] = bits >> 16
          out[length++] = bits >> 8
          out[length++] = bits
          bits = 0
          held = 0
        }
      } else if (digit === PAD && held > 0) {
        this.#bits = bits
        this.#held = held
        length = this.#flush(out, length)
        bits = 0
        held = 0
      } else if (digit === FOREIGN) this.damaged = true
    }
    this.#bits = bits
    this.#held = held
    return length
  }

  #flush(out: Buffer, start: number): number {
    let length = start
    if (this.#held === 1) this.damaged = true
    if (this.#held === 2) out[length++] = this.#bits >> 4
    else if (this.#held === 3) {
      out[length++] = this.#bits >> 10
      out[length++] = this.#bits >> 2
    }
    this.#bits = 0
    this.#held = 0
    return length
  }
}

/** Longer strings cost more to make than to decode. */
const LONGEST_RUN = 65_536

/**
 * Where the lines end that begin at `from` and are as long as the first one, which ends at `firstEnd`: up to
 * `LONGEST_RUN` of them.
 */
function evenLines(piece: Buffer, from: number, firstEnd: number): number {
  const size = firstEnd - from
  const limit = Math.min(piece.length, from + LONGEST_RUN)
  let end = firstEnd
  while (end + size <= limit && piece[end + size - 1] === LF) end += size
  return end
}

/** Shorter runs are not worth the call. */
const SHORTEST_RUN = 200

/**
 * Decodes whole lines by the platform's own decoder, which is several times as fast. It passes over foreign octets and
 * stops at padding without a word, so its work counts (else -1) only where lines of one length, a multiple of four
 * digits, gave all that they can hold.
 */
function decodeByPlatform(piece: Buffer, from: number, end: number, out: Buffer, start: number): number {
  if (end - from < SHORTEST_RUN || piece[end - 1] !== LF) return -1
  const lineSize = piece.indexOf(LF, from) + 1 - from
  const digits = lineSize - (piece[from + lineSize - 2] === CR ? 2 : 1)
  if (digits % 4 !== 0) return -1
  const expected = (((end - from) / lineSize) * digits * 3) / 4
  const written = out.write(toLatin1(piece, from, end), start, out.length - start, 'base64')
  return written === expected ? written : -1
}

/** The octets as they stand: 7bit, 8bit, binary and what is unknown. */
export class IdentityDecoder implements BodyDecoder {
  readonly damaged = false

  write(piece: Buffer): Buffer {
    return piece
  }

  end(): Buffer {
    return EMPTY
  }
}
