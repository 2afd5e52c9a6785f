import type { Clock } from './clock.js'
import { systemClock } from './clock.js'
import type { Duplex } from './duplex.js'
import type { Engine, ShutdownReason, Wait } from './engine.js'
import { PeerError } from './errors.js'

/** Acts on one engine's events. A returned promise holds the engine until it settles: that is backpressure. */
export interface EventHandler<E> {
  handle(event: E): Promise<void> | undefined
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
export class Driver<E extends { readonly type: string }> {
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
    if (this.#engine.outputSize === 0 || this.#lost) return
    const pending = this.#duplex.write(this.#engine.takeOutput())
    if (pending === undefined) return
    this.#writing = this.#drain(pending)
    await this.#writing
  }

  async #drain(pending: Promise<void>): Promise<void> {
    const done = new AbortController()
    this.#clock.sleep(this.#writeTimeoutMs, done.signal).then(
      () => this.#duplex.destroy(),
      () => undefined,
    )
    try {
      await pending
    } catch {
      this.#gone()
    } finally {
      done.abort()
      this.#writing = null
    }
  }

  async #loop(): Promise<void> {
    const engine = this.#engine
    for (;;) {
      const event = engine.next()
      if (event !== null) {
        await this.#handle(event)
        if (engine.outputSize > this.#highWaterMark) await this.flush()
        continue
      }
      const need = engine.need
      if (need !== 'answer') await this.flush()
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
        case 'answer':
        case 'data':
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
    let settled = false
    setImmediate(() => {
      if (!settled && this.#engine.outputSize > 0) void this.flush()
    })
    try {
      await pending
    } catch (error) {
      this.#failed(error)
    } finally {
      settled = true
    }
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
  #sleeping: AbortController | null
  #sleepingUntil: number

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock
    this.#expired = expired
    this.#wait = null
    this.#spent = 0
    this.#octets = 0
    this.#sinceOctets = 0
    this.#resumedAt = null
    this.#sleeping = null
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
    this.#sleeping?.abort()
    this.#sleeping = null
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
    if (this.#sleeping !== null) {
      if (this.#sleepingUntil <= until) return
      this.#sleeping.abort()
    }
    const sleeping = new AbortController()
    this.#sleeping = sleeping
    this.#sleepingUntil = until
    this.#clock.sleep(Math.max(0, left), sleeping.signal).then(
      () => {
        if (this.#sleeping !== sleeping) return
        this.#sleeping = null
        if (this.#resumedAt === null) return
        this.#count()
        if (this.#left() > 0) this.#arm()
        else this.#expired()
      },
      () => undefined,
    )
  }
}
