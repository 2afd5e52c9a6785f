import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readPage, root } from './pages.js'

/** `docs/rfc.md` is a table: RFC, title, what is done, where, test. */
const rows = [...readPage('docs/rfc.md').matchAll(/^\| (\d+)( †)? \|(.*)\|$/gm)].map(
  ([, number, , rest = '']) => {
    const [title = '', done = '', where = '', test = ''] = rest.split('|').map((cell) => cell.trim())
    return { number: Number(number), title, done, where: paths(where), test: paths(test) }
  },
)

/** The paths in a cell; `a/b.ts, c.ts` are two of one folder. */
function paths(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] as string)
}

/** Every RFC that the source names, with the files that do. */
function cited(): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>()
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue
    const file = `src/${entry.replaceAll('\\', '/')}`
    for (const [, number] of readFileSync(join(root, file), 'utf8').matchAll(/\bRFC (\d+)/g)) {
      found.set(Number(number), [...(found.get(Number(number)) ?? []), file])
    }
  }
  return found
}

it('lists every RFC that the source names, each once, in order', () => {
  const numbers = rows.map(({ number }) => number)
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  expect([...cited().keys()].filter((number) => !numbers.includes(number)).sort((a, b) => a - b)).toEqual([])
})

it('says what is done, where, and in which test', () => {
  for (const { number, title, done, where, test } of rows) {
    expect(title, `${number}`).not.toBe('')
    expect(done, `${number}`).toMatch(/^(yes|partly: .+|no(: .+)?)$/)
    if (done.startsWith('no')) continue
    expect(where.length, `RFC ${number} is done somewhere`).toBeGreaterThan(0)
    expect(test.length, `RFC ${number} has a test`).toBeGreaterThan(0)
  }
})

it('names files and folders that are there', () => {
  const missing = rows.flatMap(({ number, where, test }) =>
    [...where.map((path) => `src/${path}`), ...test.map((path) => `test/${path}`)]
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `RFC ${number}: ${path}`),
  )
  expect(missing).toEqual([])
})

it('names a file that cites the RFC, where any does', () => {
  const citations = cited()
  const wrong = rows.filter(({ number, where }) => {
    const files = citations.get(number) ?? []
    return files.length > 0 && !where.some((path) => files.some((file) => file.startsWith(`src/${path}`)))
  })
  expect(wrong.map(({ number }) => number)).toEqual([])
})
