import type { InputQueue } from '../core/input-queue.js'
import type { ClientLog } from './client-log.js'
import type { CommandReader, ReadResult } from './command-reader.js'

/** What came: octets of the message, all of it being there, or the command's end as it should be or not. */
export type IntakeStep = Uint8Array | 'complete' | 'malformed' | null

/** The message of APPEND on its way from the input to the session, as views of what was received. */
export class AppendIntake {
  readonly #input: InputQueue
  readonly #reader: CommandReader
  readonly #log: ClientLog
  #left: number
  #synchronising: boolean
  #open: boolean
  /** What was found in place of the command's end. */
  #found: ReadResult | null

  constructor(input: InputQueue, reader: CommandReader, log: ClientLog) {
    this.#input = input
    this.#reader = reader
    this.#log = log
    this.#left = 0
    this.#synchronising = false
    this.#open = false
    this.#found = null
  }

  /** The client waits to be asked for the message. */
  get synchronising(): boolean {
    return this.#synchronising
  }

  /** A message was accepted and its end has not been told. */
  get open(): boolean {
    return this.#open
  }

  /** What stood after the message of the last `malformed` step. */
  get found(): ReadResult | null {
    return this.#found
  }

  announce(size: number, synchronising: boolean): void {
    this.#reader.leaveLiteral()
    this.#left = size
    this.#synchronising = synchronising
  }

  accept(): void {
    this.#open = true
  }

  /** The message is not wanted; false where it comes all the same and is more than `allowance` octets. */
  refuse(allowance: number): boolean {
    return this.#synchronising || this.#reader.skipLiteral(this.#left, allowance)
  }

  /** No more will be told of this message. */
  close(): void {
    this.#open = false
  }

  /** The next of an accepted message; null while more octets are needed. The last two end it. */
  next(): IntakeStep {
    if (this.#left > 0) {
      const chunk = this.#input.take(this.#left)
      if (chunk.length === 0) return null
      this.#left -= chunk.length
      this.#log.message(chunk)
      return chunk
    }
    this.#found = this.#reader.read(true)
    if (this.#found === null) return null
    this.#open = false
    return this.#found.type === 'command' && this.#found.text === '' ? 'complete' : 'malformed'
  }
}
