import { EMPTY } from '../core/bytes.js'
import type { BodyDecoder } from './base64.js'
import { hexDigit } from './encoded-words.js'

type State = 'text' | 'equals' | 'hex' | 'soft' | 'softCr'

const EQUALS = 0x3d
const SPACE = 0x20
const TAB = 0x09
const CR = 0x0d
const LF = 0x0a
/** The values of hexadecimal digits by their codes, -1 for every other octet. */
const hexDigits = Int8Array.from({ length: 256 }, (_, code) => hexDigit(code))
/** 1 for the octets that do not just stand for themselves. */
const special = Uint8Array.from({ length: 256 }, (_, code) =>
  code === EQUALS || code === CR || code === LF ? 1 : 0,
)
/** Octets that are looked at together: three that stand for themselves, and an escape. */
const PLAIN = 6
/** White space at the end of a line is dropped up to this many octets; a longer run is taken for text. */
const MAX_RUN = 128

/**
 * Quoted-printable (RFC 2045 section 6.7). White space at the end of a line is dropped, line ends stay as they are, and
 * an `=` that begins neither an escape nor a soft line break stands for itself. Escapes may be in lower case.
 */
export class QuotedPrintableDecoder implements BodyDecoder {
  #state: State
  /** The first digit of an escape, by its code. */
  #digit: number
  /** White space held back: at the end of a piece, or after an `=`. */
  #run: number[]
  /** The run of white space now read is over `MAX_RUN` and partly handed out. */
  #longRun: boolean
  #at: number
  #floor: number
  damaged: boolean

  constructor() {
    this.#state = 'text'
    this.#digit = 0
    this.#run = []
    this.#longRun = false
    this.#at = 0
    this.#floor = 0
    this.damaged = false
  }

  write(piece: Buffer): Buffer {
    const size = piece.length
    const out = Buffer.allocUnsafe(size + MAX_RUN + 4)
    let length = 0
    /** White space before this index of `out` is not at the end of a line. */
    let floor = 0
    let at = 0
    if (this.#state === 'text') {
      for (const octet of this.#run) out[length++] = octet
      this.#run = []
      if (this.#longRun) {
        while (at < size && (piece[at] === SPACE || piece[at] === TAB)) out[length++] = piece[at++] as number
        floor = length
        if (at < size) this.#longRun = false
      }
    }
    while (at < size) {
      const octet = piece[at] as number
      switch (this.#state) {
        case 'text': {
          length = this.#plain(piece, at, out, length, floor)
          at = this.#at
          floor = this.#floor
          let next = piece[at] as number
          while (next !== EQUALS && next !== LF && next !== CR) {
            out[length++] = next
            if (++at === size) break
            next = piece[at] as number
          }
          if (at === size) break
          at++
          if (next === EQUALS) this.#state = 'equals'
          else {
            length = withoutRun(out, length, floor)
            out[length++] = next
            floor = length
          }
          break
        }
        case 'equals':
          if (hexDigit(octet) !== -1) {
            this.#digit = octet
            this.#state = 'hex'
            at++
          } else if (octet === SPACE || octet === TAB) {
            this.#run.push(octet)
            this.#state = 'soft'
            at++
          } else if (octet === CR || octet === LF) {
            this.#state = octet === CR ? 'softCr' : 'text'
            floor = length
            at++
          } else {
            out[length++] = EQUALS
            this.#state = 'text'
            this.damaged = true
          }
          break
        case 'hex': {
          const low = hexDigit(octet)
          if (low !== -1) {
            out[length++] = hexDigit(this.#digit) * 16 + low
            floor = length
            at++
          } else {
            out[length++] = EQUALS
            out[length++] = this.#digit
            this.damaged = true
          }
          this.#state = 'text'
          break
        }
        case 'soft':
          if ((octet === SPACE || octet === TAB) && this.#run.length < MAX_RUN) {
            this.#run.push(octet)
            at++
          } else if (octet === CR || octet === LF) {
            this.#run = []
            this.#state = octet === CR ? 'softCr' : 'text'
            floor = length
            at++
          } else {
            out[length++] = EQUALS
            for (const held of this.#run) out[length++] = held
            this.#run = []
            this.#state = 'text'
            this.damaged = true
            floor = length
          }
          break
        case 'softCr':
          if (octet === LF) at++
          this.#state = 'text'
          break
      }
    }
    if (this.#state === 'text' && !this.#longRun) length = this.#holdRun(out, length, floor)
    return out.subarray(0, length)
  }

  /**
   * Decodes what is whole and well formed, up to the last octets of the piece, four octets at a time where they stand for
   * themselves. Gives the new length, and leaves the index reached and the floor in `#at` and `#floor`.
   */
  #plain(piece: Buffer, from: number, out: Buffer, start: number, startFloor: number): number {
    const whole = piece.length - PLAIN
    let at = from
    let length = start
    let floor = startFloor
    while (at < whole) {
      const first = piece[at] as number
      if (special[first] === 0) {
        out[length] = first
        const second = piece[at + 1] as number
        if (special[second] === 0) {
          out[length + 1] = second
          const third = piece[at + 2] as number
          if (special[third] === 0) {
            out[length + 2] = third
            const fourth = piece[at + 3] as number
            if (special[fourth] === 0) {
              out[length + 3] = fourth
              length += 4
              at += 4
              continue
            }
            length += 3
            at += 3
          } else {
            length += 2
            at += 2
          }
        } else {
          length++
          at++
        }
      }
      const next = piece[at] as number
      if (next === EQUALS) {
        const high = piece[at + 1] as number
        const value = ((hexDigits[high] as number) << 4) | (hexDigits[piece[at + 2] as number] as number)
        if (value >= 0) {
          out[length++] = value
          at += 3
        } else if (high === CR && piece[at + 2] === LF) at += 3
        else break
      } else {
        const before = out[length - 1]
        if (length > floor && (before === SPACE || before === TAB)) length = withoutRun(out, length, floor)
        out[length++] = next
        at++
      }
      floor = length
    }
    this.#at = at
    this.#floor = floor
    return length
  }

  /** Keeps white space at the end of a piece back, since a line end may follow it. */
  #holdRun(out: Buffer, length: number, floor: number): number {
    let start = length
    while (start > floor && (out[start - 1] === SPACE || out[start - 1] === TAB)) start--
    if (length - start > MAX_RUN) {
      this.#longRun = true
      return length
    }
    for (let i = start; i < length; i++) this.#run.push(out[i] as number)
    return start
  }

  end(): Buffer {
    const state = this.#state
    this.#state = 'text'
    this.#run = []
    this.#longRun = false
    if (state === 'hex') this.damaged = true
    return state === 'hex' ? Buffer.from([EQUALS, this.#digit]) : EMPTY
  }
}

/** Where the text of a line ends, white space after it left out, unless that is a run over `MAX_RUN`. */
function withoutRun(out: Buffer, length: number, floor: number): number {
  let start = length
  while (start > floor && (out[start - 1] === SPACE || out[start - 1] === TAB)) start--
  return length - start > MAX_RUN ? length : start
}
