import { CR, LF } from './bytes.js'
import { octetProgram } from './octet-program.js'

/** Octets of one look; what comes before them is part of it. */
export const LINE_CHECK_OCTETS = 16_384

const CONTEXT = 16
const LETTER = 0x61
const BAD = 1
const DOTTED = 2

/** What there is in a run of octets: lines that all end in CRLF, the same with a dot at the start of one, or anything else. */
export type LineCheck = 'clean' | 'dotted' | 'odd'

/**
 * Null where there is no SIMD: then every run of octets is looked at line by line.
 * 16 octets at a time (WebAssembly SIMD): is each LF right behind a CR and each CR before an LF, and does a dot stand
 * behind an LF? It looks at the octets from 16 on; those at 15 and before are what came before them. In words:
 *
 *     (func (export "f") (param $end i32) (result i32)    ;; $end: 15 and the number of octets
 *       (local $at i32) (local $bad v128) (local $dot v128) (local $octets v128) (local $before v128)
 *       (local $LF v128) (local $CR v128) (local $DOT v128)
 *       $at = 15
 *       (loop
 *         $octets = load $at + 1;  $before = load $at
 *         $bad |= ($octets == $LF) ^ ($before == $CR)
 *         $dot |= ($octets == $DOT) & ($before == $LF)
 *         $at += 16
 *         (br_if 0 ($at < $end)))
 *       any_true($bad) | any_true($dot) << 1)
 */
const program = octetProgram(1, 7, [
  ...[0x41, 0x0a, 0xfd, 0x0f, 0x21, 6], // $LF = splat 10
  ...[0x41, 0x0d, 0xfd, 0x0f, 0x21, 7], // $CR = splat 13
  ...[0x41, 0x2e, 0xfd, 0x0f, 0x21, 8], // $DOT = splat 46
  ...[0x41, 0x0f, 0x21, 1], // $at = 15
  ...[0x03, 0x40], // loop
  ...[0x20, 1, 0xfd, 0x00, 0x00, 0x01, 0x21, 4], // $octets = v128.load offset=1 $at
  ...[0x20, 1, 0xfd, 0x00, 0x00, 0x00, 0x21, 5], // $before = v128.load $at
  ...[0x20, 4, 0x20, 6, 0xfd, 0x23], // i8x16.eq $octets $LF
  ...[0x20, 5, 0x20, 7, 0xfd, 0x23], // i8x16.eq $before $CR
  ...[0xfd, 0x51, 0x20, 2, 0xfd, 0x50, 0x21, 2], // $bad = $bad | xor
  ...[0x20, 4, 0x20, 8, 0xfd, 0x23], // i8x16.eq $octets $DOT
  ...[0x20, 5, 0x20, 6, 0xfd, 0x23], // i8x16.eq $before $LF
  ...[0xfd, 0x4e, 0x20, 3, 0xfd, 0x50, 0x21, 3], // $dot = $dot | and
  ...[0x20, 1, 0x41, 0x10, 0x6a, 0x22, 1], // $at += 16
  ...[0x20, 0, 0x49, 0x0d, 0x00, 0x0b], // br_if 0 ($at < $end), end
  ...[0x20, 2, 0xfd, 0x53], // any_true $bad
  ...[0x20, 3, 0xfd, 0x53, 0x41, 0x01, 0x74, 0x72], // any_true $dot << 1, or
])

/**
 * Looks at up to `LINE_CHECK_OCTETS` octets at once; `before` is the octet before them, LF for the beginning of a line. A CR
 * at the very end is left to what follows. `odd` also where there is no way to look.
 */
export function checkLines(octets: Uint8Array, before: number): LineCheck {
  const { length } = octets
  if (program === null || length === 0 || length > LINE_CHECK_OCTETS) return 'odd'
  const { memory, run } = program
  memory[CONTEXT - 1] = before
  memory.set(octets, CONTEXT)
  memory.fill(LETTER, CONTEXT + length, CONTEXT + length + CONTEXT)
  if (octets[length - 1] === CR) memory[CONTEXT + length] = LF
  const found = run(CONTEXT - 1 + length)
  return (found & BAD) !== 0 ? 'odd' : (found & DOTTED) !== 0 ? 'dotted' : 'clean'
}
