import type { Delivery, EnvelopeStart, Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import { scanMailbox } from '../grammar/index.js'

/** RFC 6409 section 6.1. */
const NOT_YOUR_SENDER = reply(550, '5.7.1', 'That sender address does not belong to your login')

/** Which addresses a client that has logged in may use for its own. */
export class SenderRights {
  readonly #delivery: Delivery
  readonly #checked: boolean

  /** `checked` on submission, unless the host does without; only a delivery that knows owners can say. */
  constructor(delivery: Delivery, checked: boolean) {
    this.#delivery = delivery
    this.#checked = checked && delivery.owns !== undefined
  }

  /** Why the reverse-path is refused; undefined where nobody needs to be asked, or where it may be used. */
  refusal(
    { reversePath, smtpUtf8 }: EnvelopeStart,
    user: string | null,
  ): Promise<Reply | undefined> | undefined {
    if (!this.#checked || user === null || reversePath === '') return undefined
    return this.#owns(user, reversePath, smtpUtf8).then((owned) => (owned ? undefined : NOT_YOUR_SENDER))
  }

  /** AUTH= is believed of a submission's own mailbox; elsewhere of whom the host has let log in (RFC 4954 section 5). */
  async maySpeakFor(auth: string, user: string | null): Promise<boolean> {
    if (user === null) return false
    return this.#checked ? this.#owns(user, auth, false) : true
  }

  async #owns(user: string, address: string, utf8: boolean): Promise<boolean> {
    const sender = scanMailbox(address, 0, true, utf8)
    return typeof sender !== 'string' && (await this.#delivery.owns?.(sender.mailbox, user)) === true
  }
}
