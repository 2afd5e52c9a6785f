import { HEADER, placeOf, writeHeader } from './record.js'
import type { NewSegment, Segments } from './segments.js'

/** Octets left free at the start of the file for the header, and for what stands before the message. */
export const ROOM = 16 * 1024
const COPY = 256 * 1024

/**
 * A message that has a segment of its own and goes there as it comes. What stands before it is only known at its end:
 * room is left for that, which takes no space on the disk.
 */
export class LargeMessage {
  readonly #segments: Segments
  readonly #fatal: (error: unknown) => Error
  #segment: NewSegment | null
  #size: number

  /** `fatal` is told of a failed sync, and says what everyone is told. */
  constructor(segments: Segments, fatal: (error: unknown) => Error) {
    this.#segments = segments
    this.#fatal = fatal
    this.#segment = null
    this.#size = 0
  }

  /** Writes the next piece, after the one before has been written. */
  async write(piece: Uint8Array): Promise<void> {
    this.#segment ??= await this.#segments.create()
    await this.#segment.file.write([piece], ROOM + this.#size)
    this.#size += piece.length
  }

  /** Its place, when all of it is on the disk; the caller lets go of the segment. Rejects with nothing left behind. */
  async seal(cid: number, prefix: Uint8Array): Promise<number> {
    const front = Buffer.alloc(HEADER + prefix.length)
    writeHeader(front, 0, { cid, size: prefix.length + this.#size, sum: 0 })
    front.set(prefix, HEADER)
    try {
      const start = front.length <= ROOM ? ROOM - front.length : await this.#move(front.length)
      const { number, file } = this.#segment ?? (await this.#segments.create())
      this.#segment = { number, file }
      await file.write([front], start)
      await file.sync().catch((error: unknown) => {
        throw this.#fatal(error)
      })
      this.#segment = null
      await file.close().catch(() => undefined)
      return placeOf(number, start)
    } catch (error) {
      await this.abort()
      throw error
    }
  }

  /** Gives the segment up; not while a piece is being written. */
  async abort(): Promise<void> {
    const segment = this.#segment
    this.#segment = null
    if (segment !== null) await this.#giveUp(segment)
  }

  /** To a file with as much room as is needed; where the record begins there. */
  async #move(room: number): Promise<number> {
    const old = this.#segment
    if (old === null) return 0
    const segment = await this.#segments.create()
    this.#segment = segment
    try {
      const piece = Buffer.allocUnsafeSlow(COPY)
      for (let at = 0; at < this.#size; at += COPY) {
        const octets = await old.file.read(piece.subarray(0, Math.min(COPY, this.#size - at)), ROOM + at)
        await segment.file.write([piece.subarray(0, octets)], room + at)
      }
    } finally {
      await this.#giveUp(old)
    }
    return 0
  }

  async #giveUp({ number, file }: NewSegment): Promise<void> {
    await file.close().catch(() => undefined)
    this.#segments.doubt(number)
    this.#segments.release(number)
  }
}
