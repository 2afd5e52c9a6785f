import { Tokenizer } from 'htmlparser2'

/** What stands around an element in the text: a new line, or an empty line as well. */
const blocks: ReadonlyMap<string, 1 | 2> = new Map([
  ...[
    'p',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'ul',
    'ol',
    'dl',
    'blockquote',
    'pre',
    'table',
    'figure',
    'hr',
  ].map((name) => [name, 2] as const),
  ...[
    'div',
    'li',
    'tr',
    'dt',
    'dd',
    'section',
    'article',
    'header',
    'footer',
    'nav',
    'aside',
    'main',
    'address',
  ].map((name) => [name, 1] as const),
  ...[
    'form',
    'fieldset',
    'legend',
    'figcaption',
    'caption',
    'center',
    'option',
    'details',
    'summary',
    'body',
  ].map((name) => [name, 1] as const),
])
/** Elements whose content is not text to be read. */
const hidden: ReadonlySet<string> = new Set([
  'head',
  'title',
  'style',
  'script',
  'template',
  'object',
  'svg',
  'select',
])
const LONGEST_NAME = 16
const DEEPEST_QUOTE = 20

/**
 * The text of an HTML body as a reader sees it: blocks on lines of their own, list items with marks, quotes with `> `,
 * cells apart, the target of a link after its text where the two differ, `alt` for images. Tags are recognised by
 * htmlparser2; any input is taken; linear time, no recursion.
 */
export function htmlToText(html: string): string {
  return new TextWriter(html).text()
}

class TextWriter {
  readonly #html: string
  readonly #out: string[]
  /** Line ends due before the next text; -1 while nothing has been written. */
  #breaks: number
  #space: boolean
  #hiddenName: string
  #hiddenDepth: number
  #preDepth: number
  #quoteDepth: number
  /** For each open list the number of its next item, or 0 for bullets. */
  readonly #lists: number[]
  #tag: string
  #attribute: string
  #value: string
  #href: string
  #link: string
  #linkText: string
  #alt: string

  constructor(html: string) {
    this.#html = html
    this.#out = []
    this.#breaks = -1
    this.#space = false
    this.#hiddenName = ''
    this.#hiddenDepth = 0
    this.#preDepth = 0
    this.#quoteDepth = 0
    this.#lists = []
    this.#tag = ''
    this.#attribute = ''
    this.#value = ''
    this.#href = ''
    this.#link = ''
    this.#linkText = ''
    this.#alt = ''
  }

