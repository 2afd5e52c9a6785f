import { MailError } from '../core/index.js'

/** POP3's lock: one exclusive holder a mailbox; everyone else goes on beside it. */
export class ExclusiveHolders {
  readonly #held: Set<string>

  constructor() {
    this.#held = new Set()
  }

  /** Takes the lock where the mode asks for it, and returns the way to let go. MailError `inUse`. */
  take(mailbox: string, mode: 'read' | 'write' | 'exclusive'): () => void {
    if (mode !== 'exclusive') return () => undefined
    if (this.#held.has(mailbox)) throw new MailError('inUse', 'another session holds the mailbox')
    this.#held.add(mailbox)
    return () => this.#held.delete(mailbox)
  }
}
