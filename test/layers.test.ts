import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const src = fileURLToPath(new URL('../src', import.meta.url))

/** Each room with its floor: it imports from lower floors only, and from its own room. */
const floors: Readonly<Record<string, number>> = {
  core: 0,
  interfaces: 1,
  mime: 2,
  sasl: 2,
  smtp: 3,
  pop3: 3,
  imap: 3,
  tls: 4,
  net: 5,
  storage: 6,
  auth: 6,
  delivery: 6,
  policy: 6,
  server: 7,
  testing: 8,
  cli: 8,
}

/** Rooms that may touch the machine. */
const outside = new Set(['tls', 'net', 'storage', 'auth', 'delivery', 'policy', 'server', 'cli'])
const machine = /^node:(net|tls|dns|fs|child_process|worker_threads|http|https|dgram|cluster)(\/|$)/

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return files(path)
    return /\.ts$/.test(entry.name) ? [path] : []
  })
}

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'"\n]*?(?:\{[^}]*\}[^'"\n]*?)?from\s*['"]([^'"]+)['"]/g,
  )
  const dynamic = text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)
  return [...found, ...dynamic].map((match) => match[1] as string)
}

function roomOf(path: string): string {
  return relative(src, path).split(sep)[0] as string
}

const all = files(src).map((file) => ({
  file: relative(src, file),
  room: roomOf(file),
  imports: imports(file),
}))

it('knows every room', () => {
  const rooms = new Set(all.map(({ room }) => room).filter((room) => !room.endsWith('.ts')))
  expect([...rooms].filter((room) => !(room in floors))).toEqual([])
})

it('sees the imports', () => {
  expect(all.find(({ file }) => file === join('core', 'driver.ts'))?.imports).toContain('./duplex.js')
})

it('holds the order of the rooms', () => {
  const wrong: string[] = []
  for (const { file, room, imports } of all) {
    if (room.endsWith('.ts')) continue
    for (const target of imports) {
      if (!target.startsWith('.')) continue
      const other = roomOf(resolve(src, dirname(file), target))
      if (other === room || other === '..') continue
      const below = (floors[other] ?? Number.POSITIVE_INFINITY) < (floors[room] ?? -1)
      if (!below) wrong.push(`${file} imports ${target}`)
    }
  }
  expect(wrong).toEqual([])
})

it('keeps the machine out of the engines', () => {
  const wrong = all
    .filter(({ room }) => !outside.has(room) && !room.endsWith('.ts'))
    .flatMap(({ file, imports }) =>
      imports.filter((target) => machine.test(target)).map((target) => `${file}: ${target}`),
    )
  expect(wrong).toEqual([])
})
