import { EMPTY } from '../core/bytes.js'

/** One property of a list (MS-OXTNEF section 2.1.3.4); of several values the first. */
export interface MapiValue {
  readonly id: number
  /** A string of 16-bit units. */
  readonly unicode: boolean
  readonly octets: Buffer
  /** Of an object the octets after its identifier, else the same as `octets`. */
  readonly object: Buffer
}

/** Octets of the types of fixed size, padded to four. */
const sizes: ReadonlyMap<number, number> = new Map([
  [0x01, 4],
  [0x02, 4],
  [0x03, 4],
  [0x04, 4],
  [0x05, 8],
  [0x06, 8],
  [0x07, 8],
  [0x0a, 4],
  [0x0b, 4],
  [0x14, 8],
  [0x40, 8],
  [0x48, 16],
])
const OBJECT = 0x0d
const STRING = 0x1e
const UNICODE = 0x1f
const BINARY = 0x102
const MANY = 0x1000
const GUID = 16

const padded = (size: number): number => Math.ceil(size / 4) * 4

/** Goes over a property list; ends where it is damaged. Numbers of the input only ever bound what is read, by its size. */
export class MapiReader {
  readonly #data: Buffer
  #at: number

  constructor(data: Buffer) {
    this.#data = data
    this.#at = 4
  }

  *[Symbol.iterator](): IterableIterator<MapiValue> {
    for (let value = this.#next(); value !== null; value = this.#next()) yield value
  }

  #next(): MapiValue | null {
    const type = this.#number(2)
    const id = this.#number(2)
    if (type === -1 || id === -1) return null
    if (id >= 0x8000 && !this.#skipName()) return null
    const bare = type & ~MANY
    const fixed = sizes.get(bare)
    if (fixed !== undefined) {
      const count = (type & MANY) === 0 ? 1 : this.#number(4)
      const octets = count < 0 ? null : this.#take(fixed * count)
      return octets === null ? null : { id, unicode: false, octets, object: octets }
    }
    if (bare !== STRING && bare !== UNICODE && bare !== BINARY && bare !== OBJECT) return null
    const count = this.#number(4)
    let first: Buffer | null = null
    for (let i = 0; i < count; i++) {
      const size = this.#number(4)
      const octets = size === -1 ? null : this.#take(size)
      if (octets === null || this.#take(padded(size) - size) === null) return null
      first ??= octets
    }
    const octets = first ?? EMPTY
    return { id, unicode: bare === UNICODE, octets, object: bare === OBJECT ? octets.subarray(GUID) : octets }
  }

  /** The name of a property whose identifier is not fixed: a number or a string. */
  #skipName(): boolean {
    if (this.#take(GUID) === null) return false
    const kind = this.#number(4)
    if (kind === 0) return this.#number(4) !== -1
    const size = this.#number(4)
    return size !== -1 && this.#take(padded(size)) !== null
  }

  #number(size: 2 | 4): number {
    const octets = this.#take(size)
    if (octets === null) return -1
    return size === 2 ? octets.readUInt16LE(0) : octets.readUInt32LE(0)
  }

  #take(size: number): Buffer | null {
    if (size > this.#data.length - this.#at) return null
    const octets = this.#data.subarray(this.#at, this.#at + size)
    this.#at += size
    return octets
  }
}
