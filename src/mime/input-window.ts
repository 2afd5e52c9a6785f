import { asBuffer, EMPTY } from '../core/bytes.js'

/** Octets copied at a time behind a tail that is waited on. */
const LEAST_STEP = 1_024

/**
 * The octets a reader looks at: a view of one chunk, or, while something that began in an earlier chunk is not
 * decided, a copy of that tail with as much of the next chunk as it takes. Chunks of any size cost linear time, and
 * octets once handed out are never written over.
 */
export class InputWindow {
  /** What is held lies from `at` to `end`; the reader moves `at` over what it has done with. */
  buffer: Buffer
  at: number
  end: number
  /** Offset in the whole input of `buffer[0]`. */
  base: number
  /** The copy with room behind it; `buffer` is a view of it up to `end`, so that a search ends there. */
  #copy: Buffer
  readonly #chunks: Buffer[]
  #first: number
  /** The newest chunk taken, and how much of it has been copied behind the tail (0 while the window is the chunk). */
  #chunk: Buffer
  #copied: number
  #isCopy: boolean

  constructor() {
    this.buffer = EMPTY
    this.at = 0
    this.end = 0
    this.base = 0
    this.#copy = EMPTY
    this.#chunks = []
    this.#first = 0
    this.#chunk = EMPTY
    this.#copied = 0
    this.#isCopy = false
  }

  /** Takes the next chunk; a reader that has done with all before it finds it in the window at once. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    const whole = asBuffer(chunk)
    if (this.at < this.end || this.#chunks.length > 0 || this.#isCopying) this.#chunks.push(whole)
    else this.#take(whole)
  }

  /** Widens the window. What is held keeps its distance from `at`. False when all that was pushed is in it. */
  widen(): boolean {
    if (this.#isCopying) {
      const held = this.end - this.at
      if (held <= this.#copied)
        this.#use(this.#chunk, this.#copied - held, this.base + this.end - this.#copied)
      else this.#append()
      return true
    }
    const next = this.#chunks[this.#first]
    if (next === undefined) return false
    this.#first++
    if (this.#first === this.#chunks.length) {
      // an array made short in one go is slower than one emptied of the few that are in it
      while (this.#chunks.pop() !== undefined);
      this.#first = 0
    } else if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks.splice(0, this.#first)
      this.#first = 0
    }
    this.#take(next)
    return true
  }

  /** Whether some of the newest chunk has not been copied behind the tail. */
  get #isCopying(): boolean {
    return this.#isCopy && this.#copied < this.#chunk.length
  }

  #take(chunk: Buffer): void {
    this.#chunk = chunk
    this.#copied = 0
    if (this.at === this.end) this.#use(chunk, 0, this.base + this.end)
    else this.#append()
  }

  #use(chunk: Buffer, at: number, base: number): void {
    this.buffer = chunk
    this.base = base
    this.at = at
    this.end = chunk.length
    this.#isCopy = false
  }

  #append(): void {
    const held = this.end - this.at
    const step = Math.min(this.#chunk.length - this.#copied, Math.max(LEAST_STEP, held))
    if (!this.#isCopy || this.end + step > this.#copy.length) {
      this.#copy = Buffer.allocUnsafe(held + step + Math.max(held, LEAST_STEP))
      this.buffer.copy(this.#copy, 0, this.at, this.end)
      this.base += this.at
      this.at = 0
      this.end = held
      this.#isCopy = true
    }
    this.#chunk.copy(this.#copy, this.end, this.#copied, this.#copied + step)
    this.#copied += step
    this.end += step
    this.buffer = this.#copy.subarray(0, this.end)
  }
}
