import type { Body } from '../../interfaces/index.js'
import type { StoredRecord } from '../messages/read-records.js'
import type { Contents } from './contents.js'

/** A complete message, in the log, though perhaps not yet synced. Its segment is held until `discard`. */
export class SqlBody implements Body, StoredRecord {
  readonly contents: Contents
  readonly cid: number
  readonly size: number
  readonly place: number
  /** See facts-text.ts. */
  readonly facts: string
  /** Whether it has been appended; its content may be gone again. */
  stored: boolean
  #discarded: boolean

  constructor(contents: Contents, { cid, size, place }: StoredRecord, facts: string) {
    this.contents = contents
    this.cid = cid
    this.size = size
    this.place = place
    this.facts = facts
    this.stored = false
    this.#discarded = false
  }

  get discarded(): boolean {
    return this.#discarded
  }

  async discard(): Promise<void> {
    if (this.#discarded) return
    this.#discarded = true
    this.contents.letGo(this)
  }
}
