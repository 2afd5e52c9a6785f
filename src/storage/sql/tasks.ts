import type { Logger } from '../../interfaces/index.js'
import { pause, turn } from '../turn.js'
import type { CommitQueue } from './commit-queue.js'
import type { Database } from './database.js'
import { num, text } from './database.js'
import type { FlagGroup } from './rows.js'
import { removeRows, SLICE, writeFlags, writeTombstones } from './rows.js'

/**
 * Work too long for one commit. What a caller sees of it is decided by one commit; the rows follow in slices, also
 * after a crash.
 *
 * - `sweep` lasts as long as a copy is being made: its rows, from `uidNext` on, are nobody's until the commit that ends
 *   both. What a failed or killed copy leaves is deleted.
 * - `expunge` and `flags` have their UIDs in parts, written first; they count once the commit has given them a
 *   mod-sequence, and are dropped where it never came.
 * - `drop` deletes what a removed mailbox held.
 */
export type TaskKind = 'sweep' | 'expunge' | 'flags' | 'drop'

export interface Task {
  readonly id: number
  readonly kind: TaskKind
  /** The mailbox's row. */
  readonly mailbox: number
}

const PAUSES = [50, 200, 1_000, 5_000] as const

export class Tasks {
  readonly #database: Database
  readonly #queue: CommitQueue
  readonly #logger: Logger
  readonly #tombstoneLimit: number
  readonly #running: Set<Promise<void>>
  readonly #stop: AbortController

  constructor(database: Database, queue: CommitQueue, logger: Logger, tombstoneLimit: number) {
    this.#database = database
    this.#queue = queue
    this.#logger = logger
    this.#tombstoneLimit = tombstoneLimit
    this.#running = new Set()
    this.#stop = new AbortController()
  }

  /** Within a commit. */
  begin(kind: TaskKind, mailbox: number): Task {
    const sql = 'INSERT INTO task(kind, mailbox) VALUES (?, ?) RETURNING id'
    return { id: num(this.#database.row(sql, kind, mailbox)?.id), kind, mailbox }
  }

  /** Within a commit: one part of at most `SLICE` rows. */
  addPart(task: Task, part: number, data: readonly unknown[]): void {
    const sql = 'INSERT INTO taskPart(task, part, data) VALUES (?, ?, ?)'
    this.#database.run(sql, task.id, part, JSON.stringify(data))
  }

  /** Within a commit: from here on it is decided. */
  arm(task: Task, modSeq: number): void {
    this.#database.run('UPDATE task SET modSeq = ? WHERE id = ?', modSeq, task.id)
  }

  /** Within a commit: there is nothing (left) to do. */
  end(task: Task): void {
    this.#database.run('DELETE FROM task WHERE id = ?', task.id)
  }

  /** What an earlier process left undone. */
  async resume(): Promise<void> {
    const rows = this.#database.all('SELECT id, kind, mailbox FROM task ORDER BY id')
    for (const row of rows) {
      const task = { id: num(row.id), kind: text(row.kind) as TaskKind, mailbox: num(row.mailbox) }
      while (!(await this.#queue.submit(() => this.#slice(task), { long: true }))) await turn()
    }
  }

  /** Does a task, again and again where the disk fails; resolves early where the store is closed. */
  run(task: Task): Promise<void> {
    const done = this.#run(task).finally(() => this.#running.delete(done))
    this.#running.add(done)
    return done
  }

  /** Leaves what is not done to the next start. */
  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
  }

  /** Now and then forgets the oldest tombstones of a mailbox, after so many runs were written for it. */
  tidySoon(mailbox: number, runs: number, forget: (floor: number) => Promise<void>): void {
    // By chance rather than by count, so that it also happens to a process that is often restarted.
    if (this.#stop.signal.aborted || Math.random() * this.#tombstoneLimit > runs * 10) return
    const done = this.#forget(mailbox, forget).finally(() => this.#running.delete(done))
    this.#running.add(done)
  }

  async #forget(mailbox: number, forget: (floor: number) => Promise<void>): Promise<void> {
    try {
      await turn()
      if (this.#stop.signal.aborted) return
      const cut = this.#database.row(
        'SELECT modSeq FROM expunged WHERE mailbox = ? ORDER BY modSeq DESC, low DESC LIMIT 1 OFFSET ?',
        mailbox,
        this.#tombstoneLimit,
      )
      if (cut === undefined) return
      const floor = num(cut.modSeq)
      await forget(floor)
      while (!this.#stop.signal.aborted) {
        if ((await this.#queue.submit(() => this.#dropTombstones(mailbox, floor), { long: true })) < SLICE)
          return
        await turn()
      }
    } catch (error) {
      this.#logger.log('warn', 'storage.tidyFailed', { mailbox, error: String(error) })
    }
  }

  async #run(task: Task): Promise<void> {
    let failures = 0
    while (!this.#stop.signal.aborted) {
      try {
        if (await this.#queue.submit(() => this.#slice(task), { long: true })) return
        failures = 0
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#logger.log('warn', 'storage.taskFailed', { kind: task.kind, error: String(error) })
        await pause(PAUSES[Math.min(failures++, PAUSES.length - 1)] as number, this.#stop.signal)
      }
    }
  }

  /** Within a commit: the next slice; true when the task is done, and gone. */
  #slice(task: Task): boolean {
    const database = this.#database
    switch (task.kind) {
      case 'sweep':
      case 'drop': {
        const from =
          task.kind === 'drop'
            ? 0
            : num(database.row('SELECT uidNext FROM mailbox WHERE id = ?', task.mailbox)?.uidNext ?? 0)
        const rows = database.all(
          `SELECT uid FROM msg WHERE mailbox = ? AND uid >= ? ORDER BY uid LIMIT ${SLICE}`,
          task.mailbox,
          from,
        )
        removeRows(
          database,
          task.mailbox,
          rows.map((row) => num(row.uid)),
        )
        if (rows.length === SLICE) return false
        if (task.kind === 'drop' && this.#dropTombstones(task.mailbox, Number.MAX_SAFE_INTEGER) === SLICE)
          return false
        this.end(task)
        return true
      }
      case 'expunge':
      case 'flags':
        return this.#partSlice(task)
      default:
        return task.kind satisfies never
    }
  }

  #partSlice(task: Task): boolean {
    const database = this.#database
    const part = database.row('SELECT part, data FROM taskPart WHERE task = ? ORDER BY part LIMIT 1', task.id)
    if (part === undefined) {
      this.end(task)
      return true
    }
    const modSeq = database.row('SELECT modSeq FROM task WHERE id = ?', task.id)?.modSeq ?? null
    if (modSeq !== null) {
      const data = JSON.parse(text(part.data)) as unknown
      if (task.kind === 'expunge') {
        removeRows(database, task.mailbox, data as number[])
        writeTombstones(database, task.mailbox, num(modSeq), data as number[])
      } else {
        writeFlags(database, task.mailbox, num(modSeq), data as FlagGroup[])
      }
    }
    database.run('DELETE FROM taskPart WHERE task = ? AND part = ?', task.id, num(part.part))
    return false
  }

  #dropTombstones(mailbox: number, floor: number): number {
    return this.#database.run(
      `DELETE FROM expunged WHERE (mailbox, modSeq, low) IN
        (SELECT mailbox, modSeq, low FROM expunged WHERE mailbox = ? AND modSeq <= ? LIMIT ${SLICE})`,
      mailbox,
      floor,
    )
  }
}
