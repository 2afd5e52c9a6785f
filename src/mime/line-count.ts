import { LF } from '../core/bytes.js'

/** Below this many octets a plain loop is faster than setting up a view. */
const SHORT = 64
/** Words whose marks fit into one octet each before they have to be added up. */
const BATCH = 255

/** LFs among the octets `from` to `to` (not included), counted four octets at a time. */
export function countLineFeeds(buffer: Buffer, from: number, to: number): number {
  let count = 0
  let at = from
  if (to - from >= SHORT) {
    while ((buffer.byteOffset + at) % 4 !== 0) if (buffer[at++] === LF) count++
    const words = new Int32Array(buffer.buffer, buffer.byteOffset + at, (to - at) >> 2)
    for (let word = 0; word < words.length; ) {
      const stop = Math.min(word + BATCH, words.length)
      let marks = 0
      for (; word < stop; word++) {
        const differing = (words[word] as number) ^ 0x0a0a0a0a
        // the top bit of each octet is set where it differs from LF in any bit
        const top = ((differing & 0x7f7f7f7f) + 0x7f7f7f7f) | differing
        marks = (marks + ((~top >>> 7) & 0x01010101)) | 0
      }
      count += (marks & 0xff) + ((marks >>> 8) & 0xff) + ((marks >>> 16) & 0xff) + (marks >>> 24)
    }
    at += words.length * 4
  }
  for (; at < to; at++) if (buffer[at] === LF) count++
  return count
}

/** Within this many octets a plain loop finds a line end sooner than a call. */
const NEAR = 80

/** The index of the next LF from `from` on and before `end`, where the buffer ends too, or -1. */
export function lineFeedAt(buffer: Buffer, from: number, end: number): number {
  const near = Math.min(from + NEAR, end)
  for (let i = from; i < near; i++) if (buffer[i] === LF) return i
  return near === end ? -1 : buffer.indexOf(LF, near)
}
