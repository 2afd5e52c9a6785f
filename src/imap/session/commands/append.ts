import { isMailError } from '../../../core/errors.js'
import type { Body, Flags, MailboxInfo, Placed, Staged } from '../../../interfaces/index.js'
import { FactsReader } from '../../../mime/index.js'
import { appendUidCode } from '../../responses.js'
import type { ImapServerEvent } from '../../server-events.js'
import type { Outcome } from '../outcome.js'
import { bad, no, ok, refusal } from '../outcome.js'
import type { UserSession } from '../user-session.js'

type AppendEvent = Extract<ImapServerEvent, { readonly type: 'append' }>

/** What is said where the destination does not exist: the client may create it and try again (RFC 3501 section 7.1). */
export const tryCreate: Outcome = no('No such mailbox', 'TRYCREATE')

/** One message on its way in through APPEND (RFC 3501 section 6.3.11); its octets are never held together. */
export class Append {
  readonly #session: UserSession
  readonly #mailbox: MailboxInfo
  readonly #flags: Flags
  readonly #internalDate: number
  readonly #staged: Staged
  readonly #facts: FactsReader
  #failure: Outcome | null
  #done: boolean

  private constructor(session: UserSession, mailbox: MailboxInfo, event: AppendEvent, staged: Staged) {
    this.#session = session
    this.#mailbox = mailbox
    this.#flags = event.flags
    this.#internalDate = event.internalDate ?? session.clock.now()
    this.#staged = staged
    this.#facts = new FactsReader()
    this.#failure = null
    this.#done = false
  }

  /** Makes ready for the announced message, or says why not. Rejects with MailError where the store does. */
  static async begin(session: UserSession, event: AppendEvent): Promise<Append | Outcome> {
    if (event.size === 0) return no('A message without octets is not kept')
    if (event.size > session.store.features.maxMessageSize) return no('Message is too large', 'TOOBIG')
    const mailbox = await session.account.find(event.mailbox)
    if (mailbox === null || !mailbox.selectable) return tryCreate
    return new Append(session, mailbox, event, await session.store.stage(event.size))
  }

  /** The next octets. A promise is backpressure; it never rejects. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== null) return undefined
    if (chunk.includes(0)) {
      this.#failure = bad('A message must not hold NUL')
      return undefined
    }
    try {
      this.#facts.write(chunk)
      return this.#staged.write(chunk)?.catch((error: unknown) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  /** The message is complete; `abort` comes after this all the same. */
  async finish(): Promise<Outcome> {
    if (this.#failure !== null) return this.#failure
    const facts = this.#facts.end()
    this.#done = true
    const body = await this.#staged.seal(facts)
    const placed = await this.#apply(body)
    if (placed === null) return tryCreate
    this.#session.touch(this.#mailbox.id)
    return ok('Appended', appendUidCode(placed.uidValidity, [placed.uid]))
  }

  /** Drops what was received; safe at any time. */
  async abort(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#staged.abort()
  }

  #fail(error: unknown): void {
    if (!isMailError(error)) this.#session.log('error', 'imap.append', { error: String(error) })
    this.#failure = refusal(error)
  }

  /** Null where the mailbox is gone by now. */
  async #apply(body: Body): Promise<Placed | null> {
    const to = [{ mailbox: this.#mailbox.id, flags: this.#flags, internalDate: this.#internalDate }]
    try {
      const [result] = await this.#session.store.apply([{ type: 'append', body, to }])
      const placed = result?.type === 'append' ? result.placed[0] : undefined
      if (placed === undefined) throw new Error('the store appended nothing')
      return placed
    } catch (error) {
      if (isMailError(error) && error.kind === 'notFound') return null
      throw error
    } finally {
      await body.discard()
    }
  }
}
