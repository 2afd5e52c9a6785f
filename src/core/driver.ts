import type { Clock } from './clock.js'
import { after, systemClock } from './clock.js'
import type { Duplex } from './duplex.js'
import type { Engine, ShutdownReason, Wait } from './engine.js'
import { PeerError } from './errors.js'

/** Acts on one engine's events. A returned promise holds the engine until it settles: that is backpressure. */
export interface EventHandler<E> {
  handle(event: E): Promise<void> | undefined
}

/** What a session needs of whoever drives its engine. A Driver is one. */
export interface Flow {
  /** Writes what the engine holds; resolves when the peer has taken enough to go on. */
  flush(): Promise<void>
  /** Octets that the engine may hold before whoever feeds it should await `flush`. */
  readonly highWaterMark: number
  /** Says that the engine was given something from outside an event. */
  wake(): void
  /** Aborted when the connection is gone. */
  readonly signal: AbortSignal
}

export interface DriverOptions {
  readonly clock?: Clock
  /** Output octets above which the driver writes before it goes on; 65,536 by default. */
  readonly highWaterMark?: number
  /** Milliseconds a peer may leave our output unread before the connection is dropped; 300,000 by default. */
  readonly writeTimeoutMs?: number
  /**
   * Told of an exception in the handler, after which the session ends in the protocol's own words, and of a failed
   * handshake (PeerError `TLS_HANDSHAKE`).
   */
  readonly onError?: (error: unknown) => void
}

/**
 * Drives an engine over a connection: the one loop that every protocol and transport share. It reads only when the
 * engine needs input, holds one chunk, writes a pipelined group at once, and owns the clock of the engine's waits.
 */
export class Driver<E extends { readonly type: string }> implements Flow {
  readonly #engine: Engine<E>
  readonly #duplex: Duplex
  readonly #handler: EventHandler<E>
  readonly #clock: Clock
  readonly #highWaterMark: number
  readonly #writeTimeoutMs: number
  readonly #onError: (error: unknown) => void
  readonly #abort: AbortController
  #reading: boolean
  #ended: boolean
  #lost: boolean
  #notify: (() => void) | null
  #notified: boolean
  #writing: Promise<void> | null
  #settling: boolean
  #lookingIn: boolean
  readonly #timer: WaitTimer

  constructor(engine: Engine<E>, duplex: Duplex, handler: EventHandler<E>, options: DriverOptions = {}) {
    this.#engine = engine
    this.#duplex = duplex
    this.#handler = handler
    this.#clock = options.clock ?? systemClock
    this.#highWaterMark = options.highWaterMark ?? 65_536
    this.#writeTimeoutMs = options.writeTimeoutMs ?? 300_000
    this.#onError = options.onError ?? (() => undefined)
    this.#abort = new AbortController()
    this.#reading = false
    this.#ended = false
    this.#lost = false
    this.#notify = null
    this.#notified = false
    this.#writing = null
    this.#settling = false
    this.#lookingIn = false
    this.#timer = new WaitTimer(this.#clock, () => {
      this.#engine.timedOut()
      this.wake()
    })
    duplex.onClose(() => this.#gone())
  }

  /** Aborted when the connection is gone: whoever works on an answer may stop. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Octets that the engine may hold before whoever feeds it should await `flush`. */
  get highWaterMark(): number {
    return this.#highWaterMark
  }

  /** Runs until the connection is closed. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#loop()
    } catch (error) {
      this.#onError(error)
      this.#duplex.destroy()
    }
    this.#timer.stop()
    this.#gone()
  }

  /** Says that the engine was given something from outside an event: an untagged response, an answer, a shutdown. */
  wake(): void {
    this.#notified = true
    const notify = this.#notify
    this.#notify = null
    notify?.()
  }

  /** Ends the session in the protocol's own words; an answer that is pending is still given first. */
  shutdown(reason: ShutdownReason): void {
    this.#engine.shutdown(reason)
    this.wake()
  }

  /** Writes what the engine holds; resolves when the peer has taken enough to go on. */
  async flush(): Promise<void> {
    while (this.#writing !== null) await this.#writing
    await this.#flush()
  }

  /** Undefined when there is nothing to wait for, so that the loop need not give up its turn. */
  #flush(): Promise<void> | undefined {
    if (this.#writing !== null) return this.flush()
    if (this.#engine.outputSize === 0 || this.#lost) return undefined
    const pending = this.#duplex.write(this.#engine.takeOutput())
    return pending === undefined ? undefined : (this.#writing = this.#drain(pending))
  }

  async #drain(pending: Promise<void>): Promise<void> {
    const stop = after(this.#clock, this.#writeTimeoutMs, () => this.#duplex.destroy())
    try {
      await pending
    } catch {
      this.#gone()
    } finally {
      stop()
      this.#writing = null
    }
  }

  async #loop(): Promise<void> {
    const engine = this.#engine
    for (;;) {
      const event = engine.next()
      if (event !== null) {
        const pending = this.#handle(event)
        if (pending !== undefined) await pending
        if (engine.outputSize > this.#highWaterMark) await this.flush()
        continue
      }
      const need = engine.need
      if (need !== 'answer') {
        const writing = this.#flush()
        if (writing !== undefined) await writing
      }
      switch (need) {
        case 'closed':
          if (!this.#lost) await this.#duplex.end()
          return
        case 'upgrade':
          await this.#upgrade()
          break
        case 'input':
          this.#read()
          this.#timer.start(engine.wait)
          await this.#notification()
          this.#timer.pause()
          break
        case 'data':
          // A peer may refuse a body before it has all of it.
          this.#read()
          await this.#notification()
          break
        case 'answer':
          await this.#notification()
          break
      }
    }
  }

  async #upgrade(): Promise<void> {
    try {
      this.#engine.upgraded('tls', await this.#duplex.upgrade('tls'))
    } catch (error) {
      this.#onError(new PeerError('TLS_HANDSHAKE', `the TLS handshake failed: ${(error as Error).message}`))
      this.#duplex.destroy()
      this.#gone()
    }
  }

  #handle(event: E): Promise<void> | undefined {
    let pending: Promise<void> | undefined
    try {
      pending = this.#handler.handle(event)
    } catch (error) {
      this.#failed(error)
    }
    return pending === undefined ? undefined : this.#settle(pending)
  }

  async #settle(pending: Promise<void>): Promise<void> {
    this.#settling = true
    if (!this.#lookingIn) {
      this.#lookingIn = true
      setImmediate(this.#lookIn)
    }
    try {
      await pending
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#settling = false
    }
  }

  /** An answer has been pending for a turn of the event loop: what is ready need not wait for it. */
  readonly #lookIn = (): void => {
    this.#lookingIn = false
    if (this.#settling && this.#engine.outputSize > 0) void this.flush()
  }

  #failed(error: unknown): void {
    if (!this.#lost) this.#onError(error)
    this.#engine.shutdown('internalError')
  }

  #read(): void {
    if (this.#reading || this.#ended) return
    this.#reading = true
    this.#duplex.read().then(
      (chunk) => {
        this.#reading = false
        if (chunk === null) {
          this.#ended = true
          this.#engine.receiveEnd()
        } else {
          this.#timer.received(chunk.length)
          this.#engine.receive(chunk)
        }
        this.wake()
      },
      () => {
        this.#reading = false
        this.#ended = true
        this.#gone()
      },
    )
  }

  #notification(): Promise<void> | undefined {
    if (this.#notified) {
      this.#notified = false
      return undefined
    }
    return new Promise((resolve) => {
      this.#notify = () => {
        this.#notified = false
        resolve()
      }
    })
  }

  #gone(): void {
    if (this.#lost) return
    this.#lost = true
    this.#engine.lost()
    this.#abort.abort(new Error('the connection is gone'))
    this.wake()
  }
}

