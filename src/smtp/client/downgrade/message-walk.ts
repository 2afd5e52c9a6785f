import { asBuffer } from '../../../core/bytes.js'
import { mimeLimits } from '../../../mime/limits.js'
import type { ScanEvent } from '../../../mime/scanner.js'
import { PartScanner } from '../../../mime/scanner.js'

/** `between`: octets of no part: delimiters, and what stands before the first and after the last of them. */
export type WalkEvent = ScanEvent | { readonly type: 'between'; readonly data: Buffer }

/**
 * Reads a message from chunks into all of its octets, in order: header blocks, bodies of leaves, and what stands
 * between them. Holds no more than the scanner does.
 */
export class MessageWalk {
  readonly #scanner: PartScanner
  #held: Buffer[]
  /** Offset in the message of the first octet that has not been handed out. */
  #at: number
  #pending: ScanEvent | null

  constructor() {
    this.#scanner = new PartScanner(mimeLimits(undefined), { bodies: true, lines: false })
    this.#held = []
    this.#at = 0
    this.#pending = null
  }

  /** Takes a chunk, whose memory must not be changed afterwards. */
  receive(chunk: Uint8Array): void {
    this.#scanner.receive(chunk)
    this.#held.push(asBuffer(chunk))
  }

  end(): void {
    this.#scanner.end()
  }

  /** The next event, or null while more input is needed, and after the last. */
  next(): WalkEvent | null {
    const event = this.#pending ?? this.#scanner.next()
    const to = event === null ? this.#scanner.size : startOf(event)
    const data = this.#take(to - this.#at)
    this.#pending = data === null ? null : event
    if (data !== null) return { type: 'between', data }
    if (event !== null) this.#skip(sizeOf(event))
    return event
  }

  /** Up to so many octets, of one chunk; null where there are none to take. */
  #take(most: number): Buffer | null {
    const [first] = this.#held
    if (most <= 0 || first === undefined) return null
    const data = first.subarray(0, most)
    this.#skip(data.length)
    return data
  }

  #skip(octets: number): void {
    this.#at += octets
    let left = octets
    let gone = 0
    for (const chunk of this.#held) {
      if (left < chunk.length) break
      left -= chunk.length
      gone++
    }
    if (gone > 0) this.#held = this.#held.slice(gone)
    const [first] = this.#held
    if (left > 0 && first !== undefined) this.#held[0] = first.subarray(left)
  }
}

function startOf(event: ScanEvent): number {
  switch (event.type) {
    case 'begin':
      return event.part.headerOffset
    case 'body':
      return event.offset
    case 'end':
      return event.part.endOffset
  }
}

function sizeOf(event: ScanEvent): number {
  switch (event.type) {
    case 'begin':
      return event.block.length
    case 'body':
      return event.data.length
    case 'end':
      return 0
  }
}
