/** UIDs as ranges that only grow at their upper end: which messages are recent in a session. */
export class UidRanges {
  /** First and last of each range, in ascending order, without overlap. */
  readonly #ranges: { readonly first: number; last: number }[]

  constructor() {
    this.#ranges = []
  }

  /** Adds `first` to `last`, both included; what is not above everything added before changes nothing. */
  add(first: number, last: number): void {
    const top = this.#ranges.at(-1)
    const from = top === undefined ? first : Math.max(first, top.last + 1)
    if (from > last) return
    if (top !== undefined && from === top.last + 1) top.last = last
    else this.#ranges.push({ first: from, last })
  }

  has(uid: number): boolean {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ranges[middle] as { last: number }).last < uid) low = middle + 1
      else high = middle
    }
    const range = this.#ranges[low]
    return range !== undefined && range.first <= uid
  }

  /** How many of the ascending UIDs are in it: O(log n) a range. */
  count(uids: readonly number[]): number {
    let total = 0
    for (const { first, last } of this.#ranges) total += lowerBound(uids, last + 1) - lowerBound(uids, first)
    return total
  }
}

/** How many of the ascending numbers are below `value`. */
export function lowerBound(numbers: readonly number[], value: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
