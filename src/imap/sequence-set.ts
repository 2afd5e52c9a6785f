/** The largest number a set may hold: 2^32 - 1 (RFC 3501 section 9, nz-number). */
export const MAX_NUMBER = 4_294_967_295

/** Stands for `*`: larger than every number. */
export const STAR = Number.POSITIVE_INFINITY

/** One range, both ends included, in either order; an end may be STAR. */
export type SequenceRange = readonly [first: number, last: number]

/**
 * A set of sequence numbers or UIDs as ranges, never spelt out: `1:4294967295` costs one range.
 *
 *     sequence-set = (seq-number / seq-range) *("," sequence-set)
 */
export type SequenceSet = readonly SequenceRange[]

/**
 * The set of `text`, or null where it is not one.
 * A set of more than `maxRanges` ranges is not one either.
 */
export function parseSequenceSet(text: string, maxRanges = 10_000): SequenceSet | null {
  const ranges: SequenceRange[] = []
  let at = 0
  for (;;) {
    const comma = text.indexOf(',', at)
    const item = comma === -1 ? text.slice(at) : text.slice(at, comma)
    const colon = item.indexOf(':')
    const first = parseNumber(colon === -1 ? item : item.slice(0, colon))
    const last = colon === -1 ? first : parseNumber(item.slice(colon + 1))
    if (first === null || last === null || ranges.length === maxRanges) return null
    ranges.push([first, last])
    if (comma === -1) return ranges
    at = comma + 1
  }
}

function parseNumber(text: string): number | null {
  if (text === '*') return STAR
  if (!/^[1-9][0-9]{0,9}$/.test(text)) return null
  const value = Number(text)
  return value <= MAX_NUMBER ? value : null
}

/** The set with `*` as `largest`, each range ascending, sorted and without overlap. */
export function resolveSequenceSet(set: SequenceSet, largest: number): readonly SequenceRange[] {
  const ranges: [number, number][] = set.map(([first, last]) => {
    const a = first === STAR ? largest : first
    const b = last === STAR ? largest : last
    return a <= b ? [a, b] : [b, a]
  })
  ranges.sort((a, b) => a[0] - b[0])
  const merged: [number, number][] = []
  for (const range of ranges) {
    const last = merged.at(-1)
    if (last !== undefined && range[0] <= last[1] + 1) last[1] = Math.max(last[1], range[1])
    else merged.push(range)
  }
  return merged
}

/** `1:3,5,7:9` for numbers in ascending order, each once. */
export function formatNumbers(numbers: readonly number[]): string {
  let text = ''
  for (let i = 0; i < numbers.length; ) {
    let j = i
    while (j + 1 < numbers.length && numbers[j + 1] === (numbers[j] as number) + 1) j++
    const range = i === j ? `${numbers[i]}` : `${numbers[i]}:${numbers[j]}`
    text += text === '' ? range : `,${range}`
    i = j + 1
  }
  return text
}
