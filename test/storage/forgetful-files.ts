import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { messagePath } from '../../src/storage/messages/disk-files.js'
import type { MessageFile, MessageFiles } from '../../src/storage/messages/files.js'
import { MemoryFiles } from '../../src/storage/messages/memory-files.js'

/** Octets that a disk writes as one, or not at all. */
export const SECTOR = 512

interface Write {
  readonly at: number
  readonly octets: Buffer
  synced: boolean
}

interface Kept {
  /** In the order they were made. */
  readonly writes: Write[]
  /** Its folder has been synced since it was made. */
  durable: boolean
  removed: boolean
}

/**
 * Files of messages on a disk that keeps for certain only what was written when a sync that has ended began. Of what
 * came later, new files among it, it keeps what it likes.
 */
export class ForgetfulFiles implements MessageFiles {
  readonly #ms: number
  readonly #files = new MemoryFiles()
  readonly #kept = new Map<number, Kept>()
  /** How many were ever made, and how many were removed. */
  made = 0
  removed = 0
  /** Called when a sync is about to end, and soon after it has ended. */
  onSync: (moment: 'during' | 'after') => void = () => undefined

  /** A sync takes up to so many milliseconds. */
  constructor(ms: number) {
    this.#ms = ms
  }

  list(): Promise<readonly number[]> {
    return this.#files.list()
  }

  async create(number: number): Promise<MessageFile> {
    const file = await this.#files.create(number)
    const kept: Kept = { writes: [], durable: false, removed: false }
    this.#kept.set(number, kept)
    this.made++
    return {
      write: async (pieces, at) => {
        kept.writes.push({ at, octets: Buffer.concat(pieces), synced: false })
        await file.write(pieces, at)
      },
      writeNow: (pieces, at) => {
        kept.writes.push({ at, octets: Buffer.concat(pieces), synced: false })
        file.writeNow(pieces, at)
      },
      sync: async () => {
        const written = [...kept.writes]
        await new Promise((resolve) => setTimeout(resolve, Math.random() * this.#ms))
        this.onSync('during')
        for (const write of written) write.synced = true
        kept.durable = true
        setImmediate(() => this.onSync('after'))
      },
      read: (into, at) => file.read(into, at),
      size: () => file.size(),
      truncate: (size) => file.truncate(size),
      close: () => file.close(),
    }
  }

  open(number: number): Promise<MessageFile> {
    return this.#files.open(number)
  }

  async remove(number: number): Promise<void> {
    const kept = this.#kept.get(number)
    if (kept !== undefined) kept.removed = true
    this.removed++
    await this.#files.remove(number)
  }

  /** Writes to a folder what is there after a power loss: `keeps` says of all that was not synced whether it is. */
  writeAfter(folder: string, keeps: () => boolean): void {
    for (const [number, { writes, durable, removed }] of this.#kept) {
      // A file that was removed may be there again, and one that was made may not.
      if ((removed || !durable) && !keeps()) continue
      const path = join(folder, messagePath(number))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, contentAfter(writes, keeps))
    }
  }
}

function contentAfter(writes: readonly Write[], keeps: () => boolean): Buffer {
  const parts: { readonly at: number; readonly octets: Buffer }[] = []
  for (const { at, octets, synced } of writes) {
    if (synced) parts.push({ at, octets })
    else {
      for (let from = 0; from < octets.length; from += SECTOR) {
        if (keeps()) parts.push({ at: at + from, octets: octets.subarray(from, from + SECTOR) })
      }
    }
  }
  const content = Buffer.alloc(parts.reduce((end, { at, octets }) => Math.max(end, at + octets.length), 0))
  for (const { at, octets } of parts) octets.copy(content, at)
  return content
}
