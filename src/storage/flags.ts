import { MailError } from '../core/index.js'
import type { Flags } from '../interfaces/index.js'

const system = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'] as const
const systemBits = new Map(system.map((flag, bit) => [flag.toLowerCase(), bit]))
/** Keywords that have a bit of their own; the mask must stay within 31 bits. */
const DIRECT = 26
const KEYWORD_OCTETS = 255
/** Sets kept although no message has them any more. */
const SPARE_SETS = 4_096

export const SEEN = 1 << 3

/**
 * A set of flags in numbers: bits 0 to 4 of `mask` are the system flags, bits 5 to 30 the mailbox's first keywords,
 * and `more` lists the indexes of its other keywords, ascending and divided by commas.
 */
export interface FlagCode {
  readonly mask: number
  readonly more: string
}

/** The keywords of one mailbox, and one array for each set of flags in it. Keywords are never taken back. */
export class FlagTable {
  #keywords: readonly string[]
  readonly #limit: number
  readonly #indexes: Map<string, number>
  readonly #sets: Map<number | string, Flags>
  readonly #codes: WeakMap<Flags, FlagCode>

  constructor(keywords: readonly string[], limit: number) {
    this.#keywords = keywords
    this.#limit = limit
    this.#indexes = new Map(keywords.map((keyword, index) => [keyword.toLowerCase(), index]))
    this.#sets = new Map()
    this.#codes = new WeakMap()
  }

  /** A new array whenever a keyword was added. */
  get keywords(): readonly string[] {
    return this.#keywords
  }

  /** True when so many sets are kept that `prune` is due. */
  crowded(messages: number): boolean {
    return this.#sets.size > SPARE_SETS + 2 * messages
  }

  /** Forgets every set that is not among these. */
  prune(inUse: Iterable<Flags>): void {
    this.#sets.clear()
    for (const flags of inUse) {
      const code = this.codeOf(flags)
      this.#sets.set(keyOf(code.mask, code.more), flags)
    }
  }

  /** The array for a set in numbers. */
  decode(mask: number, more: string): Flags {
    const key = keyOf(mask, more)
    const known = this.#sets.get(key)
    if (known !== undefined) return known
    const flags: string[] = system.filter((_, bit) => (mask & (1 << bit)) !== 0)
    for (let i = 0; i < DIRECT; i++) {
      if ((mask & (1 << (i + system.length))) !== 0) flags.push(this.#keywords[i] ?? '')
    }
    for (const index of indexesOf(more)) flags.push(this.#keywords[index] ?? '')
    Object.freeze(flags)
    this.#sets.set(key, flags)
    this.#codes.set(flags, { mask, more })
    return flags
  }

  /** The numbers of an array that this table gave out. */
  codeOf(flags: Flags): FlagCode {
    return this.#codes.get(flags) ?? this.#encode(flags)
  }

  /**
   * The array for flags from anywhere, in any case and order; keywords not known yet are added. `\Recent` and
   * backslash flags that no store keeps are left out. Throws MailError `limit`, and then adds nothing.
   */
  resolve(flags: Flags): Flags {
    const { mask, more } = this.codeOf(flags)
    return this.decode(mask, more)
  }

  /** What a message with `current` has after `operand` (both given out by this table) is added, removed or put. */
  combine(current: Flags, mode: 'add' | 'remove' | 'replace', operand: Flags): Flags {
    if (mode === 'replace') return operand
    const a = this.codeOf(current)
    const b = this.codeOf(operand)
    if (mode === 'add')
      return this.decode(a.mask | b.mask, a.more === b.more ? a.more : union(a.more, b.more))
    const gone = new Set(indexesOf(b.more))
    const more = gone.size === 0 ? a.more : listOf(indexesOf(a.more).filter((index) => !gone.has(index)))
    return this.decode(a.mask & ~b.mask, more)
  }

  #encode(flags: Flags): FlagCode {
    let mask = 0
    const more: number[] = []
    const added = new Map<string, string>()
    for (const flag of flags) {
      const lower = flag.toLowerCase()
      if (lower.startsWith('\\')) {
        const bit = systemBits.get(lower)
        if (bit !== undefined) mask |= 1 << bit
        continue
      }
      if (lower === '' || lower.length > KEYWORD_OCTETS) {
        throw new MailError('limit', `a keyword has 1 to ${KEYWORD_OCTETS} characters`)
      }
      if (!this.#indexes.has(lower) && !added.has(lower)) added.set(lower, flag)
    }
    this.#add(added)
    for (const flag of flags) {
      const index = this.#indexes.get(flag.toLowerCase())
      if (index === undefined) continue
      if (index < DIRECT) mask |= 1 << (index + system.length)
      else more.push(index)
    }
    return { mask, more: listOf(more) }
  }

  #add(added: ReadonlyMap<string, string>): void {
    if (added.size === 0) return
    if (this.#keywords.length + added.size > this.#limit) {
      throw new MailError('limit', `a mailbox holds at most ${this.#limit} keywords`)
    }
    for (const lower of added.keys()) this.#indexes.set(lower, this.#indexes.size)
    this.#keywords = [...this.#keywords, ...added.values()]
  }
}

function keyOf(mask: number, more: string): number | string {
  return more === '' ? mask : `${mask}:${more}`
}

function indexesOf(more: string): readonly number[] {
  return more === '' ? [] : more.split(',').map(Number)
}

function union(a: string, b: string): string {
  if (a === '' || b === '') return a + b
  return listOf([...indexesOf(a), ...indexesOf(b)])
}

function listOf(indexes: readonly number[]): string {
  if (indexes.length === 0) return ''
  return [...new Set(indexes)].sort((a, b) => a - b).join(',')
}
