import { expect, test } from 'vitest'
import { countLineFeeds, lineFeedAt } from '../../src/mime/line-count.js'

test('line feeds are counted between any two places of a buffer of any size', () => {
  for (const size of [1, 63, 64, 200, 5_000, 65_519, 65_520, 65_521, 200_000]) {
    const buffer = Buffer.alloc(size, 'x')
    for (let at = 0; at < size; at += 7) buffer[at] = 10
    const within = (from: number, to: number): number => Math.ceil(to / 7) - Math.ceil(from / 7)
    const places = [0, 1, 7, 8, 100, 40_000, size >> 1, size - 65, size - 1, size]
    for (const from of places)
      for (const to of places)
        if (from >= 0 && from <= to && to <= size)
          expect([size, from, to, countLineFeeds(buffer, from, to)]).toEqual([
            size,
            from,
            to,
            within(from, to),
          ])
    // what stands behind a view is not its own
    expect(countLineFeeds(buffer.subarray(0, size >> 1), 0, size >> 1)).toBe(within(0, size >> 1))
  }
})

test('the next line feed is found near and far', () => {
  for (const at of [0, 79, 80, 81, 500]) {
    const buffer = Buffer.alloc(600, 'x')
    buffer[at] = 10
    expect(lineFeedAt(buffer, 0, 600)).toBe(at)
    expect(lineFeedAt(buffer, at + 1, 600)).toBe(-1)
  }
})
