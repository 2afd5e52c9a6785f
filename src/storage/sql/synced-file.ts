import { closeSync, fdatasync, openSync } from 'node:fs'

/** What is written by one and has to be on the disk. */
export interface Synced {
  /** Resolves when all that has been written is on the disk; rejects with node:fs's error. */
  sync(): Promise<void>
  close(): void
}

/**
 * A file that SQLite writes, kept open to be synced on another thread: SQLite itself would have everybody wait while the
 * disk does. To be closed after the database, since to close any handle of a file gives up the locks on it (POSIX).
 */
export class SyncedFile implements Synced {
  readonly #handle: number

  private constructor(handle: number) {
    this.#handle = handle
  }

  /** Null where there is no such file. */
  static open(path: string): SyncedFile | null {
    try {
      return new SyncedFile(openSync(path, 'r+'))
    } catch {
      return null
    }
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
