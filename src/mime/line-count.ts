import { LF } from '../core/bytes.js'

/** Below this many octets a plain loop is faster than setting up a view. */
const SHORT = 64
/** Words whose marks fit into one octet each before they have to be added up. */
const BATCH = 252

/** LFs among the octets `from` to `to` (not included), counted sixteen octets at a time. */
export function countLineFeeds(buffer: Buffer, from: number, to: number): number {
  let count = 0
  let at = from
  if (to - from >= SHORT) {
    while ((buffer.byteOffset + at) % 4 !== 0) if (buffer[at++] === LF) count++
    const words = new Int32Array(buffer.buffer, buffer.byteOffset + at, (to - at) >> 2)
    let word = 0
    for (const whole = words.length & ~3; word < whole; ) {
      const first = word
      const stop = Math.min(first + BATCH, whole)
      let others = 0
      for (; word < stop; word += 4)
        others =
          (others +
            others4(words[word] as number) +
            others4(words[word + 1] as number) +
            others4(words[word + 2] as number) +
            others4(words[word + 3] as number)) |
          0
      count += 4 * (word - first)
      count -= (others & 0xff) + ((others >>> 8) & 0xff) + ((others >>> 16) & 0xff) + (others >>> 24)
    }
    at += word * 4
  }
  for (; at < to; at++) if (buffer[at] === LF) count++
  return count
}

/** A mark in each octet of the word that is no LF: its top bit is set where it differs from LF in any bit. */
function others4(word: number): number {
  const differing = word ^ 0x0a0a0a0a
  return ((((differing & 0x7f7f7f7f) + 0x7f7f7f7f) | differing) >>> 7) & 0x01010101
}

/** Within this many octets a plain loop finds a line end sooner than a call. */
const NEAR = 80

/** The index of the next LF from `from` on and before `end`, where the buffer ends too, or -1. */
export function lineFeedAt(buffer: Buffer, from: number, end: number): number {
  const near = Math.min(from + NEAR, end)
  for (let i = from; i < near; i++) if (buffer[i] === LF) return i
  return near === end ? -1 : buffer.indexOf(LF, near)
}
