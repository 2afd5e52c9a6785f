import { LF } from '../core/bytes.js'
import { OCTET_MEMORY, octetProgram } from '../core/octet-program.js'

/** Below this many octets a plain loop is faster than a call. */
const SHORT = 64
/** Octets of one look. */
const STEP = OCTET_MEMORY - 16

/**
 * 16 octets at a time (WebAssembly SIMD), the LFs before `$end`, from which on 16 octets are no LF. Where to begin stands
 * in its upper half. In words:
 *
 *     (func (export "f") (param $end i32) (result i32) (local $at i32) (local $count i32) (local $LF v128)
 *       $at = $end >> 16;  $end = $end & 65535
 *       (loop
 *         $count += popcnt(bitmask(load $at == $LF))
 *         $at += 16
 *         (br_if 0 ($at < $end)))
 *       $count)
 */
const program = octetProgram(2, 1, [
  ...[0x41, 0x0a, 0xfd, 0x0f, 0x21, 3], // $LF = splat 10
  ...[0x20, 0, 0x41, 0x10, 0x76, 0x21, 1], // $at = i32.shr_u $end 16
  ...[0x20, 0, 0x41, 0xff, 0xff, 0x03, 0x71, 0x21, 0], // $end = i32.and $end 65535
  ...[0x03, 0x40], // loop
  ...[0x20, 1, 0xfd, 0x00, 0x00, 0x00], // v128.load $at
  ...[0x20, 3, 0xfd, 0x23, 0xfd, 0x64, 0x69], // i8x16.eq $LF, bitmask, popcnt
  ...[0x20, 2, 0x6a, 0x21, 2], // $count +=
  ...[0x20, 1, 0x41, 0x10, 0x6a, 0x22, 1], // $at += 16
  ...[0x20, 0, 0x49, 0x0d, 0x00, 0x0b], // br_if 0 ($at < $end), end
  ...[0x20, 2], // $count
])

/** LFs among the octets `from` to `to` (not included). */
export function countLineFeeds(buffer: Buffer, from: number, to: number): number {
  let count = 0
  let at = from
  if (program !== null && to - from >= SHORT) {
    const { memory, run } = program
    // a view costs more than to copy what is not looked at
    if (buffer.length <= STEP && buffer.length <= 2 * (to - from)) {
      memory.set(buffer)
      for (let i = to; i < to + 16; i++) memory[i] = 0
      return run((from << 16) | to)
    }
    for (; at < to; at += STEP) {
      const size = Math.min(to - at, STEP)
      memory.set(new Uint8Array(buffer.buffer, buffer.byteOffset + at, size))
      for (let i = size; i < size + 16; i++) memory[i] = 0
      count += run(size)
    }
    return count
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
