import type {
  AbortReason,
  CommitResult,
  EnvelopeStart,
  MessageTags,
  Recipient,
  Reply,
  Transaction,
} from '../../interfaces/index.js'
import type { HeaderTags } from './header-tags.js'
import type { SubmissionHeader } from './submission-header.js'

/** A mail transaction as the session keeps it: the delivery's own, and what it was told. */
export class SessionTransaction {
  readonly envelope: EnvelopeStart
  /** The reply in place of a commit, once the delivery has failed in the middle of the message. */
  failure: Reply | null
  readonly #delivery: Transaction
  readonly #header: SubmissionHeader | null
  readonly #tags: HeaderTags | null
  readonly #failed: (error: unknown) => Reply
  readonly #recipients: Recipient[]
  /** By mailbox: which of the recipients it is. Null until there is one to compare with. */
  #known: Map<string, number> | null
  /** For each RCPT that was accepted, in order, which of the recipients it named. */
  readonly #accepted: number[]

  /**
   * `header` mends the message on its way, `tags` reads what it asks for; `failed` makes a reply of what the delivery
   * rejected with.
   */
  constructor(
    envelope: EnvelopeStart,
    delivery: Transaction,
    header: SubmissionHeader | null,
    tags: HeaderTags | null,
    failed: (error: unknown) => Reply,
  ) {
    this.envelope = envelope
    this.failure = null
    this.#delivery = delivery
    this.#header = header
    this.#tags = tags
    this.#failed = failed
    this.#recipients = []
    this.#known = null
    this.#accepted = []
  }

  /** Those that the delivery has taken, each once. */
  get recipients(): readonly Recipient[] {
    return this.#recipients
  }

  /** True where the mailbox is one of the recipients already, and now has been named again. */
  repeats(recipient: Recipient): boolean {
    if (this.#recipients.length === 0) return false
    this.#known ??= new Map(this.#recipients.map((each, index) => [keyOf(each), index]))
    const index = this.#known.get(keyOf(recipient))
    if (index !== undefined) this.#accepted.push(index)
    return index !== undefined
  }

  recipient(recipient: Recipient): Promise<Reply | undefined> {
    return this.#delivery.recipient(recipient)
  }

  /** The delivery has taken the recipient. */
  accepted(recipient: Recipient): void {
    this.#accepted.push(this.#recipients.length)
    this.#known?.set(keyOf(recipient), this.#recipients.length)
    this.#recipients.push(recipient)
  }

  ready(): Promise<Reply | undefined> {
    return this.#delivery.ready()
  }

  /** Never throws or rejects: a failure ends the delivery's transaction, and the client hears of it when it may. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.failure !== null) return undefined
    this.#tags?.write(chunk)
    if (this.#header === null) return this.#write(chunk)
    const pieces = this.#header.write(chunk)
    return pieces.length === 1 ? this.#write(pieces[0] as Uint8Array) : this.#writeAll(pieces)
  }

  /** What the complete message asks for; undefined where nobody wants to know. */
  tags(): MessageTags | undefined {
    return this.#tags?.tags(this.envelope, this.#recipients)
  }

  async commit(received: Uint8Array, tags: MessageTags | undefined): Promise<CommitResult> {
    if (this.#header !== null) await this.#writeAll(this.#header.end())
    return this.failure === null ? this.#delivery.commit(received, tags) : { reply: this.failure }
  }

  /** The message is complete, and refused with `reply`. */
  async refuse(reply: Reply): Promise<CommitResult> {
    if (this.failure === null) await this.#delivery.abort('refused')
    return { reply: this.failure ?? reply }
  }

  abort(reason: AbortReason): Promise<void> {
    return this.#delivery.abort(reason)
  }

  /** A reply for each RCPT that was accepted (RFC 2033 section 4.2), of one for each recipient. */
  repliesFor(replies: readonly Reply[], missing: Reply): readonly Reply[] {
    return this.#accepted.map((index) => replies[index] ?? missing)
  }

  #write(chunk: Uint8Array): Promise<void> | undefined {
    try {
      return this.#delivery.write(chunk)?.catch((error: unknown) => this.#fail(error))
    } catch (error) {
      return this.#fail(error)
    }
  }

  async #writeAll(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) if (this.failure === null) await this.#write(piece)
  }

  async #fail(error: unknown): Promise<void> {
    this.failure = this.#failed(error)
    try {
      await this.#delivery.abort('refused')
    } catch (again) {
      this.#failed(again)
    }
  }
}

function keyOf({ localPart, domain }: Recipient): string {
  return `${localPart}@${domain}`
}
