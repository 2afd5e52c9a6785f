import type { Wait } from '../../core/engine.js'
import { InputQueue } from '../../core/input-queue.js'
import { OutputQueue } from '../../core/output-queue.js'
import type { WireLog } from '../../core/wire-log.js'
import type { ResolvedSmtpClientOptions, SmtpClientLimits } from './options.js'

/** What a reply answers. */
export type ReplyTo =
  | 'greeting'
  | 'ehlo'
  | 'helo'
  | 'startTls'
  | 'auth'
  | 'reset'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'chunk'
  | 'final'
  | 'quit'

const waits: Readonly<Record<ReplyTo, keyof SmtpClientLimits>> = {
  greeting: 'greetingMs',
  ehlo: 'commandMs',
  helo: 'commandMs',
  startTls: 'commandMs',
  auth: 'commandMs',
  reset: 'commandMs',
  mail: 'mailMs',
  rcpt: 'rcptMs',
  data: 'dataMs',
  chunk: 'blockMs',
  final: 'finalMs',
  quit: 'quitMs',
}

const NOTHING_EXPECTED: Wait = { kind: 'idle', ms: Number.POSITIVE_INFINITY }

/** Commands on their way out and the replies they are due, in order. */
export class Channel {
  readonly input: InputQueue
  readonly output: OutputQueue
  wait: Wait
  readonly #wireLog: WireLog | null
  readonly #waits: Readonly<Record<ReplyTo, number>>
  #expected: ReplyTo[]
  #first: number

  constructor(options: ResolvedSmtpClientOptions) {
    this.input = new InputQueue()
    this.output = new OutputQueue('client')
    this.#wireLog = options.wireLog
    this.#waits = Object.fromEntries(
      Object.entries(waits).map(([kind, limit]) => [kind, options.limits[limit]]),
    ) as Record<ReplyTo, number>
    this.#expected = []
    this.#first = 0
    this.wait = NOTHING_EXPECTED
  }

  /** Replies that are due. */
  get outstanding(): number {
    return this.#expected.length - this.#first
  }

  /** What the next reply answers; undefined when none is due. */
  get head(): ReplyTo | undefined {
    return this.#expected[this.#first]
  }

  /** Sends a line. `shown` is what the wire log may have of it. */
  command(line: string, expects: ReplyTo, shown: string | null = null): void {
    if (this.#wireLog !== null) {
      if (shown === null) this.#wireLog.line('client', line)
      else this.#wireLog.secret('client', shown)
    }
    this.output.utf8(`${line}\r\n`)
    this.expect(expects)
  }

  /** Sends octets of a message. */
  octets(chunk: Uint8Array): void {
    this.#wireLog?.octets('client', chunk)
    this.output.bytes(chunk)
  }

  /** One more reply is due after those that are. */
  expect(kind: ReplyTo): void {
    this.#expected.push(kind)
    if (this.outstanding === 1) this.#startWait()
  }

  /** The next reply is here. */
  take(): void {
    this.#first++
    if (this.#first === this.#expected.length) {
      this.#expected = []
      this.#first = 0
    }
    this.#startWait()
  }

  clear(): void {
    this.#expected = []
    this.#first = 0
    this.wait = NOTHING_EXPECTED
  }

  #startWait(): void {
    const { head } = this
    this.wait = head === undefined ? NOTHING_EXPECTED : { kind: head, ms: this.#waits[head] }
  }
}
