import { CR, CRLF, LF } from '../../core/bytes.js'

/** Makes CRLF of every bare CR and bare LF in octets that come in chunks. Untouched octets stay views. */
export class LineEnds {
  #lastCr: boolean

  constructor() {
    this.#lastCr = false
  }

  /** The pieces of the chunk in order; a CR at its end waits for the next chunk or for `end`. */
  write(chunk: Buffer): Uint8Array[] {
    const out: Uint8Array[] = []
    let from = 0
    let at = 0
    let nextCr = -1
    let nextLf = -1
    if (this.#lastCr && chunk.length > 0) {
      out.push(CRLF)
      this.#lastCr = false
      if (chunk[0] === LF) from = at = 1
    }
    while (at < chunk.length) {
      if (nextCr < at) nextCr = find(chunk, CR, at)
      if (nextLf < at) nextLf = find(chunk, LF, at)
      const end = Math.min(nextCr, nextLf)
      if (end === chunk.length) break
      if (nextCr + 1 === nextLf && nextLf < chunk.length) {
        at = nextLf + 1
        continue
      }
      if (end > from) out.push(chunk.subarray(from, end))
      from = at = end + 1
      if (end === nextCr && at === chunk.length) this.#lastCr = true
      else out.push(CRLF)
    }
    if (from < chunk.length) out.push(chunk.subarray(from))
    return out
  }

  /** What is left at the end, of a message that needs no CRLF there. */
  end(): Uint8Array[] {
    const out = this.#lastCr ? [CRLF] : []
    this.#lastCr = false
    return out
  }
}

function find(chunk: Buffer, octet: number, at: number): number {
  const found = chunk.indexOf(octet, at)
  return found === -1 ? chunk.length : found
}
