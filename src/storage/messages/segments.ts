import { MailError } from '../../core/index.js'
import type { MessageFile, MessageFiles } from './files.js'

/** Segments that are open to be read with nobody reading. */
const IDLE = 64

interface OpenSegment {
  readonly file: Promise<MessageFile>
  readers: number
}

/** A new segment and its file, which is its maker's to close. */
export interface NewSegment {
  readonly number: number
  readonly file: MessageFile
}

/**
 * The segments there are: their numbers, the files that are open to be read, and who still has one. A segment that
 * someone holds is never removed: the log that writes it, a Body that may still be appended, a reader.
 */
export class Segments {
  readonly #files: MessageFiles
  /** By age of use: the one used longest ago is first. */
  readonly #open: Map<number, OpenSegment>
  readonly #held: Map<number, number>
  /** Segments that may be nobody's once they are let go. */
  readonly #doubtful: Set<number>
  readonly #letGo: (number: number) => void
  readonly #beforeUse: (number: number) => void
  #next: number
  #closed: boolean

  /**
   * `letGo` is told of segments that nobody holds (any more), and that may be of no use: see `doubt`; `beforeUse` of
   * those that are about to be read.
   */
  constructor(
    files: MessageFiles,
    letGo: (number: number) => void,
    beforeUse: (number: number) => void = () => undefined,
  ) {
    this.#files = files
    this.#open = new Map()
    this.#held = new Map()
    this.#doubtful = new Set()
    this.#letGo = letGo
    this.#beforeUse = beforeUse
    this.#next = 1
    this.#closed = false
  }

  /** The number of the next new one. */
  get next(): number {
    return this.#next
  }

  /**
   * Before anything else: removes the files that are not among the `known` ones, which a crash has left. Returns the
   * known ones that are missing; where there are such, the files are of another database, and all of them stay. No new
   * one has a number below `first`.
   */
  async start(known: ReadonlySet<number>, first = 1): Promise<readonly number[]> {
    const found = new Set(await this.#files.list())
    this.#next = Math.max(this.#next, first)
    for (const number of found) this.#next = Math.max(this.#next, number + 1)
    for (const number of known) this.#next = Math.max(this.#next, number + 1)
    const missing = [...known].filter((number) => !found.has(number))
    if (missing.length > 0) return missing
    for (const number of found) if (!known.has(number)) await this.#files.remove(number)
    return missing
  }

  /** A new segment, held once. */
  async create(): Promise<NewSegment> {
    const number = this.#next++
    const file = await this.#files.create(number)
    this.hold(number)
    return { number, file }
  }

  hold(number: number): void {
    this.#held.set(number, (this.#held.get(number) ?? 0) + 1)
  }

  release(number: number): void {
    const left = (this.#held.get(number) ?? 1) - 1
    if (left > 0) {
      this.#held.set(number, left)
      return
    }
    this.#held.delete(number)
    if (this.#doubtful.delete(number)) this.#letGo(number)
  }

  /** A segment that perhaps no content is in: `letGo` is told of it when nobody holds it. */
  doubt(number: number): void {
    if (this.#held.has(number)) this.#doubtful.add(number)
    else this.#letGo(number)
  }

  /** Reads into the buffer; how many octets there were. The caller holds the segment. */
  async read(number: number, into: Uint8Array, at: number): Promise<number> {
    return this.#use(number, (file) => file.read(into, at))
  }

  /** Octets of its file. The caller holds the segment. */
  async size(number: number): Promise<number> {
    return this.#use(number, (file) => file.size())
  }

  /** Brings what others have written there to the disk. The caller holds the segment. */
  async sync(number: number): Promise<void> {
    return this.#use(number, (file) => file.sync())
  }

  /** Removes the file of a segment that nobody holds. */
  async remove(number: number): Promise<void> {
    const open = this.#open.get(number)
    this.#open.delete(number)
    await (await open?.file)?.close()
    await this.#files.remove(number)
  }

  /** Closes the files; one that is being read, when that has ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#closeIdle(0)
  }

  async #use<T>(number: number, run: (file: MessageFile) => Promise<T>): Promise<T> {
    if (this.#closed) throw new MailError('closed', 'the store is closed')
    this.#beforeUse(number)
    const open = this.#open.get(number) ?? { file: this.#files.open(number), readers: 0 }
    // To the end, as the one used last.
    this.#open.delete(number)
    this.#open.set(number, open)
    open.readers++
    try {
      return await run(await open.file)
    } catch (error) {
      // One that could not be opened is tried again.
      const failed = (await open.file.catch(() => null)) === null
      if (failed && this.#open.get(number) === open) this.#open.delete(number)
      throw error
    } finally {
      open.readers--
      void this.#closeIdle(this.#closed ? 0 : IDLE)
    }
  }

  /** Closes files that nobody reads, the one used longest ago first, until only so many are open. */
  async #closeIdle(most: number): Promise<void> {
    const closing: Promise<void>[] = []
    for (const [number, { file, readers }] of this.#open) {
      if (this.#open.size <= most) break
      if (readers > 0) continue
      this.#open.delete(number)
      closing.push(file.then((opened) => opened.close()))
    }
    await Promise.allSettled(closing)
  }
}
