import type { EnvelopeAddress } from '../interfaces/message-facts.js'
import { encodedWordAt } from './encoded-words.js'
import { plainAddresses } from './plain-addresses.js'
import { isWhite, skipComment, trimWhite, unquote } from './text.js'

/**
 * The addresses of From, To and the like (RFC 5322 sections 3.4 and 4.4: comments, groups, quoted strings, source
 * routes, missing or empty list members), as ENVELOPE shows them: one octet a character, quoting removed, encoded
 * words left as they are. `user@host (Name)` gives the name of its comment. Damage is read as well as it can be: a
 * mailbox without `@` has the host ''. Never throws; linear time, no recursion.
 */
export function parseAddresses(text: string): EnvelopeAddress[] {
  return readAddresses(text, 0, text.length)
}

/** `parseAddresses` of what stands from `from` to `to`, where the text or a run of white space ends. */
export function readAddresses(text: string, from: number, to: number): EnvelopeAddress[] {
  return plainAddresses(text, from, to) ?? parseAnyAddresses(text.slice(from, to))
}

/** `parseAddresses` without its short cut. */
export function parseAnyAddresses(text: string): EnvelopeAddress[] {
  return new AddressParser(text).parse()
}

type Mode = 'phrase' | 'domain' | 'route' | 'angleLocal' | 'angleDomain'

class AddressParser {
  readonly #text: string
  readonly #found: EnvelopeAddress[]
  #mode: Mode
  /** Words of a phrase or a local part not yet told apart, and whether white space stood before each. */
  #words: string[]
  #gaps: boolean[]
  #gap: boolean
  #name: string | null
  #route: string
  #local: string
  #domain: string
  #comment: string
  #inGroup: boolean
  /** A mailbox has just been found, and a separator has not: words that follow belong to nothing, */
  #after: boolean
  /** unless it stood without angle brackets, and brackets follow: then all of it was a name. */
  #bare: boolean
  #quotesEnded: boolean
  #literalsEnded: boolean

  constructor(text: string) {
    this.#text = text
    this.#found = []
    this.#mode = 'phrase'
    this.#words = []
    this.#gaps = []
    this.#gap = false
    this.#name = null
    this.#route = ''
    this.#local = ''
    this.#domain = ''
    this.#comment = ''
    this.#inGroup = false
    this.#after = false
    this.#bare = false
    this.#quotesEnded = false
    this.#literalsEnded = false
  }

  parse(): EnvelopeAddress[] {
    const text = this.#text
    let at = 0
    while (at < text.length) {
      const code = text.charCodeAt(at)
      if (isWhite(code)) {
        this.#gap = true
        at++
      } else if (code === 0x28) at = this.#readComment(at)
      else if (code === 0x22) at = this.#readQuoted(at)
      else if (code === 0x5b && this.#inDomain()) at = this.#readLiteral(at)
      else if (isSpecial(code)) {
        this.#special(code)
        at++
      } else at = this.#readAtom(at)
    }
    this.#separate()
    if (this.#inGroup) this.#endGroup()
    return this.#found
  }

  #inDomain(): boolean {
    return this.#mode === 'domain' || this.#mode === 'angleDomain'
  }

  #readComment(start: number): number {
    const end = skipComment(this.#text, start)
    const closed = this.#text.charCodeAt(end - 1) === 0x29
    const content = trimWhite(unquote(this.#text.slice(start + 1, closed ? end - 1 : end)))
    this.#gap = true
    const last = this.#found.at(-1)
    if (this.#after && this.#words.length === 0) {
      if (last?.name === null && content !== '')
        this.#found[this.#found.length - 1] = { ...last, name: content }
    } else this.#comment = content
    return end
  }

  #readQuoted(start: number): number {
    if (this.#quotesEnded) return start + 1
    let end = start + 1
    for (; end < this.#text.length; end++) {
      const code = this.#text.charCodeAt(end)
      if (code === 0x22) break
      if (code === 0x5c) end++
    }
    if (end >= this.#text.length) {
      this.#quotesEnded = true
      return start + 1
    }
    this.#word(unquote(this.#text.slice(start + 1, end)))
    return end + 1
  }

  #readLiteral(start: number): number {
    const end = this.#literalsEnded ? -1 : this.#text.indexOf(']', start)
    if (end === -1) {
      this.#literalsEnded = true
      this.#word('[')
      return start + 1
    }
    this.#word(this.#text.slice(start, end + 1).replace(/[ \t\r\n]+/g, ''))
    return end + 1
  }

  /** An atom, dots and octets over 127 included, or an encoded word with whatever it holds. */
  #readAtom(start: number): number {
    const text = this.#text
    let end = start
    if (text.charCodeAt(start) === 0x3d) end += encodedWordAt(text, start)
    if (end === start) end++
    while (end < text.length) {
      const code = text.charCodeAt(end)
      if (isWhite(code) || code === 0x28 || code === 0x22 || isSpecial(code)) break
      if (code === 0x5b && this.#inDomain()) break
      end++
    }
    this.#word(text.slice(start, end))
    return end
  }

  #word(word: string): void {
    switch (this.#mode) {
      case 'domain':
        if (this.#gap && this.#domain !== '' && !this.#domain.endsWith('.') && !word.startsWith('.')) {
          this.#finish()
          this.#keep(word)
        } else this.#domain += word
        break
      case 'angleDomain':
        this.#domain += word
        break
      case 'route':
        this.#route += word
        break
      case 'phrase':
      case 'angleLocal':
        this.#keep(word)
        break
    }
    this.#gap = false
  }

  #keep(word: string): void {
    this.#words.push(word)
    this.#gaps.push(this.#gap)
  }

