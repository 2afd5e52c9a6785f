import type { ShutdownReason } from '../core/engine.js'
import { OutputQueue } from '../core/output-queue.js'
import type { WireLog } from '../core/wire-log.js'
import type { Status } from './command.js'
import { continuation, tagged, untagged } from './responses.js'

const byes: Readonly<Record<ShutdownReason, readonly [code: string, text: string]>> = {
  shutdown: ['UNAVAILABLE', 'Server is shutting down'],
  tooManyConnections: ['LIMIT', 'Too many connections'],
  forbidden: ['NOPERM', 'Access denied'],
  internalError: ['SERVERBUG', 'Internal error'],
}

/** What the server engine sends. It knows whether a literal of the session's is still under way. */
export class ServerOutput {
  readonly #queue: OutputQueue
  /** Octets of the literal that are still to be given. */
  #literalLeft: number

  constructor(wireLog: WireLog | null) {
    this.#queue = new OutputQueue('server', wireLog)
    this.#literalLeft = 0
  }

  get size(): number {
    return this.#queue.size
  }

  take(): readonly Uint8Array[] {
    return this.#queue.take()
  }

  clear(): void {
    this.#queue.clear()
  }

  /** Untagged responses, or a part of one; a literal may be announced at the end. */
  text(text: string): void {
    this.#queue.text(text)
    const prefix = text.endsWith('}\r\n') ? /\{([0-9]+)\}\r\n$/.exec(text.slice(-16)) : null
    this.#literalLeft = prefix === null ? 0 : Number(prefix[1])
  }

  /** Octets of the literal that was announced. */
  bytes(chunk: Uint8Array): void {
    this.#queue.bytes(chunk)
    this.#literalLeft = Math.max(0, this.#literalLeft - chunk.length)
  }

  continuation(text: string): void {
    this.#queue.text(continuation(text))
  }

  /** A challenge, which is no text for a log. */
  challenge(text: string): void {
    this.#queue.secretLine(continuation(text), text === '' ? '+ ' : '+ ***')
  }

  /** The reply to a command; untagged where `tag` is empty. */
  reply(tag: string, status: Status, code: string | null, text: string): void {
    this.#queue.text(tag === '' ? untagged(status, code, text) : tagged(tag, status, code, text))
  }

  /** `* BYE`, but not within a literal: the client would take it for a part of a message. */
  bye(code: string | null, text: string): void {
    if (this.#literalLeft === 0) this.#queue.text(untagged('BYE', code, text))
  }

  /** `* BYE` with the host's reason. */
  shutdown(reason: ShutdownReason): void {
    this.bye(...byes[reason])
  }
}
