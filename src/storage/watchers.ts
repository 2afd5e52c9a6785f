import type { Logger, MailboxId } from '../interfaces/index.js'

type Listener = (mailbox: MailboxId) => void

/** Who wants to hear of commits in one account. A listener that throws is logged and harms nobody. */
export class Watchers {
  readonly #logger: Logger
  readonly #listeners: Set<{ readonly call: Listener }>

  constructor(logger: Logger) {
    this.#logger = logger
    this.#listeners = new Set()
  }

  add(call: Listener): () => void {
    const entry = { call }
    this.#listeners.add(entry)
    return () => this.#listeners.delete(entry)
  }

  tell(mailbox: MailboxId): void {
    for (const { call } of [...this.#listeners]) {
      try {
        call(mailbox)
      } catch (error) {
        this.#logger.log('error', 'storage.listenerFailed', { mailbox, error: String(error) })
      }
    }
  }
}
