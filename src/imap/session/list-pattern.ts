const INBOX = 'INBOX'

/**
 * A mailbox name with wildcards (RFC 3501 section 6.3.8): `*` stands for any characters, `%` for any but the
 * hierarchy delimiter. Matching takes time in proportion to name times pattern, whatever the pattern; one with
 * more letters than the name is refused at sight.
 */
export class ListPattern {
  readonly #pattern: string
  readonly #inbox: string
  readonly #delimiter: string
  readonly #letters: number

  constructor(pattern: string, delimiter: string) {
    const collapsed = pattern.replace(/[*%]{2,}/g, (run) => (run.includes('*') ? '*' : '%'))
    const first = collapsed.slice(0, INBOX.length)
    const after = collapsed[INBOX.length] ?? delimiter
    const inInbox = first.toUpperCase() === INBOX && [delimiter, '*', '%'].includes(after)
    this.#pattern = inInbox ? INBOX + collapsed.slice(INBOX.length) : collapsed
    this.#inbox = collapsed.toUpperCase()
    this.#delimiter = delimiter
    this.#letters = collapsed.replace(/[*%]/g, '').length
  }

  /** A pattern that ends with `%` also finds levels of hierarchy that are no mailboxes themselves. */
  get findsLevels(): boolean {
    return this.#pattern.endsWith('%')
  }

  matches(name: string): boolean {
    if (this.#letters > name.length) return false
    return this.#match(name === INBOX ? this.#inbox : this.#pattern, name)
  }

  #match(pattern: string, name: string): boolean {
    if (pattern === '*') return true
    if (pattern === '%') return !name.includes(this.#delimiter)
    const end = pattern.length
    let places = new Uint8Array(end + 1)
    let next = new Uint8Array(end + 1)
    places[0] = 1
    passWildcards(pattern, places)
    for (let at = 0; at < name.length; at++) {
      const letter = name[at] as string
      next.fill(0)
      let alive = false
      for (let place = 0; place < end; place++) {
        if (places[place] === 0) continue
        const wanted = pattern[place] as string
        if (wanted === '*' || (wanted === '%' && letter !== this.#delimiter)) next[place] = 1
        else if (wanted === letter) next[place + 1] = 1
        else continue
        alive = true
      }
      if (!alive) return false
      passWildcards(pattern, next)
      const swap = places
      places = next
      next = swap
    }
    return places[end] === 1
  }
}

/** A wildcard may stand for nothing. */
function passWildcards(pattern: string, places: Uint8Array): void {
  for (let place = 0; place < pattern.length; place++) {
    if (places[place] === 1 && (pattern[place] === '*' || pattern[place] === '%')) places[place + 1] = 1
  }
}
