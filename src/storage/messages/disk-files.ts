import { close, fdatasync, fstat, ftruncate, open, read, writev, writevSync } from 'node:fs'
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { MessageFile, MessageFiles } from './files.js'
import { syncFolder } from './sync-folder.js'

/** Files of a folder, which no file system finds many. */
const SHARD = 1_000
const SUFFIX = '.log'

const openFile = promisify(open)
const statFile = promisify(fstat)
const truncateFile = promisify(ftruncate)
const syncFile = promisify(fdatasync)
const closeFile = promisify(close)

/** The path of a file below the folder of messages: `000012/000012345.log`. */
export function messagePath(number: number): string {
  const shard = String(Math.floor(number / SHARD)).padStart(6, '0')
  return join(shard, `${String(number).padStart(9, '0')}${SUFFIX}`)
}

/** Files of messages in a folder of their own, which is made with the first of them. */
export class DiskFiles implements MessageFiles {
  readonly #folder: string
  /** Folders that are known to be on the disk. */
  readonly #durable: Set<string>

  constructor(folder: string) {
    this.#folder = folder
    this.#durable = new Set()
  }

  async list(): Promise<readonly number[]> {
    const numbers: number[] = []
    for (const shard of await namesIn(this.#folder)) {
      const names = /^\d{6,}$/.test(shard) ? await namesIn(join(this.#folder, shard)) : null
      // What was emptied by and by.
      if (names?.length === 0) await rmdir(join(this.#folder, shard)).catch(() => undefined)
      for (const name of names ?? []) {
        const number = /^(\d{9,})\.log$/.exec(name)?.[1]
        if (number !== undefined) numbers.push(Number(number))
      }
    }
    return numbers
  }

  async create(number: number): Promise<MessageFile> {
    const path = this.#path(number)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const handle = await openFile(path, 'wx+', 0o600)
    return new DiskFile(handle, () => this.#syncFolders(dirname(path)))
  }

  async open(number: number): Promise<MessageFile> {
    return new DiskFile(await openFile(this.#path(number), 'r+'), null)
  }

  async remove(number: number): Promise<void> {
    await rm(this.#path(number), { force: true })
  }

  #path(number: number): string {
    return join(this.#folder, messagePath(number))
  }

  /** After a file was made in `shard`. The folders above it are synced once: they may be as new. */
  async #syncFolders(shard: string): Promise<void> {
    await syncFolder(shard)
    if (this.#durable.has(shard)) return
    await syncFolder(this.#folder)
    await syncFolder(dirname(this.#folder))
    this.#durable.add(shard)
  }
}

/** Callbacks of numbers rather than handles: they cost the main thread less. */
class DiskFile implements MessageFile {
  readonly #handle: number
  /** Set until it has been done. */
  #syncFolders: (() => Promise<void>) | null

  constructor(handle: number, syncFolders: (() => Promise<void>) | null) {
    this.#handle = handle
    this.#syncFolders = syncFolders
  }

  async write(pieces: readonly Uint8Array[], at: number): Promise<void> {
    let left = pieces
    for (let offset = at; left.length > 0; ) {
      const written = await this.#write(left, offset)
      offset += written
      left = without(left, written)
    }
  }

  /** Another thread would cost more than the system's copy of the octets does. */
  writeNow(pieces: readonly Uint8Array[], at: number): void {
    let left = pieces
    for (let offset = at; left.length > 0; ) {
      const written = writevSync(this.#handle, left, offset)
      offset += written
      left = without(left, written)
    }
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const step = (done: number): void => {
        read(this.#handle, into, done, into.length - done, at + done, (error, octets) => {
          if (error !== null) reject(error)
          else if (octets === 0 || done + octets === into.length) resolve(done + octets)
          else step(done + octets)
        })
      }
      step(0)
    })
  }

  async size(): Promise<number> {
    return (await statFile(this.#handle)).size
  }

  truncate(size: number): Promise<void> {
    return truncateFile(this.#handle, size)
  }

  async sync(): Promise<void> {
    await syncFile(this.#handle)
    if (this.#syncFolders !== null) await this.#syncFolders()
    this.#syncFolders = null
  }

  close(): Promise<void> {
    return closeFile(this.#handle)
  }

  #write(pieces: readonly Uint8Array[], at: number): Promise<number> {
    return new Promise((resolve, reject) => {
      writev(this.#handle, pieces, at, (error, written) => {
        if (error !== null) reject(error)
        else resolve(written)
      })
    })
  }
}

/** What is left of the pieces when so many octets have been written. */
function without(pieces: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written
  const index = pieces.findIndex((piece) => {
    if (skip < piece.length) return true
    skip -= piece.length
    return false
  })
  const first = pieces[index]
  return first === undefined ? [] : [first.subarray(skip), ...pieces.slice(index + 1)]
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
