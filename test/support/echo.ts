import { CRLF } from '../../src/core/bytes.js'
import type { Duplex, EventHandler, Need, ShutdownReason, Wait } from '../../src/core/index.js'
import { type Clock, Driver, type Engine, InputQueue, OutputQueue, toLatin1 } from '../../src/core/index.js'

export interface EchoEvent {
  readonly type: 'line'
  readonly text: string
}

/** The smallest engine there is: asks for each line, and says what it is told to. */
export class EchoEngine implements Engine<EchoEvent> {
  readonly #input = new InputQueue()
  readonly #output = new OutputQueue('server')
  need: Need = 'input'
  wait: Wait = { kind: 'command', ms: 60_000 }
  #ended = false
  #shutdown = false
  readonly calls: string[] = []

  receive(chunk: Uint8Array): void {
    if (this.need !== 'upgrade') this.#input.push(chunk)
  }

  receiveEnd(): void {
    this.#ended = true
  }

  next(): EchoEvent | null {
    if (this.need !== 'input') return null
    const line = this.#input.takeLine(1000)
    if (line === null) {
      if (this.#ended) this.need = 'closed'
      return null
    }
    const text = line === 'too-long' ? '' : toLatin1(line).trimEnd()
    if (line === 'too-long') this.#input.clear()
    this.need = 'answer'
    return { type: 'line', text }
  }

  answer(text: string): void {
    if (this.need === 'closed') return
    this.#output.text(`${text}\r\n`)
    this.wait = { kind: 'command', ms: 60_000 }
    this.need = text === 'TLS' ? 'upgrade' : 'input'
    if (text === 'BYE') this.need = 'closed'
    if (this.#shutdown) this.shutdown('shutdown')
  }

  bytes(chunk: Uint8Array): void {
    this.#output.bytes(chunk)
    this.#output.bytes(CRLF)
  }

  takeOutput(): readonly Uint8Array[] {
    return this.#output.take()
  }

  get outputSize(): number {
    return this.#output.size
  }

  upgraded(): void {
    this.calls.push('upgraded')
    this.#input.clear()
    this.need = 'input'
  }

  shutdown(reason: ShutdownReason): void {
    if (this.need === 'answer' && reason === 'shutdown') {
      this.#shutdown = true
      return
    }
    if (this.need === 'closed') return
    this.#output.text(`ABORT ${reason}\r\n`)
    this.need = 'closed'
  }

  lost(): void {
    this.calls.push('lost')
    this.need = 'closed'
  }

  timedOut(): void {
    this.#output.text('TIMEOUT\r\n')
    this.need = 'closed'
  }
}

/** Answers each line with itself; `slow` lines wait, `fail` throws, `TLS` upgrades. */
export class EchoSession implements EventHandler<EchoEvent> {
  readonly engine: EchoEngine
  readonly clock: Clock
  driver: Driver<EchoEvent> | null = null

  constructor(engine: EchoEngine, clock: Clock) {
    this.engine = engine
    this.clock = clock
  }

  handle(event: EchoEvent): Promise<void> | undefined {
    if (event.text === 'fail') throw new Error('this handler fails')
    if (event.text === 'reject') return Promise.reject(new Error('this handler rejects'))
    if (event.text.startsWith('slow')) {
      return this.clock.sleep(10_000, this.driver?.signal).then(
        () => this.engine.answer(event.text),
        () => this.engine.answer('gave up'),
      )
    }
    this.engine.answer(event.text)
    return undefined
  }
}

export function serveEcho(duplex: Duplex, clock: Clock, onError?: (error: unknown) => void) {
  const engine = new EchoEngine()
  const session = new EchoSession(engine, clock)
  const driver = new Driver(engine, duplex, session, { clock, ...(onError === undefined ? {} : { onError }) })
  session.driver = driver
  return { engine, driver, done: driver.run() }
}
