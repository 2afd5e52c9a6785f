import { asBuffer, crc32, EMPTY, MailError, UsageError } from '../../core/index.js'
import type { Body, MessageFacts, Staged } from '../../interfaces/index.js'
import type { LargeMessage } from '../messages/large-message.js'
import type { Appended } from '../messages/log-queue.js'
import { HEADER, writeHeader } from '../messages/record.js'
import type { Contents } from './contents.js'
import { toMailError } from './errors.js'
import { writeFacts } from './facts-text.js'

/** Octets of a message up to which it waits in memory, and of a piece of a larger one. */
const PIECE = 256 * 1024
/** Octets left free before a message for what is put in front of it at the end: the record's header and trace fields. */
const ROOM = 1024

/**
 * A message on its way in. Up to 256 KB it waits in memory for its end; what is larger goes to the disk in pieces as it
 * comes, at most two of them in memory. A failure on the way is told by `seal`.
 */
export class SqlStaged implements Staged {
  readonly #contents: Contents
  readonly #limit: number
  readonly #folder: string | null
  /** The piece that is being filled, from `ROOM` on. */
  #piece: Buffer
  #filled: number
  #size: number
  #large: LargeMessage | null
  #lastWrite: Promise<void>
  #failure: MailError | null
  #ended: boolean

  /** `limit` in octets; `folder` is where the store lies, or null. */
  constructor(contents: Contents, limit: number, folder: string | null) {
    this.#contents = contents
    this.#limit = limit
    this.#folder = folder
    this.#piece = EMPTY
    this.#filled = 0
    this.#size = 0
    this.#large = null
    this.#lastWrite = Promise.resolve()
    this.#failure = null
    this.#ended = false
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#ended) throw new UsageError('STAGED', 'the message is sealed or aborted')
    this.#size += chunk.length
    if (this.#size > this.#limit) {
      this.#failure ??= new MailError('tooLarge', `a message has at most ${this.#limit} octets`)
    }
    if (this.#failure !== null) {
      void this.#drop()
      return
    }
    let backpressure: Promise<void> | undefined
    for (let at = 0; at < chunk.length; ) {
      const end = Math.min(chunk.length, at + PIECE - this.#filled)
      this.#fill(chunk.subarray(at, end))
      at = end
      if (this.#filled < PIECE) break
      backpressure = this.#lastWrite
      this.#large ??= this.#contents.log.beginLarge()
      this.#writePiece(this.#large)
    }
    return backpressure
  }

  async seal(facts: MessageFacts, prefix: Uint8Array = EMPTY): Promise<Body> {
    if (this.#ended) throw new UsageError('STAGED', 'the message is sealed or aborted')
    this.#ended = true
    if (this.#failure === null) {
      try {
        const text = writeFacts(facts)
        const cid = this.#contents.newCid()
        const appended = await (this.#large === null
          ? this.#sealSmall(cid, asBuffer(prefix))
          : this.#sealLarge(this.#large, cid, prefix))
        return this.#contents.bodyOf(cid, prefix.length + this.#size, text, appended)
      } catch (error) {
        this.#failure = toMailError(error, this.#folder)
      }
    }
    await this.#drop()
    throw this.#failure
  }

  async abort(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#drop()
  }

  #sealSmall(cid: number, prefix: Buffer): Appended | Promise<Appended> {
    const start = ROOM - HEADER - prefix.length
    const record =
      start >= 0 && this.#filled > 0
        ? this.#piece.subarray(start, ROOM + this.#filled)
        : Buffer.concat([Buffer.alloc(HEADER), prefix, this.#piece.subarray(ROOM, ROOM + this.#filled)])
    record.set(prefix, HEADER)
    const octets = record.subarray(HEADER)
    writeHeader(record, 0, { cid, size: octets.length, sum: crc32(octets) })
    const piece = this.#piece
    this.#piece = EMPTY
    return this.#contents.log.queue.append(cid, record, () => this.#give(piece))
  }

  async #sealLarge(large: LargeMessage, cid: number, prefix: Uint8Array): Promise<Appended> {
    if (this.#filled > 0) this.#writePiece(large)
    await this.#lastWrite
    if (this.#failure !== null) throw this.#failure
    return { place: await large.seal(cid, prefix), lost: null }
  }

  /** After the piece before it. */
  #writePiece(large: LargeMessage): void {
    const piece = this.#piece
    const octets = piece.subarray(ROOM, ROOM + this.#filled)
    this.#piece = EMPTY
    this.#filled = 0
    this.#lastWrite = this.#lastWrite.then(async () => {
      try {
        if (this.#failure === null) await large.write(octets)
      } catch (error) {
        this.#failure ??= toMailError(error, this.#folder)
      }
      this.#give(piece)
    })
  }

  #fill(part: Uint8Array): void {
    const at = ROOM + this.#filled
    if (at + part.length > this.#piece.length) this.#grow(at + part.length)
    this.#piece.set(part, at)
    this.#filled += part.length
  }

  #grow(least: number): void {
    const piece = this.#piece
    this.#piece = this.#contents.log.buffers.take(Math.min(ROOM + PIECE, Math.max(least, 2 * piece.length)))
    this.#piece.set(piece.subarray(ROOM, ROOM + this.#filled), ROOM)
    this.#give(piece)
  }

  #give(piece: Buffer): void {
    this.#contents.log.buffers.give(piece)
  }

  async #drop(): Promise<void> {
    this.#give(this.#piece)
    this.#piece = EMPTY
    this.#filled = 0
    const large = this.#large
    this.#large = null
    // Pieces may still be on their way.
    await this.#lastWrite
    await large?.abort()
  }
}
