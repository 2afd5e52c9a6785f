import type { Clock } from './clock.js'
import { after, systemClock } from './clock.js'
import { type Duplex, pull, type Taken } from './duplex.js'
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

const ignore = (): void => undefined
/** Settled already: what is to be done soon, and not within the call at hand, waits for it. */
const SOON: Promise<void> = Promise.resolve()

let endings: (() => void)[] = []

/** Calls `act` when this turn of the event loop ends: one immediate serves all connections that had something in it. */
function atTurnEnd(act: () => void): void {
  if (endings.push(act) === 1) setImmediate(endTurn)
}

function endTurn(): void {
  const all = endings
  endings = []
  for (const act of all) act()
}

/**
 * Drives an engine over a connection: the one loop that every protocol and transport share. It reads only when the
 * engine needs input, holds one chunk, and owns the clock of the engine's waits. It writes once a turn of the event
 * loop: a pipelined group in one piece, and what is ready though an answer is pending; sooner only past the high-water
 * mark, and before an end or an upgrade.
 *
 * The loop is left where there is nothing to do but to wait, and entered again by what was waited for: a connection that
 * is idle holds neither a promise nor a suspended function, of which it would otherwise have several.
 */
export class Driver<E extends { readonly type: string }> implements Flow {
  readonly #engine: Engine<E>
  readonly #duplex: Duplex
  readonly #handler: EventHandler<E>
  readonly #clock: Clock
  readonly #highWaterMark: number
  readonly #writeTimeoutMs: number
  readonly #onError: (error: unknown) => void
  readonly #timer: WaitTimer
  /** `held` until a promise has settled, and before `run`; `waiting` for the peer or for `wake`. */
  #state: 'held' | 'waiting' | 'running' | 'over'
  /** Made when someone asks for its signal, which few do. */
  #abort: AbortController | null
  #onOver: () => void
  #woken: boolean
  #reading: boolean
  #ended: boolean
  #lost: boolean
  #writing: Promise<void> | null
  #settling: boolean
  #ending: boolean

  constructor(engine: Engine<E>, duplex: Duplex, handler: EventHandler<E>, options: DriverOptions = {}) {
    this.#engine = engine
    this.#duplex = duplex
    this.#handler = handler
    this.#clock = options.clock ?? systemClock
    this.#highWaterMark = options.highWaterMark ?? 65_536
    this.#writeTimeoutMs = options.writeTimeoutMs ?? 300_000
    this.#onError = options.onError ?? ignore
    this.#timer = new WaitTimer(this.#clock, () => {
      this.#engine.timedOut()
      this.#advance()
    })
    this.#state = 'held'
    this.#abort = null
    this.#onOver = ignore
    this.#woken = false
    this.#reading = false
    this.#ended = false
    this.#lost = false
    this.#writing = null
    this.#settling = false
    this.#ending = false
    duplex.onClose(() => this.#gone())
  }

  /** Aborted when the connection is gone: whoever works on an answer may stop. */
  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#lost) this.#abort.abort(new Error('the connection is gone'))
    }
    return this.#abort.signal
  }

  /** Octets that the engine may hold before whoever feeds it should await `flush`. */
  get highWaterMark(): number {
    return this.#highWaterMark
  }

  /** Runs until the connection is closed. Never rejects. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#onOver = resolve
      this.#release()
    })
  }

  /** Says that the engine was given something from outside an event: an untagged response, an answer, a shutdown. */
  wake(): void {
    if (this.#woken) return
    this.#woken = true
    void SOON.then(() => {
      this.#woken = false
      this.#advance()
    })
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

  #advance(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'running'
    this.#timer.pause()
    try {
      while (this.#state === 'running') this.#step()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** One event, or what the engine needs before there is one. */
  #step(): void {
    const engine = this.#engine
    if (engine.outputSize > this.#highWaterMark && this.#hold(this.#flush())) return
    const event = engine.next()
    if (event !== null) {
      this.#handle(event)
      return
    }
    const need = engine.need
    switch (need) {
      case 'closed':
        if (!this.#hold(this.#flush())) this.#close()
        return
      case 'upgrade':
        if (!this.#hold(this.#flush())) this.#hold(this.#upgrade())
        return
      case 'input':
        this.#timer.start(engine.wait)
        if (this.#read()) this.#timer.pause()
        else this.#state = 'waiting'
        break
      case 'data':
        // A peer may refuse a body before it has all of it.
        if (!this.#read()) this.#state = 'waiting'
        break
      case 'answer':
        this.#state = 'waiting'
        break
    }
    if (engine.outputSize > 0) this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#ending) return
    this.#ending = true
    atTurnEnd(this.#turnEnds)
  }

  /** Whoever waits for the peer waits for it to read as well. */
  readonly #turnEnds = (): void => {
    this.#ending = false
    try {
      if (this.#state === 'waiting') {
        if (this.#hold(this.#flush())) this.#timer.pause()
      } else if (this.#settling) void this.#flush()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The loop goes on when the promise, which does not reject, has settled. */
  #hold(pending: Promise<void> | undefined): boolean {
    if (pending === undefined) return false
    this.#state = 'held'
    pending.then(
      () => this.#release(),
      (error) => this.#fail(error),
    )
    return true
  }

  #release(): void {
    if (this.#state !== 'held') return
    this.#state = 'waiting'
    this.#advance()
  }

  #close(): void {
    this.#state = 'held'
    if (this.#lost) this.#finish()
    else {
      this.#duplex.end(this.#engine.peerHasLeft === true).then(
        () => this.#finish(),
        (error) => this.#fail(error),
      )
    }
  }

  #fail(error: unknown): void {
    this.#onError(error)
    this.#duplex.destroy()
    this.#finish()
  }

  #finish(): void {
    this.#state = 'over'
    this.#timer.stop()
    this.#gone()
    this.#onOver()
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

  #handle(event: E): void {
    let pending: Promise<void> | undefined
    try {
      pending = this.#handler.handle(event)
    } catch (error) {
      this.#broken(error)
    }
    if (pending === undefined) return
    this.#state = 'held'
    this.#settling = true
    this.#flushSoon()
    pending.then(
      () => this.#settled(),
      (error) => {
        this.#broken(error)
        this.#settled()
      },
    )
  }

  #settled(): void {
    this.#settling = false
    this.#release()
  }

  #broken(error: unknown): void {
    if (!this.#lost) this.#onError(error)
    this.#engine.shutdown('internalError')
  }

  /** True where something has come in already. */
  #read(): boolean {
    if (this.#reading || this.#ended) return false
    this.#reading = true
    pull(this.#duplex, this.#take)
    return !this.#reading
  }

  readonly #take = (taken: Taken): void => {
    this.#reading = false
    if (taken === null) {
      this.#ended = true
      this.#engine.receiveEnd()
    } else if (taken instanceof Error) {
      this.#ended = true
      this.#gone()
    } else {
      this.#timer.received(taken.length)
      this.#engine.receive(taken)
    }
    this.#advance()
  }

  #gone(): void {
    if (this.#lost) return
    this.#lost = true
    this.#engine.lost()
    this.#abort?.abort(new Error('the connection is gone'))
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
    const now = this.#clock.now()
    this.#resumedAt = now
    this.#arm(now)
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
  #arm(now: number): void {
    const left = this.#left()
    if (left === Number.POSITIVE_INFINITY) return
    const until = now + left
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
    if (this.#left() > 0) this.#arm(this.#resumedAt)
    else this.#expired()
  }
}
