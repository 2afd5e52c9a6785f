import { UsageError } from './errors.js'

/** A limit's default and the range a host may set it to, both ends included. */
export interface LimitRule {
  readonly default: number
  readonly min: number
  readonly max: number
}

/** The resolved numbers of a table of rules. */
export type Limits<R extends Readonly<Record<string, LimitRule>>> = { readonly [K in keyof R]: number }

/**
 * The defaults of `rules` with what the host gave. Throws UsageError `LIMIT` for an unknown name, a value that is
 * not a whole number (Infinity is allowed where `max` is Infinity), or one out of range.
 */
export function resolveLimits<R extends Readonly<Record<string, LimitRule>>>(
  rules: R,
  given: Partial<Limits<R>> = {},
): Limits<R> {
  const resolved: Record<string, number> = {}
  for (const [name, rule] of Object.entries(rules)) resolved[name] = rule.default
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined) {
      throw new UsageError('LIMIT', `unknown limit "${name}"; known: ${Object.keys(rules).join(', ')}`)
    }
    const whole = Number.isInteger(value) || (value === Number.POSITIVE_INFINITY && rule.max === value)
    if (!whole || value < rule.min || value > rule.max) {
      throw new UsageError(
        'LIMIT',
        `limit "${name}" must be a whole number from ${rule.min} to ${rule.max}, not ${value}`,
      )
    }
    resolved[name] = value
  }
  return resolved as Limits<R>
}