  text(): string {
    const html = this.#html
    const name = (start: number, end: number): string =>
      end - start > LONGEST_NAME ? '' : html.slice(start, end).toLowerCase()
    const opened = (): void => this.#open(this.#tag)
    const tokenizer = new Tokenizer(
      { xmlMode: false, decodeEntities: true },
      {
        ontext: (start, end) => this.#write(html.slice(start, end)),
        ontextentity: (codepoint) => this.#write(String.fromCodePoint(codepoint)),
        onopentagname: (start, end) => {
          this.#tag = name(start, end)
          this.#href = ''
          this.#alt = ''
        },
        onattribname: (start, end) => {
          this.#attribute = name(start, end)
          this.#value = ''
        },
        onattribdata: (start, end) => {
          if (this.#attribute === 'href' || this.#attribute === 'alt') this.#value += html.slice(start, end)
        },
        onattribentity: (codepoint) => {
          if (this.#attribute === 'href' || this.#attribute === 'alt')
            this.#value += String.fromCodePoint(codepoint)
        },
        onattribend: () => {
          if (this.#attribute === 'href') this.#href = this.#value
          else if (this.#attribute === 'alt') this.#alt = this.#value
        },
        onopentagend: opened,
        onselfclosingtag: opened,
        onclosetag: (start, end) => this.#close(name(start, end)),
        oncdata: () => undefined,
        oncomment: () => undefined,
        ondeclaration: () => undefined,
        onprocessinginstruction: () => undefined,
        onend: () => undefined,
      },
    )
    tokenizer.write(html)
    tokenizer.end()
    return this.#out.join('')
  }

  #open(tag: string): void {
    if (this.#hiddenDepth > 0) {
      if (tag === this.#hiddenName) this.#hiddenDepth++
      // a head or an object that is never closed must not hide the body
      else if (tag === 'body') this.#hiddenDepth = 0
      else return
    }
    if (hidden.has(tag)) {
      this.#hiddenName = tag
      this.#hiddenDepth = 1
      return
    }
    this.#break(blocks.get(tag) ?? 0)
    switch (tag) {
      case 'br':
        if (this.#breaks !== -1) this.#breaks++
        this.#space = false
        break
      case 'hr':
        this.#write('---')
        this.#break(2)
        break
      case 'pre':
        this.#preDepth++
        break
      case 'blockquote':
        this.#quoteDepth++
        break
      case 'ul':
        this.#lists.push(0)
        break
      case 'ol':
        this.#lists.push(1)
        break
      case 'li':
        this.#item()
        break
      case 'td':
      case 'th':
        this.#space = true
        break
      case 'img':
        if (this.#alt !== '') this.#write(this.#alt)
        break
      case 'a':
        this.#endLink()
        this.#link = /^(?:https?|ftp|mailto):/i.test(this.#href.trim()) ? this.#href.trim() : ''
        this.#linkText = ''
        break
    }
  }

  #close(tag: string): void {
    if (this.#hiddenDepth > 0) {
      if (tag === this.#hiddenName) this.#hiddenDepth--
      return
    }
    if (tag === 'a') this.#endLink()
    this.#break(blocks.get(tag) ?? 0)
    if (tag === 'pre' && this.#preDepth > 0) this.#preDepth--
    else if (tag === 'blockquote' && this.#quoteDepth > 0) this.#quoteDepth--
    else if (tag === 'ul' || tag === 'ol') this.#lists.pop()
    else if (tag === 'p' && this.#breaks === -1) this.#space = false
  }

  #item(): void {
    const number = this.#lists.at(-1) ?? 0
    if (number > 0) this.#lists[this.#lists.length - 1] = number + 1
    this.#piece(number === 0 ? '-' : `${number}.`)
    this.#space = true
  }

  #endLink(): void {
    const link = this.#link
    this.#link = ''
    if (link === '' || this.#linkText.trim() === '') return
    const bare = link.replace(/^mailto:/i, '')
    if (this.#linkText.includes(bare)) return
    this.#space = true
    this.#write(`<${bare}>`)
  }

  #break(lines: number): void {
    if (lines === 0) return
    if (this.#breaks !== -1 && this.#breaks < lines) this.#breaks = lines
    this.#space = false
  }

  #write(text: string): void {
    if (this.#hiddenDepth > 0) return
    if (this.#preDepth > 0) {
      for (const [i, line] of text.split(/\r?\n/).entries()) {
        if (i > 0 && this.#breaks !== -1) this.#breaks++
        if (line !== '') this.#piece(line)
      }
      return
    }
    const flat = text.replace(/[ \t\r\n\f\u00a0]+/g, ' ')
    const bare = flat.trim()
    if (flat.startsWith(' ')) this.#space = true
    if (bare === '') return
    this.#piece(bare)
    this.#space = flat.endsWith(' ')
  }

  #piece(text: string): void {
    const quote = '> '.repeat(Math.min(this.#quoteDepth, DEEPEST_QUOTE))
    if (this.#breaks === -1) this.#out.push(quote)
    else if (this.#breaks > 0) {
      const empty = `\n${quote.trimEnd()}`
      this.#out.push(empty.repeat(Math.min(this.#breaks, 3) - 1), '\n', quote)
    } else if (this.#space) this.#out.push(' ')
    this.#breaks = 0
    this.#space = false
    this.#out.push(text)
    if (this.#link !== '' && this.#linkText.length < 2_048) this.#linkText += text
  }
}
