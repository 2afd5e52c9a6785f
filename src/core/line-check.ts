import { CR, LF } from './bytes.js'
import { octetProgram } from './octet-program.js'

/** Octets of one look; what comes before them is part of it. */
export const LINE_CHECK_OCTETS = 32_768

const CONTEXT = 16
const LETTER = 0x61
const BAD = 1
const DOTTED = 2

/**
 * What there is in a run of octets: lines without NUL that all end in CRLF, the same with a dot at the start of one, or
 * anything else.
 */
export type LineCheck = 'clean' | 'dotted' | 'odd'

/**
 * Null where there is no SIMD: then every run of octets is looked at line by line.
 * 16 octets at a time (WebAssembly SIMD): is each LF right behind a CR and each CR before an LF, is there a NUL, and
 * does a dot stand behind an LF? After each 128 octets there may be many none of which is below 14, and 64 of them are
 * passed over at a time, where the octet before them is none such either. It looks at the octets from 16 on; those at 15 and before are what came before them. In words:
 *
 *     (func (export "f") (param $end i32) (result i32)    ;; $end: 15 and the number of octets
 *       (local $at i32) (local $stop i32) (local $bad v128) (local $dot v128) (local $octets v128) (local $before v128)
 *       (local $LF v128) (local $CR v128) (local $DOT v128) (local $least v128) (local $nul v128) (local $LOW v128)
 *       $at = 15;  $nul = $LF
 *       (loop
 *         $least = 255;  $stop = min($at + 128, $end)
 *         (loop
 *           $octets = load $at + 1;  $before = load $at
 *           $bad |= ($octets == $LF) ^ ($before == $CR)
 *           $dot |= ($octets == $DOT) & ($before == $LF)
 *           $least = min($least, $octets)
 *           $at += 16
 *           (br_if 0 ($at < $stop)))
 *         $nul = min($nul, $least)
 *         (block
 *           (br_if 0 (load8 $at < 14))
 *           (loop
 *             (br_if 1 ($at + 64 >= $end))
 *             (br_if 1 (!all_true(min(load $at + 1, load $at + 17, load $at + 33, load $at + 49) >= $LOW)))
 *             $at += 64
 *             (br 0)))
 *         (br_if 0 ($at < $end)))
 *       any_true($bad) | !all_true($nul) | any_true($dot) << 1)
 */
const program = octetProgram(2, 10, [
  ...[0x41, 0x0a, 0xfd, 0x0f, 0x22, 7, 0x21, 11], // $LF = splat 10, $nul
  ...[0x41, 0x0d, 0xfd, 0x0f, 0x21, 8], // $CR = splat 13
  ...[0x41, 0x2e, 0xfd, 0x0f, 0x21, 9], // $DOT = splat 46
  ...[0x41, 0x0e, 0xfd, 0x0f, 0x21, 12], // $LOW = splat 14
  ...[0x41, 0x0f, 0x21, 1], // $at = 15
  ...[0x03, 0x40], // loop
  ...[0x41, 0x7f, 0xfd, 0x0f, 0x21, 10], // $least = splat 255
  ...[0x20, 1, 0x41, 0x80, 0x01, 0x6a, 0x22, 2, 0x20, 0], // $at + 128, $end
  ...[0x20, 2, 0x20, 0, 0x49, 0x1b, 0x21, 2], // i32.lt_u, select, $stop
  ...[0x03, 0x40], // loop
  ...[0x20, 1, 0xfd, 0x00, 0x00, 0x01, 0x21, 5], // $octets = v128.load offset=1 $at
  ...[0x20, 1, 0xfd, 0x00, 0x00, 0x00, 0x21, 6], // $before = v128.load $at
  ...[0x20, 5, 0x20, 7, 0xfd, 0x23], // i8x16.eq $octets $LF
  ...[0x20, 6, 0x20, 8, 0xfd, 0x23], // i8x16.eq $before $CR
  ...[0xfd, 0x51, 0x20, 3, 0xfd, 0x50, 0x21, 3], // $bad = $bad | xor
  ...[0x20, 5, 0x20, 9, 0xfd, 0x23], // i8x16.eq $octets $DOT
  ...[0x20, 6, 0x20, 7, 0xfd, 0x23], // i8x16.eq $before $LF
  ...[0xfd, 0x4e, 0x20, 4, 0xfd, 0x50, 0x21, 4], // $dot = $dot | and
  ...[0x20, 10, 0x20, 5, 0xfd, 0x77, 0x21, 10], // $least = i8x16.min_u $least $octets
  ...[0x20, 1, 0x41, 0x10, 0x6a, 0x22, 1], // $at += 16
  ...[0x20, 2, 0x49, 0x0d, 0x00, 0x0b], // br_if 0 ($at < $stop), end
  ...[0x20, 11, 0x20, 10, 0xfd, 0x77, 0x21, 11], // $nul = i8x16.min_u $nul $least
  ...[0x02, 0x40], // block
  ...[0x20, 1, 0x2d, 0x00, 0x00, 0x41, 0x0e, 0x49, 0x0d, 0x00], // br_if 0 (i32.load8_u $at < 14)
  ...[0x03, 0x40], // loop
  ...[0x20, 1, 0x41, 0xc0, 0x00, 0x6a, 0x20, 0, 0x4f, 0x0d, 0x01], // br_if 1 ($at + 64 >= $end)
  ...[0x20, 1, 0xfd, 0x00, 0x00, 0x01, 0x20, 1, 0xfd, 0x00, 0x00, 0x11, 0xfd, 0x77], // min of offsets 1 and 17,
  ...[0x20, 1, 0xfd, 0x00, 0x00, 0x21, 0xfd, 0x77, 0x20, 1, 0xfd, 0x00, 0x00, 0x31, 0xfd, 0x77], // 33, 49
  ...[0x20, 12, 0xfd, 0x2c, 0xfd, 0x63, 0x45, 0x0d, 0x01], // i8x16.ge_u $LOW, all_true, eqz, br_if 1
  ...[0x20, 1, 0x41, 0xc0, 0x00, 0x6a, 0x21, 1, 0x0c, 0x00], // $at += 64, br 0
  ...[0x0b, 0x0b], // end, end
  ...[0x20, 1, 0x20, 0, 0x49, 0x0d, 0x00, 0x0b], // br_if 0 ($at < $end), end
  ...[0x20, 3, 0xfd, 0x53, 0x20, 11, 0xfd, 0x63, 0x45, 0x72], // any_true $bad, all_true $nul, eqz, or
  ...[0x20, 4, 0xfd, 0x53, 0x41, 0x01, 0x74, 0x72], // any_true $dot << 1, or
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
  const end = CONTEXT + length
  for (let i = end; i < end + CONTEXT; i++) memory[i] = LETTER
  if (octets[length - 1] === CR) memory[end] = LF
  const found = run(end - 1)
  return (found & BAD) !== 0 ? 'odd' : (found & DOTTED) !== 0 ? 'dotted' : 'clean'
}
