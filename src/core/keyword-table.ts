/** Bits of the hash, and so buckets: a table has a few dozen keywords at most. */
const MASK = 127

interface Entry<T> {
  /** In lower case. */
  readonly codes: readonly number[]
  readonly value: T
}

/**
 * Finds what belongs to a keyword (ASCII, in any case) where it stands in a text or among octets. To take the keyword out and look it up
 * in a Map costs three times as much, and every command of a session is looked up.
 */
export class KeywordTable<T> {
  readonly #buckets: readonly (readonly Entry<T>[])[]

  constructor(entries: Iterable<readonly [keyword: string, value: T]>) {
    const buckets: Entry<T>[][] = Array.from({ length: MASK + 1 }, () => [])
    for (const [keyword, value] of entries) {
      const codes = codesOf(keyword.toLowerCase())
      buckets[hashOf(codes[0] ?? 0, codes.at(-1) ?? 0, codes.length)]?.push({ codes, value })
    }
    this.#buckets = buckets
  }

  /** What belongs to the keyword from `from` to `to`. */
  find(text: string, from: number, to: number): T | undefined {
    if (from === to) return undefined
    const bucket = this.#bucket(text.charCodeAt(from), text.charCodeAt(to - 1), to - from)
    for (let i = 0; i < bucket.length; i++) {
      const { codes, value } = bucket[i] as Entry<T>
      if (isKeyword(text, from, to, codes)) return value
    }
    return undefined
  }

  /** The same among octets. */
  findOctets(octets: Uint8Array, from: number, to: number): T | undefined {
    if (from === to) return undefined
    const bucket = this.#bucket(octets[from] as number, octets[to - 1] as number, to - from)
    for (let i = 0; i < bucket.length; i++) {
      const { codes, value } = bucket[i] as Entry<T>
      if (areKeyword(octets, from, to, codes)) return value
    }
    return undefined
  }

  #bucket(first: number, last: number, length: number): readonly Entry<T>[] {
    return this.#buckets[hashOf(first, last, length)] as readonly Entry<T>[]
  }
}

function hashOf(first: number, last: number, length: number): number {
  return ((first | 0x20) * 5 + (last | 0x20) * 3 + length) & MASK
}

/** The code of each character, which are faster to compare than a string. */
export function codesOf(text: string): readonly number[] {
  const codes: number[] = []
  for (let i = 0; i < text.length; i++) codes.push(text.charCodeAt(i))
  return codes
}

/** Whether the keyword from `from` to `to` is the one with those codes, which are in lower case; ASCII in any case. */
export function isKeyword(text: string, from: number, to: number, codes: readonly number[]): boolean {
  if (to - from !== codes.length) return false
  for (let i = 0; i < codes.length; i++) if (!isLetter(text.charCodeAt(from + i), codes[i])) return false
  return true
}

function areKeyword(octets: Uint8Array, from: number, to: number, codes: readonly number[]): boolean {
  if (to - from !== codes.length) return false
  for (let i = 0; i < codes.length; i++) if (!isLetter(octets[from + i] as number, codes[i])) return false
  return true
}

function isLetter(code: number, lower: number | undefined): boolean {
  return code === lower || (code >= 0x41 && code <= 0x5a && (code | 0x20) === lower)
}
