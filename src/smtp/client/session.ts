import type { DriverOptions, EventHandler } from '../../core/driver.js'
import { Driver } from '../../core/driver.js'
import type { Duplex } from '../../core/duplex.js'
import { PeerError, UsageError } from '../../core/errors.js'
import type { Reply } from '../../interfaces/index.js'
import { SmtpClientEngine } from './engine.js'
import type { SmtpEnvelope } from './envelope.js'
import type { MessageOutcome, SmtpClientEvent } from './events.js'
import { fitMessage, needsDowngrade } from './fit-message.js'
import type { MessageBody } from './message-body.js'
import { bodyOf, chunksOf, octetsOf, WHOLE } from './message-body.js'
import type { SmtpClientOptions } from './options.js'

/** RFC 5321 section 4.5.3.2.5: how long the peer may leave a block of data unread. */
const BLOCK_TIMEOUT = 180_000

export interface SmtpSendOptions {
  /** Gives the message up, and with it the connection. */
  readonly signal?: AbortSignal
  /** The message is out whole, and `send` may be called for the next. */
  readonly onSent?: () => void
}

interface Sending {
  readonly body: MessageBody
  readonly onSent: (() => void) | undefined
  readonly resolve: (outcome: MessageOutcome) => void
  readonly reject: (error: unknown) => void
  readonly stopListening: () => void
  /** Of a body in chunks, once it is begun. */
  chunks: Iterator<Uint8Array> | AsyncIterator<Uint8Array> | null
  pumping: boolean
  /** Why the host has given it up. */
  failure: { readonly error: unknown } | null
}

/** A client engine on a connection, in promises. */
export class SmtpClientSession implements EventHandler<SmtpClientEvent> {
  readonly engine: SmtpClientEngine
  /** Resolves when messages may be sent; rejects with a PeerError when it does not come to that. */
  readonly ready: Promise<void>
  /** Resolves when the session is over: null after QUIT or `close`, else what went wrong. Never rejects. */
  readonly closed: Promise<PeerError | null>
  readonly #duplex: Duplex
  readonly #driver: Driver<SmtpClientEvent>
  readonly #done: Promise<void>
  readonly #downgrade: boolean
  #settleReady: { readonly resolve: () => void; readonly reject: (error: unknown) => void }
  #settleClosed: (error: PeerError | null) => void
  #sending: Sending | null
  /** The message behind it, if its envelope is on its way already. */
  #following: Sending | null
  /** A message is being looked through before it is sent. */
  #fitting: boolean
  #tlsError: PeerError | null
  /** The host has ended the session, before the peer did, so that whoever sends is out of turn. */
  #endedByHost: boolean
  #over: boolean

