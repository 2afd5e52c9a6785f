import { MailError } from '../../core/errors.js'
import { expectCommitResult, expectReply, isReplyList } from '../../interfaces/answer.js'
import type {
  AbortReason,
  CommitResult,
  Delivery,
  DeliveryFeatures,
  EnvelopeStart,
  MessageTags,
  Recipient,
  Reply,
  SessionContext,
  Transaction,
} from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'

/** A message as `simpleDelivery` hands it over. */
export interface IncomingMessage {
  /** Empty for the null reverse-path. */
  readonly reversePath: string
  readonly envelope: EnvelopeStart
  /** At least one; each once. */
  readonly recipients: readonly Recipient[]
  readonly context: SessionContext
  /**
   * The message while it comes in, in chunks of any size; to be read once. Reading slowly slows the client down.
   * Throws MailError `unavailable` when the client does not finish it.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** The trace field (RFC 5321 section 4.4) to put before the message; empty until `body` has been read to its end. */
  readonly received: Uint8Array
  /** What the message asks for, see `MessageTags`; null where the features name none of it, and until `body` has been read. */
  readonly tags: MessageTags | null
}

export interface SimpleDeliveryOptions extends Partial<DeliveryFeatures> {
  /** Asked for each recipient: undefined takes it, a Reply refuses it. All are taken by default. */
  readonly recipient?: (
    recipient: Recipient,
    envelope: EnvelopeStart,
    context: SessionContext,
  ) => Promise<Reply | undefined> | Reply | undefined
}

/** What became of a message: nothing to say more, so that it is accepted, a Reply for all recipients, or one for each. */
export type MessageAnswer =
  | Reply
  | readonly Reply[]
  | undefined
  | Promise<Reply | readonly Reply[] | undefined>
  | Promise<void>

type Receive = (message: IncomingMessage) => MessageAnswer

const ACCEPTED = reply(250, '2.0.0', 'Message accepted')
/** Octets held for a receiver that has not asked for them yet; beyond it the client waits. */
const HELD = 65_536

/**
 * A Delivery of one function. `receive` is called when the client may send the message; the client hears 250 when it
 * resolves, so it must resolve only when the message is safe. A Reply it returns is said instead, a list of them is one
 * for each recipient, in order; a MailError it throws becomes the reply of its kind, and anything else that it throws or
 * resolves to 451.
 */
export function simpleDelivery(receive: Receive, options: SimpleDeliveryOptions = {}): Delivery {
  const { recipient: _, ...given } = options
  const features = { maxMessageSize: 52_428_800, eightBitMime: true, smtpUtf8: false, ...given }
  return {
    features,
    begin: async (envelope, context) => new SimpleTransaction(receive, options, envelope, context),
  }
}

class SimpleTransaction implements Transaction {
  readonly #receive: Receive
  readonly #options: SimpleDeliveryOptions
  readonly #envelope: EnvelopeStart
  readonly #context: SessionContext
  readonly #recipients: Recipient[]
  readonly #body: BodyStream
  #outcome: Promise<CommitResult | { readonly error: unknown }> | null

  constructor(
    receive: Receive,
    options: SimpleDeliveryOptions,
    envelope: EnvelopeStart,
    context: SessionContext,
  ) {
    this.#receive = receive
    this.#options = options
    this.#envelope = envelope
    this.#context = context
    this.#recipients = []
    this.#body = new BodyStream()
    this.#outcome = null
  }

  async recipient(recipient: Recipient): Promise<Reply | undefined> {
    const answer = await this.#options.recipient?.(recipient, this.#envelope, this.#context)
    if (answer === undefined || expectReply(answer).code < 300) this.#recipients.push(recipient)
    return answer
  }

  async ready(): Promise<undefined> {
    const body = this.#body
    const message: IncomingMessage = {
      reversePath: this.#envelope.reversePath,
      envelope: this.#envelope,
      recipients: this.#recipients,
      context: this.#context,
      body,
      get received() {
        return body.received
      },
      get tags() {
        return body.tags
      },
    }
    this.#outcome = this.#run(message)
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    return this.#body.write(chunk)
  }

  async commit(received: Uint8Array, tags?: MessageTags): Promise<CommitResult> {
    this.#body.end(received, tags ?? null)
    const outcome = await this.#outcome
    if (outcome === null) throw new MailError('unavailable', 'commit came before ready')
    if ('error' in outcome) throw outcome.error
    return outcome
  }

  async abort(reason: AbortReason): Promise<void> {
    this.#body.fail(new MailError('unavailable', `the client did not finish the message: ${reason}`))
  }

  /** The outcome as a value, since nobody may be waiting for it yet. */
  async #run(message: IncomingMessage): Promise<CommitResult | { readonly error: unknown }> {
    try {
      const said = (await this.#receive(message)) as Reply | readonly Reply[] | undefined
      if (said === undefined) return { reply: ACCEPTED }
      return expectCommitResult(isReplyList(said) ? { recipients: said } : { reply: said })
    } catch (error) {
      return { error }
    } finally {
      this.#body.drain()
    }
  }
}

/** A pipe of one writer and one reader that holds the writer back. */
class BodyStream implements AsyncIterable<Uint8Array> {
  received: Uint8Array
  tags: MessageTags | null
  #chunks: Uint8Array[]
  #held: number
  #state: 'open' | 'ended' | 'failed' | 'drained'
  #error: Error | null
  #trace: Uint8Array
  #asked: MessageTags | null
  #wakeReader: (() => void) | null
  #wakeWriter: (() => void) | null

  constructor() {
    this.received = new Uint8Array(0)
    this.tags = null
    this.#chunks = []
    this.#held = 0
    this.#state = 'open'
    this.#error = null
    this.#trace = this.received
    this.#asked = null
    this.#wakeReader = null
    this.#wakeWriter = null
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#state !== 'open') return undefined
    this.#chunks.push(chunk)
    this.#held += chunk.length
    this.#wake()
    if (this.#held <= HELD) return undefined
    return new Promise((resolve) => {
      this.#wakeWriter = resolve
    })
  }

  end(trace: Uint8Array, tags: MessageTags | null): void {
    this.#trace = trace
    this.#asked = tags
    if (this.#state === 'open') this.#state = 'ended'
    this.#wake()
  }

  fail(error: Error): void {
    if (this.#state === 'open') this.#state = 'failed'
    this.#error = error
    this.#wake()
  }

  /** Nobody reads on: what comes is dropped. */
  drain(): void {
    this.#state = 'drained'
    this.#chunks = []
    this.#release()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#state === 'failed') throw this.#error
      const chunks = this.#chunks
      this.#chunks = []
      this.#release()
      for (const chunk of chunks) yield chunk
      if (this.#chunks.length > 0) continue
      if (this.#state === 'ended') {
        this.received = this.#trace
        this.tags = this.#asked
        return
      }
      if (this.#state === 'drained') return
      if (this.#state === 'open') {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve
        })
      }
    }
  }

  #wake(): void {
    const wake = this.#wakeReader
    this.#wakeReader = null
    wake?.()
  }

  #release(): void {
    this.#held = 0
    const wake = this.#wakeWriter
    this.#wakeWriter = null
    wake?.()
  }
}
