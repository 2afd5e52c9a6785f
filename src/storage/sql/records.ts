import type { CommitQueue } from './commit-queue.js'
import type { Database } from './database.js'
import { text } from './database.js'
import { toMailError } from './errors.js'

/** Durable text by key, of one kind: users, for example. Writes share their commits with mail. */
export class Records {
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #folder: string | null
  readonly #kind: string

  constructor(database: Database, queue: CommitQueue, folder: string | null, kind: string) {
    this.#database = database
    this.#queue = queue
    this.#folder = folder
    this.#kind = kind
  }

  async get(key: string): Promise<string | null> {
    const row = this.#read(() =>
      this.#database.row('SELECT value FROM record WHERE kind = ? AND key = ?', this.#kind, key),
    )
    return row === undefined ? null : text(row.value)
  }

  /** Writes or overwrites; resolves when it is durable. */
  async put(key: string, value: string): Promise<void> {
    await this.#queue.submit(
      () =>
        this.#database.run(
          `INSERT INTO record(kind, key, value) VALUES (?, ?, ?)
           ON CONFLICT(kind, key) DO UPDATE SET value = excluded.value`,
          this.#kind,
          key,
          value,
        ),
      { octets: value.length },
    )
  }

  /** Writes only where nothing has that key; false where something has. */
  async add(key: string, value: string): Promise<boolean> {
    const sql = 'INSERT INTO record(kind, key, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'
    return (
      (await this.#queue.submit(() => this.#database.run(sql, this.#kind, key, value), {
        octets: value.length,
      })) === 1
    )
  }

  /** True where there was one. */
  async delete(key: string): Promise<boolean> {
    const sql = 'DELETE FROM record WHERE kind = ? AND key = ?'
    return (await this.#queue.submit(() => this.#database.run(sql, this.#kind, key))) === 1
  }

  /** Every key, in the order of their octets. */
  async list(): Promise<readonly string[]> {
    const rows = this.#read(() =>
      this.#database.all('SELECT key FROM record WHERE kind = ? ORDER BY key', this.#kind),
    )
    return rows.map((row) => text(row.key))
  }

  #read<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      throw toMailError(error, this.#folder)
    }
  }
}
