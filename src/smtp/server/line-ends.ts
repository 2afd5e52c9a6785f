import { CR, LF } from '../../core/bytes.js'

/**
 * Makes CRLF of every bare CR and bare LF in octets that come in chunks. One buffer comes of a chunk, however many line
 * ends it has, and the chunk itself where it has none that is bare.
 */
export class LineEnds {
  /** The chunk before ended with CR, whose LF is written already: it may yet come. */
  #afterCr: boolean

  constructor() {
    this.#afterCr = false
  }

  write(chunk: Buffer): Buffer {
    if (chunk.length === 0) return chunk
    const octets = this.#afterCr && chunk[0] === LF ? chunk.subarray(1) : chunk
    this.#afterCr = chunk[chunk.length - 1] === CR
    const bare = countBare(octets)
    return bare === 0 ? octets : mended(octets, bare)
  }
}

/** What each lacks is one octet. A CR at the end counts as bare. */
function countBare(octets: Buffer): number {
  let bare = 0
  for (let at = 0; at < octets.length; at++) {
    if (octets[at] === CR) {
      if (octets[at + 1] === LF) at++
      else bare++
    } else if (octets[at] === LF) bare++
  }
  return bare
}

function mended(octets: Buffer, bare: number): Buffer {
  const out = Buffer.allocUnsafe(octets.length + bare)
  let end = 0
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at] as number
    if (octet === CR || octet === LF) {
      out[end++] = CR
      out[end++] = LF
      if (octet === CR && octets[at + 1] === LF) at++
    } else out[end++] = octet
  }
  return out
}
