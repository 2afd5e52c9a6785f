import { isAscii } from 'node:buffer'
import { setMaxListeners } from 'node:events'
import { PeerError, UsageError } from '../../core/errors.js'
import type { Chunks } from '../../smtp/client/message-body.js'
import { bodyOf, headerIsUtf8, isRepeatable } from '../../smtp/client/message-body.js'
import type { MessageBody, MessageOutcome, SmtpClientSession, SmtpEnvelope } from '../../smtp/index.js'
import { SmtpRefusal } from '../../smtp/index.js'
import type { SmtpConnectOptions } from './connect-smtp.js'
import { connectSmtp } from './connect-smtp.js'

export interface SmtpClientPoolOptions extends SmtpConnectOptions {
  /** Connections at a time; 5 by default. */
  readonly maxConnections?: number
  /** Messages after which a connection is closed; 100 by default. */
  readonly maxMessages?: number
  /** Milliseconds after which a connection that has nothing to send is closed; 30,000 by default, 0 for at once. */
  readonly idleMs?: number
}

/** A connection of the pool. */
interface Pooled {
  readonly session: SmtpClientSession
  /** Sent over it so far. */
  messages: number
  /** On their way over it: at most one, and one behind it. */
  underWay: number
  /** When its last message was out whole, by `performance.now()`. */
  sentAt: number
  idleTimer: NodeJS.Timeout | null
}

/** Milliseconds that a message may have been out without a reply, for another to be sent behind it. */
const PROMPT = 1000

/** Given a connection, or null for leave to open one. */
type Waiting = (pooled: Pooled | null) => void

/**
 * Sends mail to one server, over as few connections as do: one that is free is used again, and a message that finds
 * the server has closed it meanwhile goes over a new one. When all are busy, the envelope of the next message goes out
 * along with the end of one before it (RFC 2920 section 3.1), but not where the server is slow to answer that.
 */
export class SmtpClient {
  readonly #options: SmtpClientPoolOptions
  readonly #maxConnections: number
  readonly #maxMessages: number
  readonly #idleMs: number
  readonly #all: Set<Pooled>
  readonly #idle: Pooled[]
  /** Connections whose message is out and has none behind it, the longest waiting first. */
  readonly #sent: Set<Pooled>
  readonly #closing: Set<Promise<void>>
  readonly #destroyed: AbortController
  readonly #waiting: Set<Waiting>
  /** Connections, with those that are being opened. */
  #open: number
  #jobs: number
  #closed: boolean
  #drained: () => void

