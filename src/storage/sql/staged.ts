import { asBuffer, EMPTY, MailError, UsageError } from '../../core/index.js'
import type { Body, MessageFacts, Staged } from '../../interfaces/index.js'
import { SqlBody } from './body.js'
import type { CommitQueue } from './commit-queue.js'
import type { Contents } from './contents.js'
import { INLINE, PIECE } from './contents.js'
import type { Database } from './database.js'

/**
 * A message on its way in. Up to 64 KB it waits in memory for its `append`; what is larger goes to the database in
 * pieces as it comes, at most two of them in memory. A failure on the way is told by `seal`.
 */
export class SqlStaged implements Staged {
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #contents: Contents
  readonly #limit: number
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
      const data = Buffer.concat([asBuffer(prefix), this.#take()])
      return new SqlBody(this.#contents, size, text, data, null)
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
          { octets: prefix.length + text.length, repeatable: true },
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
      { octets: data.length, repeatable: true },
    )
    this.#lastWrite = written.catch((error: unknown) => {
      this.#failure ??= error as MailError
    })
  }

  #fill(part: Uint8Array): void {
    const filled = this.#filled + part.length
    if (filled > this.#piece.length) {
      const larger = Buffer.allocUnsafe(Math.min(PIECE, Math.max(filled, 2 * this.#piece.length)))
      this.#piece.copy(larger, 0, 0, this.#filled)
      this.#piece = larger
    }
    this.#piece.set(part, this.#filled)
    this.#filled = filled
  }

  #take(): Buffer {
    const piece = this.#piece.subarray(0, this.#filled)
    this.#piece = EMPTY
    this.#filled = 0
    return piece
  }

  #drop(): void {
    this.#piece = EMPTY
    this.#filled = 0
    const cid = this.#cid
    this.#cid = null
    // Pieces may still be on their way.
    if (cid !== null) void this.#lastWrite.then(() => this.#contents.release(cid))
  }
}
