import { asBuffer, MailError, UsageError } from '../../core/index.js'
import type { Body, MessageFacts, Staged } from '../../interfaces/index.js'

/** Octets and facts of a message, shared by all its copies. */
export interface Content {
  readonly data: Buffer
  readonly facts: MessageFacts
}

export class MemoryBody implements Body {
  readonly content: Content
  #discarded: boolean

  constructor(content: Content) {
    this.content = content
    this.#discarded = false
  }

  get size(): number {
    return this.content.data.length
  }

  get discarded(): boolean {
    return this.#discarded
  }

  async discard(): Promise<void> {
    this.#discarded = true
  }
}

export class MemoryStaged implements Staged {
  readonly #limit: number
  #chunks: Uint8Array[] | null
  #size: number

  constructor(limit: number) {
    this.#limit = limit
    this.#chunks = []
    this.#size = 0
  }

  write(chunk: Uint8Array): void {
    const chunks = this.#open()
    this.#size += chunk.length
    if (this.#size > this.#limit) {
      this.#chunks = []
    } else {
      chunks.push(chunk)
    }
  }

  async seal(facts: MessageFacts, prefix?: Uint8Array): Promise<Body> {
    const chunks = this.#open()
    this.#chunks = null
    if (this.#size > this.#limit)
      throw new MailError('tooLarge', `a message has at most ${this.#limit} octets`)
    const all = prefix === undefined ? chunks : [prefix, ...chunks]
    return new MemoryBody({ data: Buffer.concat(all.map(asBuffer)), facts })
  }

  async abort(): Promise<void> {
    this.#chunks = null
  }

  #open(): Uint8Array[] {
    if (this.#chunks === null) throw new UsageError('STAGED', 'the message is sealed or aborted')
    return this.#chunks
  }
}
