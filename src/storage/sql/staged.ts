import { asBuffer, EMPTY, MailError, UsageError } from '../../core/index.js'
import type { Body, MessageFacts, Staged } from '../../interfaces/index.js'
import type { SmallMessage } from './body.js'
import { SqlBody } from './body.js'
import type { CommitQueue } from './commit-queue.js'
import type { Contents } from './contents.js'
import { INLINE, PIECE } from './contents.js'
import type { Database } from './database.js'

/** Octets left free before a message for what is put in front of it at the end: trace fields. */
const ROOM = 1024

/**
 * A message on its way in. Up to 64 KB it waits in memory for its `append`; what is larger goes to the database in
 * pieces as it comes, at most two of them in memory. A failure on the way is told by `seal`.
 */
export class SqlStaged implements Staged {
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #contents: Contents
  readonly #limit: number
  /** The piece that is being filled, from `ROOM` on. */
  #piece: Buffer
  #filled: number
  #size: number
  #cid: number | null
  #pieces: number
  #lastWrite: Promise<void>
  #failure: MailError | null
  #ended: boolean

  constructor(database: Database, queue: CommitQueue, contents: Contents, limit: number) {
    this.#database = database
    this.#queue = queue
    this.#contents = contents
    this.#limit = limit
    this.#piece = EMPTY
    this.#filled = 0
    this.#size = 0
    this.#cid = null
    this.#pieces = 0
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
      this.#drop()
      return
    }
    let backpressure: Promise<void> | undefined
    for (let at = 0; at < chunk.length; ) {
      const end = Math.min(chunk.length, at + PIECE - this.#filled)
      this.#fill(chunk.subarray(at, end))
      at = end
      if (this.#filled < PIECE) break
      backpressure = this.#lastWrite
      this.#writePiece(this.#take())
    }
    return backpressure
  }

  async seal(facts: MessageFacts, prefix: Uint8Array = new Uint8Array()): Promise<Body> {
    if (this.#ended) throw new UsageError('STAGED', 'the message is sealed or aborted')
    this.#ended = true
    const size = prefix.length + this.#size
    const text = JSON.stringify(facts)
    if (this.#failure === null && this.#cid === null && size <= INLINE) {
      return new SqlBody(this.#contents, size, text, this.#takeWith(asBuffer(prefix)), null)
    }
    if (this.#failure === null) {
      if (this.#filled > 0 || this.#cid === null) this.#writePiece(this.#take())
      await this.#lastWrite
    }
    const cid = this.#cid
    if (this.#failure === null && cid !== null) {
      try {
        await this.#queue.submit(
          () => {
            if (prefix.length > 0) this.#contents.writePiece(cid, 0, prefix)
            this.#contents.writeContent(cid, size, prefix.length, text)
          },
          { octets: prefix.length + text.length },
        )
        return new SqlBody(this.#contents, size, text, null, cid)
      } catch (error) {
        this.#failure = error as MailError
      }
    }
    this.#drop()
    throw this.#failure
  }

  async abort(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#lastWrite
    this.#drop()
  }

  #writePiece(data: Uint8Array): void {
    const cid = this.#cid ?? this.#contents.newCid()
    if (this.#cid === null) this.#contents.hold(cid)
    this.#cid = cid
    const piece = ++this.#pieces
    const written = this.#queue.submit(
      () => {
        // Without copies until it is appended, so that after a crash it is found and collected.
        this.#database.run('INSERT INTO cref(cid, n) VALUES (?, 0) ON CONFLICT DO NOTHING', cid)
        this.#contents.writePiece(cid, piece, data)
      },
      { octets: data.length },
    )
    this.#lastWrite = written.catch((error: unknown) => {
      this.#failure ??= error as MailError
    })
  }

  #fill(part: Uint8Array): void {
    const at = ROOM + this.#filled
    if (at + part.length > this.#piece.length) this.#grow(at + part.length)
    this.#piece.set(part, at)
    this.#filled += part.length
  }

  #grow(least: number): void {
    const { buffers } = this.#contents
    const larger = buffers.take(Math.min(ROOM + PIECE, Math.max(least, 2 * this.#piece.length)))
    larger.set(this.#piece.subarray(ROOM, ROOM + this.#filled), ROOM)
    buffers.give(this.#piece)
    this.#piece = larger
  }

  #take(): Buffer {
    const piece = this.#piece.subarray(ROOM, ROOM + this.#filled)
    this.#piece = EMPTY
    this.#filled = 0
    return piece
  }

  /** A whole small message, in a buffer that is its own. */
  #takeWith(prefix: Buffer): SmallMessage {
    const size = prefix.length + this.#filled
    if (prefix.length > ROOM || this.#piece.length < ROOM) {
      const buffer = Buffer.concat([prefix, this.#take()], size)
      return { octets: buffer, buffer }
    }
    const buffer = this.#piece
    const start = ROOM - prefix.length
    buffer.set(prefix, start)
    this.#take()
    return { octets: buffer.subarray(start, start + size), buffer }
  }

  #drop(): void {
    this.#contents.buffers.give(this.#piece)
    this.#piece = EMPTY
    this.#filled = 0
    const cid = this.#cid
    this.#cid = null
    // Pieces may still be on their way.
    if (cid !== null) void this.#lastWrite.then(() => this.#contents.release(cid))
  }
}
