import { asBuffer } from '../../core/bytes.js'
import { DotWriter } from '../../core/dot-writer.js'
import type { Channel } from './channel.js'

/** How a message body goes out. */
export interface BodyWriter {
  /** The peer keeps up: more may be written. */
  readonly open: boolean
  write(chunk: Uint8Array): void
  /** A reply of the kind `chunk` has come. */
  answered(): void
  /** The message is complete; one reply of the kind `final` is due from now on. */
  end(): void
}

/** After 354: dot-stuffed lines up to the final dot (RFC 5321 section 4.5.2). */
export class DataWriter implements BodyWriter {
  readonly open = true
  readonly #channel: Channel
  readonly #dots: DotWriter

  constructor(channel: Channel) {
    this.#channel = channel
    this.#dots = new DotWriter()
  }

  write(chunk: Uint8Array): void {
    for (const piece of this.#dots.write(asBuffer(chunk))) this.#channel.octets(piece)
  }

  answered(): void {}

  end(): void {
    for (const piece of this.#dots.end()) this.#channel.octets(piece)
    this.#channel.expect('final')
  }
}

/** Octets of a chunk before it is sent, and chunks on their way without a reply. */
const CHUNK = 262_144
const CHUNKS_PIPELINED = 4

/** Counted chunks (RFC 3030 section 2); a text has its line ends made CRLF all the same, a BINARYMIME message has not. */
export class ChunkWriter implements BodyWriter {
  readonly #channel: Channel
  readonly #lines: DotWriter | null
  readonly #pipelined: number
  #unanswered: number
  #held: Uint8Array[]
  #size: number

  constructor(channel: Channel, options: { readonly binary: boolean; readonly pipelining: boolean }) {
    this.#channel = channel
    this.#lines = options.binary ? null : new DotWriter({ stuffed: false })
    this.#pipelined = options.pipelining ? CHUNKS_PIPELINED : 1
    this.#unanswered = 0
    this.#held = []
    this.#size = 0
  }

  get open(): boolean {
    return this.#unanswered < this.#pipelined
  }

  write(chunk: Uint8Array): void {
    if (this.#size >= CHUNK) this.#send('')
    if (this.#lines === null) this.#hold([chunk])
    else this.#hold(this.#lines.write(asBuffer(chunk)))
  }

  answered(): void {
    this.#unanswered--
  }

  end(): void {
    if (this.#lines !== null) this.#hold(this.#lines.end())
    this.#send(' LAST')
  }

  #hold(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      this.#held.push(piece)
      this.#size += piece.length
    }
  }

  #send(last: '' | ' LAST'): void {
    this.#channel.command(`BDAT ${this.#size}${last}`, last === '' ? 'chunk' : 'final')
    for (const piece of this.#held) this.#channel.octets(piece)
    this.#unanswered++
    this.#held = []
    this.#size = 0
  }
}
