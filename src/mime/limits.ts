import { type Limits, resolveLimits } from '../core/limits.js'

/**
 * The bounds of every MIME reader. What is over one is kept raw and named as a defect; nothing is refused:
 *
 * - `headerBlock`: octets of one header block. A longer block ends at the last line that fits, the rest is a raw leaf.
 * - `headerFields`: fields of one header block. Later ones stay in the raw octets and are not looked at.
 * - `depth`: containers (multipart, message/rfc822) open at once. A deeper one is a leaf.
 * - `parts`: parts of one message. The rest of the message after the last one is one raw leaf more.
 * - `parameters`: parameters of one field. Later ones are not looked at.
 */
export const mimeLimitRules = {
  headerBlock: { default: 1_048_576, min: 1_024, max: 67_108_864 },
  headerFields: { default: 2_000, min: 1, max: 100_000 },
  depth: { default: 100, min: 0, max: 500 },
  parts: { default: 10_000, min: 1, max: 1_000_000 },
  parameters: { default: 100, min: 1, max: 10_000 },
} as const

/** See `mimeLimitRules` for each limit's default, range and outcome. */
export type MimeLimits = Limits<typeof mimeLimitRules>

const defaults: MimeLimits = resolveLimits(mimeLimitRules)

/** The defaults with what was given. UsageError `LIMIT` for a limit out of range. */
export function mimeLimits(given: Partial<MimeLimits> | undefined): MimeLimits {
  return given === undefined ? defaults : resolveLimits(mimeLimitRules, given)
}
