import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** What has to be synced before a commit is on the disk. */
export interface Log {
  /** Resolves when all that has been written is on the disk; rejects with node:fs's error. */
  sync(): Promise<void>
  close(): void
}

/**
 * The file of the write-ahead log, kept open to be synced on another thread than the one that writes it: SQLite itself
 * would have everybody wait while the disk does.
 */
export class LogFile implements Log {
  readonly #handle: number

  private constructor(handle: number) {
    this.#handle = handle
  }

  /** Null where the database has no such file. */
  static open(path: string): LogFile | null {
    let handle: number
    try {
      handle = openSync(path, 'r+')
    } catch {
      return null
    }
    syncFolder(dirname(path))
    return new LogFile(handle)
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#handle, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  close(): void {
    closeSync(this.#handle)
  }
}

/** A new file is there after a power loss only when its folder is synced, where folders can be. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch {
    // Windows has no such call and needs none.
  }
}
