import type { Body } from '../../interfaces/index.js'
import type { Contents } from './contents.js'

/** A complete message: a small one still in memory, a larger one in the database already. */
export class SqlBody implements Body {
  readonly size: number
  /** JSON. */
  readonly facts: string
  /** Null where the octets are pieces in the database. */
  readonly data: Uint8Array | null
  /** Its number in the database, once it is there. */
  cid: number | null
  readonly contents: Contents
  #discarded: boolean

  constructor(contents: Contents, size: number, facts: string, data: Uint8Array | null, cid: number | null) {
    this.contents = contents
    this.size = size
    this.facts = facts
    this.data = data
    this.cid = cid
    this.#discarded = false
    if (data === null && cid !== null) contents.holdFor(this, cid)
  }

  get discarded(): boolean {
    return this.#discarded
  }

  async discard(): Promise<void> {
    if (this.#discarded) return
    this.#discarded = true
    if (this.data === null && this.cid !== null) this.contents.discard(this, this.cid)
  }
}