  /** Starts at once. `duplex` is a connection that nobody has read from yet. */
  constructor(duplex: Duplex, options: SmtpClientOptions, driverOptions: DriverOptions = {}) {
    this.engine = new SmtpClientEngine(options)
    this.#duplex = duplex
    this.#downgrade = options.downgrade ?? true
    this.#sending = null
    this.#following = null
    this.#fitting = false
    this.#tlsError = null
    this.#endedByHost = false
    this.#over = false
    this.#settleReady = { resolve: () => undefined, reject: () => undefined }
    this.#settleClosed = () => undefined
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject }
    })
    this.ready.catch(() => undefined)
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve
    })
    this.#driver = new Driver(this.engine, duplex, this, {
      writeTimeoutMs: BLOCK_TIMEOUT,
      ...driverOptions,
      onError: (error) => {
        if (error instanceof PeerError) this.#tlsError = error
        else driverOptions.onError?.(error)
      },
    })
    this.#done = this.#driver.run()
  }

  /** The session is over, or will be as soon as what has come is looked at. */
  get over(): boolean {
    return this.#over
  }

  /**
   * Sends one message. Resolves with what became of it for each recipient, also where the connection broke. Rejects
   * with what `body` threw, or with the signal's reason; both close the connection, since a message that has begun
   * cannot be taken back. Rejects with the PeerError that ended the session where the peer has ended it already: nothing of
   * the message was sent. UsageError for an envelope that cannot be sent, or out of turn.
   *
   * `onSent` is called when the message is out whole and another may be sent behind it, while its own outcome is due:
   * one round trip less (RFC 2920 section 3.1), where the peer takes that. Should the session end before the peer has
   * got to the other, all its recipients have the stage `local`.
   *
   * A message that the peer cannot take as it is (8-bit, binary) is encoded anew where it is there whole, as an array,
   * or as a function (RFC 6152 section 3; see `downgrade` of the options), and otherwise refused.
   */
  async send(
    envelope: SmtpEnvelope,
    body: MessageBody,
    options: SmtpSendOptions = {},
  ): Promise<MessageOutcome> {
    const { signal } = options
    signal?.throwIfAborted()
    bodyOf(body)
    if (this.engine.need === 'closed' && !this.#endedByHost) throw await this.#whatEndedIt()
    if (this.#fitting || (this.#sending !== null && !this.engine.accepts)) {
      throw new UsageError('STATE', 'the session sends one message at a time')
    }
    const must = this.#downgrade && this.engine.accepts && needsDowngrade(envelope, this.engine.extensions)
    if (!must) return this.#send(envelope, body, null, options)
    this.#fitting = true
    const fitted = await this.#abortable(fitMessage(envelope, body, this.engine.extensions), signal)
    if (this.engine.need === 'closed') throw await this.#whatEndedIt()
    return this.#send(fitted.envelope, fitted.body, fitted.refusal, options)
  }

  /** Why there is no session to send over: nothing of a message was sent, so nothing became of it. */
  async #whatEndedIt(): Promise<PeerError> {
    return (await this.closed) ?? new PeerError('LOST', 'the session has ended meanwhile')
  }

  /** What `fitting` resolves to, or the signal's reason, at once, and the connection closed. */
  #abortable<T>(fitting: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        this.destroy()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', aborted, { once: true })
      fitting.then(resolve, reject).finally(() => {
        this.#fitting = false
        signal?.removeEventListener('abort', aborted)
      })
    })
  }

  async #send(
    envelope: SmtpEnvelope,
    body: MessageBody,
    refusal: Reply | null,
    { signal, onSent }: SmtpSendOptions,
  ): Promise<MessageOutcome> {
    this.engine.send(envelope, refusal)
    return new Promise((resolve, reject) => {
      const aborted = (): void => this.#giveUp(sending, signal?.reason)
      signal?.addEventListener('abort', aborted, { once: true })
      const stopListening = (): void => signal?.removeEventListener('abort', aborted)
      const sending: Sending = {
        body,
        onSent,
        resolve,
        reject,
        stopListening,
        chunks: null,
        pumping: false,
        failure: null,
      }
      if (this.#sending === null) this.#sending = sending
      else this.#following = sending
      this.#driver.wake()
    })
  }

  /** Says QUIT where the session stands ready, else closes at once. Resolves when the connection is closed. */
  async close(): Promise<void> {
    this.#endedByHost ||= this.engine.need !== 'closed'
    this.#driver.shutdown('shutdown')
    await this.#done
  }

  /** Closes at once. */
  destroy(): void {
    this.#endedByHost ||= this.engine.need !== 'closed'
    this.#duplex.destroy()
  }

  handle(event: SmtpClientEvent): undefined {
    switch (event.type) {
      case 'ready':
        this.#settleReady.resolve()
        return
      case 'body':
        this.#body()
        return
      case 'sent':
        this.#sending?.onSent?.()
        return
      case 'message':
        this.#message(event.outcome)
        return
      case 'closed':
        this.#over = true
        this.#closed(this.#tlsError ?? event.error)
        return
      case 'greeting':
      case 'hello':
      case 'tls':
      case 'authenticated':
        return
      default:
        event satisfies never
    }
  }

  #body(): void {
    const sending = this.#sending
    if (sending === null || sending.pumping) return
    const { body } = sending
    if (body instanceof Uint8Array && body.length <= WHOLE) {
      this.engine.write(body)
      this.engine.end()
    } else {
      void this.#pump(sending, body)
    }
  }

  /** Feeds the engine while the peer keeps up; goes on at the next `body`. */
  async #pump(sending: Sending, body: MessageBody): Promise<void> {
    sending.pumping = true
    try {
      const chunks = (sending.chunks ??= iteratorOf(chunksOf(body)))
      while (this.engine.need === 'data') {
        const { done, value } = await chunks.next()
        // Meanwhile the message may have failed, and another may have begun.
        if (this.#sending !== sending) return
        if (done === true) {
          sending.chunks = null
          this.engine.end()
        } else {
          this.engine.write(octetsOf(value))
        }
        this.#driver.wake()
        if (done === true) return
        if (this.engine.outputSize > this.#driver.highWaterMark) await this.#driver.flush()
        if (this.#sending !== sending) return
      }
    } catch (error) {
      this.#giveUp(sending, error)
    } finally {
      sending.pumping = false
    }
  }

  /** What has begun cannot be taken back; the message before one that follows is still waited for. */
  #giveUp(sending: Sending, error: unknown): void {
    sending.failure ??= { error }
    if (sending === this.#sending) this.#duplex.destroy()
    else if (sending === this.#following) sending.reject(sending.failure.error)
  }

  #message(outcome: MessageOutcome): void {
    const sending = this.#sending
    this.#sending = this.#following
    this.#following = null
    if (sending === null) return
    if (sending.chunks !== null) void release(sending.chunks)
    sending.stopListening()
    if (sending.failure === null) sending.resolve(outcome)
    else sending.reject(sending.failure.error)
    if (this.#sending !== null && this.#sending.failure !== null) this.#duplex.destroy()
  }

  #closed(error: PeerError | null): void {
    this.#settleReady.reject(error ?? new PeerError('CLOSED', 'the session was ended'))
    this.#settleClosed(error)
  }
}

function iteratorOf(
  body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Iterator<Uint8Array> | AsyncIterator<Uint8Array> {
  return Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]()
}

/** Lets a source know that nobody will read on. What it says to that is of no interest. */
async function release(chunks: Iterator<Uint8Array> | AsyncIterator<Uint8Array>): Promise<void> {
  try {
    await chunks.return?.()
  } catch {}
}
