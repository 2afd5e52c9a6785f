import type { UserSession } from './user-session.js'

/**
 * IDLE (RFC 2177): what happens to the selected mailbox is told as it happens. One look-up runs at a time; changes
 * that come meanwhile are told by the next.
 */
export class Idle {
  readonly #session: UserSession
  readonly #failed: (error: unknown) => Promise<void>
  #telling: Promise<void> | null
  #busy: boolean
  #ended: boolean

  /** `failed` is told when a look-up fails; the next change brings the next one. */
  constructor(session: UserSession, failed: (error: unknown) => Promise<void>) {
    this.#session = session
    this.#failed = failed
    this.#telling = null
    this.#busy = false
    this.#ended = false
  }

  /** Tells what is already known, and from now on what comes. */
  begin(): void {
    this.#session.engine.idling()
    this.#session.onChange = () => this.#look()
    this.#look()
  }

  /** Resolves when nothing more will be told. */
  async end(): Promise<void> {
    this.#session.onChange = () => undefined
    this.#ended = true
    await this.#telling
  }

  #look(): void {
    if (!this.#busy) this.#telling = this.#tell()
  }

  async #tell(): Promise<void> {
    const session = this.#session
    this.#busy = true
    try {
      do {
        await session.tell(true)
        session.flow.wake()
        await session.drain()
      } while (session.selected?.changed === true && !this.#ended)
    } catch (error) {
      await this.#failed(error)
      session.flow.wake()
    } finally {
      this.#busy = false
    }
  }
}
