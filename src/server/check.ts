import { UsageError } from '../core/errors.js'

/** Checks one value of a configuration; `key` is its full name, as in `listen.smtp`. Throws UsageError `CONFIG`. */
export type Check = (value: unknown, key: string) => void

/** The error that every check throws: it names the key and says what to write instead. */
export function configError(key: string, message: string): UsageError {
  return new UsageError('CONFIG', key === '' ? message : `${key}: ${message}`)
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * An object with these keys and no other. A check whose key is not there is not called. `elsewhere` says what to write for
 * keys that are known from other programs.
 */
export function object(
  shape: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
  elsewhere: Readonly<Record<string, string>> = {},
): Check {
  return (value, key) => {
    if (!isPlainObject(value)) throw configError(key, `must be an object, not ${show(value)}`)
    const prefix = key === '' ? '' : `${key}.`
    for (const [name, item] of Object.entries(value)) {
      const check = Object.hasOwn(shape, name) ? shape[name] : undefined
      if (check === undefined) {
        const mend = Object.hasOwn(elsewhere, name) ? elsewhere[name] : nearest(name, Object.keys(shape))
        throw configError(`${prefix}${name}`, `there is no such setting; ${mend}`)
      }
      if (item !== undefined) check(item, `${prefix}${name}`)
    }
    for (const name of required) {
      if (value[name] === undefined) throw configError(`${prefix}${name}`, 'is missing')
    }
  }
}

/** What to write for a name that is not known: the one that was meant, where one is near, and all that there are. */
function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((each) => distance(name.toLowerCase(), each.toLowerCase()))
  const least = Math.min(...distances)
  const meant =
    least <= Math.max(1, Math.floor(name.length / 4)) ? known[distances.indexOf(least)] : undefined
  return `${meant === undefined ? '' : `did you mean "${meant}"? `}known here: ${known.join(', ')}`
}

/** How many characters are wrong, missing, too many or swapped with their neighbours. */
function distance(a: string, b: string): number {
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] as number) + (a[i] === b[j] ? 0 : 1)
      const swapped =
        i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j] ? (before[j - 1] as number) + 1 : replaced
      next.push(Math.min(replaced, swapped, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    before = row
    row = next
  }
  return row[b.length] as number
}

/** An object with names of the user's choosing. */
export function record(checkName: Check, checkItem: Check): Check {
  return (value, key) => {
    if (!isPlainObject(value)) throw configError(key, `must be an object, not ${show(value)}`)
    for (const [name, item] of Object.entries(value)) {
      checkName(name, `${key}["${name}"]`)
      checkItem(item, `${key}["${name}"]`)
    }
  }
}

/** A string that is not empty; `wanted` says what it stands for. */
export function text(wanted: string, test: (value: string) => boolean = () => true): Check {
  return (value, key) => {
    if (typeof value !== 'string' || value === '' || !test(value)) {
      throw configError(key, `must be ${wanted}, not ${show(value)}`)
    }
  }
}

export function choice(...values: readonly string[]): Check {
  return (value, key) => {
    if (typeof value !== 'string' || !values.includes(value)) {
      throw configError(
        key,
        `must be one of ${values.map((each) => `"${each}"`).join(', ')}, not ${show(value)}`,
      )
    }
  }
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): Check {
  return (value, key) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw configError(key, `must be a whole number from ${min} to ${max}, not ${show(value)}`)
    }
  }
}

export const yesOrNo: Check = (value, key) => {
  if (typeof value !== 'boolean') throw configError(key, `must be true or false, not ${show(value)}`)
}

export const aFunction: Check = (value, key) => {
  if (typeof value !== 'function') throw configError(key, `must be a function, not ${show(value)}`)
}

/** A limit for an address, its /26 and its /21. */
export function byPrefix(check: Check): Check {
  return (value, key) => {
    list(check)(value, key)
    if ((value as readonly unknown[]).length !== 3) {
      throw configError(
        key,
        'must be three numbers: for an address, its /26 and its /21, as in [30, 90, 270]',
      )
    }
  }
}

export function list(check: Check): Check {
  return (value, key) => {
    if (!Array.isArray(value)) throw configError(key, `must be a list, not ${show(value)}`)
    for (const [index, item] of value.entries()) check(item, `${key}[${index}]`)
  }
}

/** A list of addresses and networks that are trusted, each looked at by `check`. */
export function trustedList(check: Check): Check {
  return (value, key) => {
    if (!Array.isArray(value)) {
      const example = '["192.0.2.1", "10.0.0.0/8"]'
      throw configError(key, `must be a list of the addresses and networks to trust, as in ${example}`)
    }
    list(check)(value, key)
  }
}

/** One item, or a list of them. */
export function oneOrMore(check: Check): Check {
  return (value, key) => (Array.isArray(value) ? list(check)(value, key) : check(value, key))
}

/** Something the host plugs in: an object with these methods. */
export function plugin(wanted: string, ...methods: readonly string[]): Check {
  return (value, key) => {
    const host = value as Readonly<Record<string, unknown>> | null
    const fits = typeof value === 'object' && methods.every((name) => typeof host?.[name] === 'function')
    if (!fits || value === null) throw configError(key, `must be ${wanted} with ${methods.join(', ')}`)
  }
}
