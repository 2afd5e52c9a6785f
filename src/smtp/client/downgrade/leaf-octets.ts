import { isAscii } from 'node:buffer'
import { DotReader } from '../../../core/dot-reader.js'

/** Octets of a line without its CRLF, in 7bit and 8bit (RFC 2045 section 2.7). */
const LONGEST_LINE = 998

/** What the octets of one body are like. */
export class LeafOctets {
  /** An octet over 127. */
  eightBit: boolean
  #size: number
  /** Octets that quoted-printable writes as three, about. */
  #escaped: number
  readonly #lines: DotReader

  constructor() {
    this.eightBit = false
    this.#size = 0
    this.#escaped = 0
    this.#lines = new DotReader({ stuffed: false, longestLine: LONGEST_LINE })
  }

  read(chunk: Buffer): void {
    this.#size += chunk.length
    this.#lines.read(chunk)
    if (isAscii(chunk)) return
    this.eightBit = true
    for (const octet of chunk) if (octet > 0x7e || octet < 0x09) this.#escaped++
  }

  /** There are no more. */
  end(): void {
    this.#lines.finish()
  }

  /** CRLF, with at most 998 octets before each, and no NUL: what 7bit and 8bit may hold, and binary need not. */
  get inLines(): boolean {
    const { bareCr, bareLf, nul, longLine } = this.#lines
    return !(bareCr || bareLf || nul || longLine)
  }

  /** The shorter encoding, about; of text, quoted-printable while a third of it or less is not to be read. */
  encoding(isText: boolean): 'quoted-printable' | 'base64' {
    return this.#escaped * (isText ? 3 : 6) > this.#size ? 'base64' : 'quoted-printable'
  }
}
