import type { Body } from '../../interfaces/index.js'
import type { Contents } from './contents.js'

/** The octets of a small message, and the buffer in which they lie. */
export interface SmallMessage {
  readonly octets: Uint8Array
  readonly buffer: Buffer
}

/** A complete message: a small one still in memory, a larger one in the database already. */
export class SqlBody implements Body {
  readonly size: number
  /** JSON. */
  readonly facts: string
  /** Its number in the database, once it is there. */
  cid: number | null
  readonly contents: Contents
  #small: SmallMessage | null
  #discarded: boolean

  /** `small` is null where the octets are pieces in the database. */
  constructor(
    contents: Contents,
    size: number,
    facts: string,
    small: SmallMessage | null,
    cid: number | null,
  ) {
    this.contents = contents
    this.size = size
    this.facts = facts
    this.cid = cid
    this.#small = small
    this.#discarded = false
    if (small === null && cid !== null) contents.holdFor(this, cid)
  }

  /** Null where they are pieces in the database, and after `discard`. */
  get octets(): Uint8Array | null {
    return this.#small?.octets ?? null
  }

  get discarded(): boolean {
    return this.#discarded
  }

  async discard(): Promise<void> {
    if (this.#discarded) return
    this.#discarded = true
    const small = this.#small
    this.#small = null
    if (small !== null) this.contents.buffers.give(small.buffer)
    else if (this.cid !== null) this.contents.discard(this, this.cid)
  }
}
