import { asBuffer, EMPTY, LF } from './bytes.js'

/** What `takeLine` found: a line with its ending, nothing complete yet, or more than `limit` octets without an ending. */
export type LineResult = Buffer | null | 'too-long'

/** Never changed: to empty an array costs more than to make one. */
const NONE: Buffer[] = []

/**
 * Octets received and not yet used. Chunks are kept as they came; a line is joined once, when it is complete, and
 * octets already searched for a line end are not searched again, so that one-octet chunks cost linear time.
 */
export class InputQueue {
  #chunks: Buffer[]
  #first: number
  #offset: number
  #size: number
  #scannedChunks: number
  #scannedSize: number

  constructor() {
    this.#chunks = NONE
    this.#first = 0
    this.#offset = 0
    this.#size = 0
    this.#scannedChunks = 0
    this.#scannedSize = 0
  }

  /** Octets held. */
  get size(): number {
    return this.#size
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    // An array that is made for one takes a fraction of the memory of one that grows.
    if (this.#chunks.length === 0) this.#chunks = [asBuffer(chunk)]
    else this.#chunks.push(asBuffer(chunk))
    this.#size += chunk.length
  }

  clear(): void {
    this.#chunks = NONE
    this.#first = 0
    this.#offset = 0
    this.#size = 0
    this.#scannedChunks = 0
    this.#scannedSize = 0
  }

  /**
   * The octets up to and including the next LF, or null while there is none.
   * `too-long` when more than `limit` octets (the ending included) are held or passed without one; nothing is
   * taken then, and `skipLine` or `clear` goes on.
   */
  takeLine(limit: number): LineResult {
    const end = this.#findLf()
    if (end === -1) return this.#size > limit ? 'too-long' : null
    if (end > limit) return 'too-long'
    return this.#join(end)
  }

  /**
   * Octets of the line at the head with its LF, which then lie in one piece in `head` from `offset` on; 0 while there is
   * no line, -1 for one of more than `limit`. For who reads many short lines: no view is made, and nothing taken.
   */
  lineSize(limit: number): number {
    const size = this.#findLf()
    if (size === -1) return this.#size > limit ? -1 : 0
    if (size > limit) return -1
    if (this.head.length - this.#offset < size) this.#gather(size)
    return size
  }

  /** The first chunk, and where in it the octets begin that are not used yet. */
  get head(): Buffer {
    return this.#chunks[this.#first] ?? EMPTY
  }

  get offset(): number {
    return this.#offset
  }

  /** Drops octets up to and including the next LF. False when there was none: everything held was dropped. */
  skipLine(): boolean {
    const end = this.#findLf()
    if (end === -1) {
      this.clear()
      return false
    }
    this.skip(end)
    return true
  }

  /** The octets at the head that lie in one chunk, not taken; empty when nothing is held. */
  peek(): Buffer {
    const head = this.#chunks[this.#first]
    if (head === undefined) return EMPTY
    return this.#offset === 0 ? head : head.subarray(this.#offset)
  }

  /** A view of up to `max` octets from the head: fewer where a chunk ends first, empty when nothing is held. */
  take(max: number): Buffer {
    const head = this.peek()
    const view = head.length > max ? head.subarray(0, max) : head
    this.skip(view.length)
    return view
  }

  /** Exactly `count` octets as one buffer, or null while fewer are held. */
  takeExact(count: number): Buffer | null {
    if (this.#size < count) return null
    return this.#join(count)
  }

  /** Drops `count` octets; `count` must not exceed `size`. */
  skip(count: number): void {
    this.#size -= count
    let left = count
    while (left > 0) {
      const head = this.#chunks[this.#first]
      if (head === undefined) break
      const have = head.length - this.#offset
      if (left < have) {
        this.#offset += left
        left = 0
      } else {
        left -= have
        this.#offset = 0
        this.#first++
      }
    }
    if (this.#first === this.#chunks.length) {
      this.#chunks = NONE
      this.#first = 0
    } else if (this.#first > 64 && this.#first * 2 > this.#chunks.length) {
      this.#chunks.splice(0, this.#first)
      this.#first = 0
    }
    this.#scannedChunks = 0
    this.#scannedSize = 0
  }

  /** Distance from the head to just past the next LF, or -1. Remembers what it searched. */
  #findLf(): number {
    let index = this.#first + this.#scannedChunks
    let before = this.#scannedSize
    while (index < this.#chunks.length) {
      const chunk = this.#chunks[index] as Buffer
      const from = index === this.#first ? this.#offset : 0
      const at = chunk.indexOf(LF, from)
      if (at !== -1) return before + (at - from) + 1
      before += chunk.length - from
      index++
      this.#scannedChunks++
      this.#scannedSize = before
    }
    return -1
  }

  /** Brings the first octets together in a chunk of their own. */
  #gather(count: number): void {
    const joined = this.#join(count)
    if (this.#offset > 0) {
      this.#chunks[this.#first] = this.peek()
      this.#offset = 0
    }
    if (this.#first > 0) this.#chunks[--this.#first] = joined
    else this.#chunks = [joined, ...this.#chunks]
    this.#size += count
  }

  #join(count: number): Buffer {
    const head = this.peek()
    if (head.length >= count) {
      const view = head.subarray(0, count)
      this.skip(count)
      return view
    }
    const joined = Buffer.allocUnsafe(count)
    let at = 0
    for (let index = this.#first; at < count; index++) {
      const chunk = this.#chunks[index] as Buffer
      at += chunk.copy(joined, at, index === this.#first ? this.#offset : 0)
    }
    this.skip(count)
    return joined
  }
}
