import { asBuffer } from '../core/index.js'

const LF = 0x0a
const CR = 0x0d

/** Cuts a message that comes in chunks after its header, the empty line and a number of lines of its body. */
export class TopCutter {
  /** Nothing more is wanted. */
  done: boolean
  #linesLeft: number
  #inHeader: boolean
  /** The current line has no octets but CR so far. */
  #empty: boolean

  constructor(lines: number) {
    this.done = false
    this.#linesLeft = lines
    this.#inHeader = true
    this.#empty = true
  }

  /** What of the chunk is wanted: a view of it. */
  take(chunk: Uint8Array): Uint8Array {
    const octets = asBuffer(chunk)
    let at = 0
    while (!this.done && at < octets.length) {
      const lf = octets.indexOf(LF, at)
      const stop = lf === -1 ? octets.length : lf
      if (stop > at + 1 || (stop === at + 1 && octets[at] !== CR)) this.#empty = false
      if (lf === -1) return octets
      at = lf + 1
      if (!this.#inHeader) this.#linesLeft--
      else if (this.#empty) this.#inHeader = false
      this.#empty = true
      this.done = !this.#inHeader && this.#linesLeft === 0
    }
    return octets.subarray(0, at)
  }
}
