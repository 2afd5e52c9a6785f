import type { Body } from '../../interfaces/index.js'
import type { Appended } from '../messages/log-queue.js'
import type { StoredRecord } from '../messages/read-records.js'
import type { Contents } from './contents.js'

/**
 * A complete message with its place in the log, though perhaps not yet written or synced. Its segment is held until
 * `discard`.
 */
export class SqlBody implements Body, StoredRecord {
  readonly contents: Contents
  readonly cid: number
  readonly size: number
  readonly place: number
  readonly #appended: Appended
  /** See facts-text.ts. */
  readonly facts: string
  /** Whether it has been appended; its content may be gone again. */
  stored: boolean
  #discarded: boolean

  constructor(contents: Contents, cid: number, size: number, facts: string, appended: Appended) {
    this.contents = contents
    this.cid = cid
    this.size = size
    this.place = appended.place
    this.#appended = appended
    this.facts = facts
    this.stored = false
    this.#discarded = false
  }

  /** Why it could not be written, if so. */
  get lost(): unknown {
    return this.#appended.lost
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