  /** UsageError `OPTION` for numbers that make no pool; the rest is looked at when a connection is opened. */
  constructor(options: SmtpClientPoolOptions = {}) {
    this.#options = options
    this.#maxConnections = atLeast('maxConnections', options.maxConnections ?? 5, 1)
    this.#maxMessages = atLeast('maxMessages', options.maxMessages ?? 100, 1)
    this.#idleMs = atLeast('idleMs', options.idleMs ?? 30_000, 0)
    this.#all = new Set()
    this.#idle = []
    this.#sent = new Set()
    this.#closing = new Set()
    this.#destroyed = new AbortController()
    // Every message listens to it, and there may be many.
    setMaxListeners(0, this.#destroyed.signal)
    this.#waiting = new Set()
    this.#open = 0
    this.#jobs = 0
    this.#closed = false
    this.#drained = () => undefined
  }

  /**
   * Sends one message: resolves with what became of it for each recipient. Rejects where there was no session to send
   * it over (see `connectSmtp`), with what `body` threw, or with the signal's reason. UsageError for an envelope that
   * cannot be sent, or once the client is closed.
   *
   * Of a message given whole, the size and whether it holds 8-bit octets, in its header too, are looked up; of one in
   * chunks the envelope must say so.
   */
  async send(
    envelope: SmtpEnvelope,
    body: MessageBody | string,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<MessageOutcome> {
    options.signal?.throwIfAborted()
    if (this.#closed) throw closed()
    const given = options.signal === undefined ? [] : [options.signal]
    const signal =
      given.length === 0 ? this.#destroyed.signal : AbortSignal.any([...given, this.#destroyed.signal])
    const octets = typeof body === 'string' ? Buffer.from(body, 'utf8') : bodyOf(body)
    const complete = octets instanceof Uint8Array ? describe(envelope, octets) : envelope
    this.#jobs++
    try {
      return await this.#deliver(complete, octets, signal)
    } finally {
      this.#jobs--
      if (this.#jobs === 0) this.#drained()
    }
  }

  /** Takes no more messages, waits for those on their way, and closes every connection with QUIT. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#jobs > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    for (const pooled of [...this.#all]) this.#drop(pooled)
    await Promise.all(this.#closing)
  }

  /** Closes every connection at once; messages on their way are given up. */
  async destroy(): Promise<void> {
    this.#closed = true
    this.#destroyed.abort(closed())
    for (const { session } of this.#all) session.destroy()
    await this.close()
  }

  async #deliver(envelope: SmtpEnvelope, body: MessageBody, signal: AbortSignal): Promise<MessageOutcome> {
    let begun = false
    const source = isRepeatable(body) ? body : tracked(body, () => (begun = true))
    for (;;) {
      const pooled = await this.#acquire(signal)
      const used = pooled.messages++ > 0
      try {
        const onSent = (): void => this.#follow(pooled)
        const outcome = await pooled.session.send(envelope, source, { signal, onSent })
        if (!used || begun || outcome.inDoubt || !mayBeSentAgain(outcome)) return outcome
      } catch (error) {
        // The session had ended, however the server ended it, and nothing of the message was sent.
        if (!used || begun || !(error instanceof PeerError)) throw error
      } finally {
        this.#release(pooled)
      }
    }
  }

  /** A connection for one message: a free one, a new one, one that takes it behind another, or the next of these. */
  async #acquire(signal: AbortSignal): Promise<Pooled> {
    const free = this.#idle.pop()
    if (free !== undefined) {
      if (free.idleTimer !== null) clearTimeout(free.idleTimer)
      free.idleTimer = null
      free.underWay++
      return free
    }
    if (this.#open < this.#maxConnections) this.#open++
    else {
      const followed = this.#toFollow()
      if (followed !== null) return followed
      const handed = await this.#wait(signal)
      if (handed !== null) return handed
    }
    return this.#connect(signal)
  }

  /** A message is out whole over this connection: another may go behind it. */
  #follow(pooled: Pooled): void {
    if (pooled.messages >= this.#maxMessages) return
    pooled.sentAt = performance.now()
    if (!this.#hand(pooled)) this.#sent.add(pooled)
  }

  /** Gives a connection to whoever waits longest; false where nobody does. */
  #hand(pooled: Pooled): boolean {
    const next = this.#nextWaiting()
    if (next === undefined) return false
    pooled.underWay++
    next(pooled)
    return true
  }

  /** Whoever waits longest, and waits no more. */
  #nextWaiting(): Waiting | undefined {
    const [next] = this.#waiting
    if (next !== undefined) this.#waiting.delete(next)
    return next
  }

  #toFollow(): Pooled | null {
    const since = performance.now() - PROMPT
    for (const pooled of this.#sent) {
      if (pooled.sentAt < since) continue
      this.#sent.delete(pooled)
      pooled.underWay++
      return pooled
    }
    return null
  }

  /** Opens a connection, which is counted already. */
  async #connect(signal: AbortSignal): Promise<Pooled> {
    try {
      const session = await connectSmtp(this.#options, signal)
      const pooled: Pooled = { session, messages: 0, underWay: 1, sentAt: 0, idleTimer: null }
      this.#all.add(pooled)
      void session.closed.then(() => this.#drop(pooled))
      return pooled
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  #wait(signal: AbortSignal): Promise<Pooled | null> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        this.#waiting.delete(waiting)
        reject(signal.reason)
      }
      const waiting = (pooled: Pooled | null): void => {
        signal.removeEventListener('abort', aborted)
        resolve(pooled)
      }
      signal.addEventListener('abort', aborted, { once: true })
      this.#waiting.add(waiting)
    })
  }

  /** A message is done with; the last one under way frees the connection. */
  #release(pooled: Pooled): void {
    pooled.underWay--
    if (pooled.underWay > 0) return
    this.#sent.delete(pooled)
    if (!pooled.session.engine.ready || pooled.messages >= this.#maxMessages) {
      this.#drop(pooled)
      return
    }
    if (this.#hand(pooled)) return
    this.#idle.push(pooled)
    pooled.idleTimer = setTimeout(() => this.#drop(pooled), this.#idleMs)
    pooled.idleTimer.unref()
  }

  /** Closes a connection that nobody is to use any more, if it is not closed already. */
  #drop(pooled: Pooled): void {
    if (!this.#all.delete(pooled)) return
    this.#sent.delete(pooled)
    if (pooled.idleTimer !== null) clearTimeout(pooled.idleTimer)
    const index = this.#idle.indexOf(pooled)
    if (index !== -1) this.#idle.splice(index, 1)
    const closing = pooled.session.close().then(() => {
      this.#closing.delete(closing)
    })
    this.#closing.add(closing)
    this.#leave()
  }

  /** There is room for another connection: whoever waits opens it. */
  #leave(): void {
    const next = this.#nextWaiting()
    if (next === undefined) this.#open--
    else next(null)
  }
}

function atLeast(name: string, value: number, least: number): number {
  if (!(value >= least))
    throw new UsageError('OPTION', `${name} must be a number from ${least} on, not ${value}`)
  return value
}

function closed(): UsageError {
  return new UsageError('STATE', 'the client is closed')
}

function describe(envelope: SmtpEnvelope, octets: Uint8Array): SmtpEnvelope {
  const ascii = isAscii(octets)
  return {
    ...envelope,
    size: envelope.size ?? octets.length,
    body: envelope.body ?? (ascii ? '7BIT' : '8BITMIME'),
    smtpUtf8: envelope.smtpUtf8 ?? (!ascii && headerIsUtf8(octets)),
  }
}

/** The server closed the connection, with 421 or without a word, or the session ended before it got to the message. */
function mayBeSentAgain({ error, recipients }: MessageOutcome): boolean {
  if (error === null) return false
  if (error.code === 'LOST' || (error instanceof SmtpRefusal && error.reply.code === 421)) return true
  return recipients.every(({ stage }) => stage === 'local')
}

function tracked(body: Chunks, begin: () => void): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      begin()
      yield* body
    },
  }
}
