import type { MessageFile, MessageFiles } from '../../src/storage/messages/files.js'

type Call = 'create' | 'write' | 'sync' | 'read' | 'remove'

/** Files of messages that fail on demand, and whose calls can be held up. */
export class FaultyFiles implements MessageFiles {
  readonly #files: MessageFiles
  #failing: { readonly call: Call; readonly code: string; left: number } | null = null
  #held: { readonly call: Call; readonly until: Promise<void> } | null = null
  /** Calls that were made, and of writes how many pieces each had. */
  readonly calls: Record<Call, number> = { create: 0, write: 0, sync: 0, read: 0, remove: 0 }
  readonly pieces: number[] = []

  constructor(files: MessageFiles) {
    this.#files = files
  }

  /** The next `times` calls of that kind fail; a write then leaves half of its first piece. */
  fail(call: Call, code: string, times = Number.POSITIVE_INFINITY): void {
    this.#failing = { call, code, left: times }
  }

  heal(): void {
    this.#failing = null
  }

  /** Calls of that kind wait until the returned function is called. */
  hold(call: Call): () => void {
    let letGo = (): void => undefined
    const until = new Promise<void>((resolve) => {
      letGo = resolve
    })
    this.#held = { call, until }
    return () => {
      this.#held = null
      letGo()
    }
  }

  list(): Promise<readonly number[]> {
    return this.#files.list()
  }

  async create(number: number): Promise<MessageFile> {
    await this.#pass('create')
    return this.#wrap(await this.#files.create(number))
  }

  async open(number: number): Promise<MessageFile> {
    return this.#wrap(await this.#files.open(number))
  }

  async remove(number: number): Promise<void> {
    await this.#pass('remove')
    await this.#files.remove(number)
  }

  async #pass(call: Call): Promise<void> {
    this.calls[call]++
    if (this.#held?.call === call) await this.#held.until
    this.#failIfTold(call)
  }

  #failIfTold(call: Call): void {
    if (this.#failing?.call !== call || this.#failing.left <= 0) return
    this.#failing.left--
    throw Object.assign(new Error(`${this.#failing.code}: injected, ${call}`), { code: this.#failing.code })
  }

  #wrap(file: MessageFile): MessageFile {
    return {
      write: async (pieces, at) => {
        this.pieces.push(pieces.length)
        try {
          await this.#pass('write')
        } catch (error) {
          const [first] = pieces
          if (first !== undefined) await file.write([first.subarray(0, first.length >> 1)], at)
          throw error
        }
        await file.write(pieces, at)
      },
      writeNow: (pieces, at) => {
        this.pieces.push(pieces.length)
        this.calls.write++
        try {
          this.#failIfTold('write')
        } catch (error) {
          const [first] = pieces
          if (first !== undefined) file.writeNow([first.subarray(0, first.length >> 1)], at)
          throw error
        }
        file.writeNow(pieces, at)
      },
      read: async (into, at) => {
        await this.#pass('read')
        return file.read(into, at)
      },
      size: () => file.size(),
      truncate: (size) => file.truncate(size),
      sync: async () => {
        await this.#pass('sync')
        await file.sync()
      },
      close: () => file.close(),
    }
  }
}