  #special(code: number): void {
    const angle = this.#mode === 'angleLocal' || this.#mode === 'angleDomain' || this.#mode === 'route'
    switch (code) {
      case 0x40:
        this.#at()
        break
      case 0x3c:
        this.#open()
        break
      case 0x3e:
        if (angle) this.#finish()
        break
      case 0x2c:
        if (this.#mode === 'route') this.#route += ','
        else this.#separate()
        break
      case 0x3b:
        this.#separate()
        if (this.#inGroup) this.#endGroup()
        break
      case 0x3a:
        this.#colon()
        break
    }
    this.#gap = false
  }

  #at(): void {
    switch (this.#mode) {
      case 'phrase':
        this.#splitLocal()
        this.#mode = 'domain'
        break
      case 'angleLocal':
        if (this.#words.length === 0) {
          this.#mode = 'route'
          this.#route = '@'
        } else {
          this.#local = this.#takeWords('')
          this.#mode = 'angleDomain'
        }
        break
      case 'route':
        this.#route += '@'
        break
      case 'domain':
      case 'angleDomain':
        this.#local = `${this.#local}@${this.#domain}`
        this.#domain = ''
        break
    }
  }

  #open(): void {
    switch (this.#mode) {
      case 'phrase':
        // `a@b via c <d@e>`: what looked like an address was a name
        this.#name = [this.#after && this.#bare ? this.#takeBack() : '', this.#takeWords(' ')]
          .filter((part) => part)
          .join(' ')
        this.#mode = 'angleLocal'
        break
      case 'domain':
        this.#name = [this.#name, `${this.#local}@${this.#domain}`].filter((part) => part).join(' ')
        this.#local = ''
        this.#domain = ''
        this.#mode = 'angleLocal'
        break
      case 'angleLocal':
      case 'angleDomain':
      case 'route':
        break
    }
    this.#after = false
  }

  #colon(): void {
    if (this.#mode === 'route') this.#mode = 'angleLocal'
    else if (this.#mode === 'angleLocal' || this.#mode === 'angleDomain') this.#word(':')
    else if (this.#mode === 'phrase' && this.#words.length > 0) {
      const name = this.#takeWords(' ')
      // groups do not nest: a second name belongs to nothing
      if (!this.#inGroup) this.#found.push({ name: null, route: null, mailbox: name, host: null })
      this.#inGroup = true
      this.#after = false
      this.#reset()
    }
  }

  /** Of `words before@`, the last one, and those joined to it by dots, are the local part; the rest is a name. */
  #splitLocal(): void {
    const words = this.#words
    let first = Math.max(words.length - 1, 0)
    while (
      first > 0 &&
      (this.#gaps[first] !== true || words[first]?.startsWith('.') || words[first - 1]?.endsWith('.'))
    )
      first--
    this.#local = words.slice(first).join('')
    this.#words = words.slice(0, first)
    this.#name = this.#after ? '' : this.#takeWords(' ')
    this.#words = []
    this.#gaps = []
    this.#after = false
  }

  #takeWords(separator: string): string {
    const words = this.#words
    let joined = words[0] ?? ''
    for (let i = 1; i < words.length; i++) joined += this.#gaps[i] === true ? separator + words[i] : words[i]
    this.#words = []
    this.#gaps = []
    return joined
  }

  /** The text of the last mailbox, which was none. */
  #takeBack(): string {
    const { name, mailbox, host } = this.#found.pop() as EnvelopeAddress
    return [name, `${mailbox}@${host}`].filter((part) => part).join(' ')
  }

  /** A mailbox is complete. */
  #finish(): void {
    this.#bare = this.#mode === 'domain'
    const bareRoute = this.#mode === 'route'
    if (this.#mode === 'angleLocal') this.#local = this.#takeWords('')
    const name = this.#name || this.#comment
    this.#found.push({
      name: name === '' ? null : name,
      route: bareRoute || this.#route === '' ? null : this.#route,
      mailbox: this.#local,
      host: bareRoute ? this.#route.slice(1) : this.#domain,
    })
    this.#reset()
    this.#after = true
  }

  /** A comma, a semicolon or the end. */
  #separate(): void {
    if (this.#mode !== 'phrase') this.#finish()
    else if (this.#words.length > 0 && !this.#after) {
      const single = this.#words.length === 1 && !this.#words[0]?.startsWith('=?')
      const phrase = this.#takeWords(' ')
      const name = single ? this.#comment : phrase
      this.#found.push({
        name: name === '' ? null : name,
        route: null,
        mailbox: single ? phrase : '',
        host: '',
      })
    }
    this.#reset()
    this.#after = false
  }

  #endGroup(): void {
    this.#found.push({ name: null, route: null, mailbox: null, host: null })
    this.#inGroup = false
  }

  #reset(): void {
    this.#mode = 'phrase'
    this.#words = []
    this.#gaps = []
    this.#name = null
    this.#route = ''
    this.#local = ''
    this.#domain = ''
    this.#comment = ''
  }
}

function isSpecial(code: number): boolean {
  return code === 0x40 || code === 0x2c || code === 0x3c || code === 0x3e || code === 0x3a || code === 0x3b
}