/** Measures the engine's current wait, counting only the time spent waiting for the peer. */
class WaitTimer {
  readonly #clock: Clock
  readonly #expired: () => void
  #wait: Wait | null
  #spent: number
  #octets: number
  #sinceOctets: number
  #resumedAt: number | null
  #stop: (() => void) | null
  #sleepingUntil: number

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock
    this.#expired = expired
    this.#wait = null
    this.#spent = 0
    this.#octets = 0
    this.#sinceOctets = 0
    this.#resumedAt = null
    this.#stop = null
    this.#sleepingUntil = 0
  }

  /** The driver waits for the peer from now on; a new wait object starts a new measure. */
  start(wait: Wait): void {
    if (wait !== this.#wait) {
      this.#wait = wait
      this.#spent = 0
      this.#octets = 0
      this.#sinceOctets = 0
    }
    this.#resumedAt = this.#clock.now()
    this.#arm()
  }

  /** The driver is busy: the peer is not to blame for what passes now. */
  pause(): void {
    this.#count()
    this.#resumedAt = null
  }

  received(octets: number): void {
    this.#count()
    this.#octets += octets
    this.#sinceOctets = 0
  }

  stop(): void {
    this.#wait = null
    this.#resumedAt = null
    this.#stop?.()
    this.#stop = null
  }

  #count(): void {
    if (this.#resumedAt === null) return
    const now = this.#clock.now()
    this.#spent += now - this.#resumedAt
    this.#sinceOctets += now - this.#resumedAt
    this.#resumedAt = now
  }

  #left(): number {
    const wait = this.#wait
    if (wait === null) return Number.POSITIVE_INFINITY
    if (wait.minRate === undefined) return wait.ms - this.#spent
    return Math.min(wait.ms - this.#sinceOctets, wait.ms + (this.#octets * 1000) / wait.minRate - this.#spent)
  }

  /** One sleep at a time: it is left alone when it ends before the wait does, and then looks again. */
  #arm(): void {
    const left = this.#left()
    if (left === Number.POSITIVE_INFINITY) return
    const until = this.#clock.now() + left
    if (this.#stop !== null) {
      if (this.#sleepingUntil <= until) return
      this.#stop()
    }
    this.#sleepingUntil = until
    this.#stop = after(this.#clock, Math.max(0, left), this.#look)
  }

  readonly #look = (): void => {
    this.#stop = null
    if (this.#resumedAt === null) return
    this.#count()
    if (this.#left() > 0) this.#arm()
    else this.#expired()
  }
}
