import type { MessageFile, MessageFiles } from './files.js'

/** Files of messages in memory, gone with the process. */
export class MemoryFiles implements MessageFiles {
  readonly #files: Map<number, MemoryFile>

  constructor() {
    this.#files = new Map()
  }

  async list(): Promise<readonly number[]> {
    return [...this.#files.keys()]
  }

  async create(number: number): Promise<MessageFile> {
    const file = new MemoryFile()
    this.#files.set(number, file)
    return file
  }

  async open(number: number): Promise<MessageFile> {
    const file = this.#files.get(number)
    if (file === undefined) throw Object.assign(new Error(`there is no file ${number}`), { code: 'ENOENT' })
    return file
  }

  async remove(number: number): Promise<void> {
    this.#files.delete(number)
  }
}

class MemoryFile implements MessageFile {
  /** Grows by doubling; zeros beyond what was written. */
  #octets: Buffer
  #size: number

  constructor() {
    this.#octets = Buffer.alloc(0)
    this.#size = 0
  }

  async write(pieces: readonly Uint8Array[], at: number): Promise<void> {
    this.writeNow(pieces, at)
  }

  writeNow(pieces: readonly Uint8Array[], at: number): void {
    const end = pieces.reduce((sum, piece) => sum + piece.length, at)
    if (end > this.#octets.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#octets.length))
      this.#octets.copy(larger, 0, 0, this.#size)
      this.#octets = larger
    }
    let offset = at
    for (const piece of pieces) {
      this.#octets.set(piece, offset)
      offset += piece.length
    }
    this.#size = Math.max(this.#size, end)
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    const part = this.#octets.subarray(at, Math.min(at + into.length, this.#size))
    into.set(part)
    return part.length
  }

  async size(): Promise<number> {
    return this.#size
  }

  async truncate(size: number): Promise<void> {
    this.#octets.fill(0, size)
    this.#size = size
  }

  async sync(): Promise<void> {}

  async close(): Promise<void> {}
}
