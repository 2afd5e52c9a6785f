import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The pages people read, by their paths from the root. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
]

/** A fenced block: ```` ```language name ````. */
export interface Block {
  readonly page: string
  /** Of its first line in the page, from 1. */
  readonly line: number
  readonly language: string
  /** Empty where it has none. */
  readonly name: string
  readonly text: string
}

export function readPage(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** Every fenced block of every page. */
export function blocks(language: string): readonly Block[] {
  return pages.flatMap((page) => blocksOf(page)).filter((block) => block.language === language)
}

function blocksOf(page: string): Block[] {
  const found: Block[] = []
  let open: { readonly line: number; readonly info: string; readonly lines: string[] } | null = null
  for (const [index, line] of readPage(page).split('\n').entries()) {
    if (!line.startsWith('```')) {
      open?.lines.push(line)
    } else if (open === null) {
      open = { line: index + 2, info: line.slice(3).trim(), lines: [] }
    } else {
      const [language = '', name = ''] = open.info.split(' ')
      found.push({ page, line: open.line, language, name, text: `${open.lines.join('\n')}\n` })
      open = null
    }
  }
  if (open !== null) throw new Error(`${page}:${open.line}: the block has no end`)
  return found
}

/** Where the relative links of a page lead, from the root, without their `#`. */
export function links(page: string): readonly string[] {
  return [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] as string)
    .filter((target) => !/^(https?:|mailto:|#)/.test(target))
    .map((target) => join(dirname(page), target.replace(/#.*$/, '')))
}
