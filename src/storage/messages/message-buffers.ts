/**
 * Octets of the buffers that are used again: for a short message, a usual one, a long one, and the longest that waits in
 * memory, each with what stands before it.
 */
const SIZES = [4 * 1024, 16 * 1024, 72 * 1024, 258 * 1024] as const
/** Octets of buffers of one size that are kept for later. */
const KEPT = 2 * 1024 * 1024

/**
 * The buffers in which messages wait until they are written. Each made anew would be most of what a busy server leaves
 * to the garbage collector.
 */
export class MessageBuffers {
  readonly #free: ReadonlyMap<number, Buffer[]>

  constructor() {
    this.#free = new Map(SIZES.map((size) => [size, []]))
  }

  /** A buffer of at least `length` octets, with anything in it. */
  take(length: number): Buffer {
    const size = SIZES.find((each) => each >= length) ?? length
    return this.#free.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size)
  }

  /** Takes back a buffer that nobody has any more. */
  give(buffer: Buffer): void {
    const free = this.#free.get(buffer.length)
    if (free !== undefined && (free.length + 1) * buffer.length <= KEPT) free.push(buffer)
  }
}
