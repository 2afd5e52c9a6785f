/** Bits of the hash, and so buckets: a table has a few dozen keywords at most. */
const MASK = 127

interface Entry<T> {
  /** In lower case. */
  readonly codes: readonly number[]
  readonly value: T
}

/**
 * Finds what belongs to a keyword (ASCII, in any case) where it stands in a text. To take the keyword out and look it up
 * in a Map costs three times as much, and every command of a session is looked up.
 */
export class KeywordTable<T> {
  readonly #buckets: readonly (readonly Entry<T>[])[]

  constructor(entries: Iterable<readonly [keyword: string, value: T]>) {
    const buckets: Entry<T>[][] = Array.from({ length: MASK + 1 }, () => [])
    for (const [keyword, value] of entries) {
      buckets[hashOf(keyword, 0, keyword.length)]?.push({ codes: codesOf(keyword.toLowerCase()), value })
    }
    this.#buckets = buckets
  }

  /** What belongs to the keyword from `from` to `to`. */
  find(text: string, from: number, to: number): T | undefined {
    if (from === to) return undefined
    const bucket = this.#buckets[hashOf(text, from, to)] as readonly Entry<T>[]
    for (let i = 0; i < bucket.length; i++) {
      const { codes, value } = bucket[i] as Entry<T>
      if (isKeyword(text, from, to, codes)) return value
    }
    return undefined
  }
}

function hashOf(text: string, from: number, to: number): number {
  const first = text.charCodeAt(from) | 0x20
  const last = text.charCodeAt(to - 1) | 0x20
  return (first * 5 + last * 3 + (to - from)) & MASK
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
  for (let i = 0; i < codes.length; i++) {
    const code = text.charCodeAt(from + i)
    if (code === codes[i]) continue
    if (code < 0x41 || code > 0x5a || (code | 0x20) !== codes[i]) return false
  }
  return true
}
