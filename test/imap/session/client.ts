import type { MemoryDuplex } from '../../../src/testing/index.js'

/** The client's end of a connection, for tests that a script cannot say. */
export class TestClient {
  readonly duplex: MemoryDuplex
  #text: string
  #tag: number
  ended: boolean

  constructor(duplex: MemoryDuplex) {
    this.duplex = duplex
    this.#text = ''
    this.#tag = 0
    this.ended = false
  }

  send(text: string): void {
    void this.duplex.write([Buffer.from(text, 'latin1')])
  }

  /** What has come up to and including the first match; reads on until there is one. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#text)
      if (found !== null) return this.#take(found.index + found[0].length)
      if (!(await this.#read())) throw new Error(`the connection ended before ${pattern}: ${this.#text}`)
    }
  }

  /** Sends a command and gives everything up to its tagged reply; takes time in proportion to that. */
  async command(text: string): Promise<string> {
    const tag = `t${++this.#tag} `
    this.send(`${tag}${text}\r\n`)
    const pieces = [this.#take(this.#text.length)]
    const ends = new RegExp(`(?:^|\\n)${tag}.*\r\n$`)
    for (let tail = pieces[0] ?? ''; !ends.test(tail); tail = `${tail}${this.#text}`.slice(-2000)) {
      pieces.push(this.#take(this.#text.length))
      if (!(await this.#read())) throw new Error(`the connection ended within ${text}: ${pieces.join('')}`)
    }
    return pieces.join('') + this.#take(this.#text.length)
  }

  /** Sends the beginning of a command with the tag `x` and waits for the continuation request. */
  begin(text: string): Promise<string> {
    this.send(`x ${text}\r\n`)
    return this.until(/^\+ .*\r\n/m)
  }

  /** Everything until the connection ends. */
  async rest(): Promise<string> {
    while (await this.#read());
    return this.#text
  }

  #take(end: number): string {
    const text = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    return text
  }

  async #read(): Promise<boolean> {
    const chunk = await this.duplex.read().catch(() => null)
    if (chunk === null) {
      this.ended = true
      return false
    }
    this.#text += Buffer.from(chunk).toString('latin1')
    return true
  }
}

/** `target` with some of its methods replaced; each override is given the method it replaces, bound. */
export function override<T extends object>(
  target: T,
  overrides: { readonly [K in keyof T]?: (original: T[K]) => T[K] },
): T {
  const replaced = new Map<string | symbol, unknown>()
  const get = (name: string | symbol): unknown => {
    const value = Reflect.get(target, name, target) as unknown
    return typeof value === 'function' ? value.bind(target) : value
  }
  for (const name of Object.keys(overrides) as (keyof T & string)[]) {
    replaced.set(name, overrides[name]?.(get(name) as T[typeof name]))
  }
  return new Proxy(target, { get: (_, name) => replaced.get(name) ?? get(name) })
}

/** Lets everything that is ready to run do so. */
export async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}
