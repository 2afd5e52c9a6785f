import type { SqlDriver, SqlDriverOpener, SqlStatement } from '../storage/sql/index.js'

/** What a disk says when it is full, and when it is broken. */
export type Fault = 'ENOSPC' | 'EIO'

/** A disk that fails on demand. Give `open` to `openSqliteStore` as its driver. */
export class FaultyDisk {
  readonly open: SqlDriverOpener
  #pattern: RegExp | null
  #fault: Fault
  #left: number

  constructor(open: SqlDriverOpener) {
    this.#pattern = null
    this.#fault = 'EIO'
    this.#left = 0
    this.open = async (file) => {
      const driver = await open(file)
      return driver === null ? null : this.#wrap(driver)
    }
  }

  /** The next `times` statements that match fail before they reach the database. */
  fail(pattern: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    this.#pattern = pattern
    this.#fault = fault
    this.#left = times
  }

  heal(): void {
    this.#pattern = null
  }

  #check(sql: string): void {
    if (this.#pattern === null || this.#left <= 0 || !this.#pattern.test(sql)) return
    this.#left--
    throw Object.assign(new Error(`${this.#fault}: injected into ${sql.trim().slice(0, 40)}`), {
      code: this.#fault,
    })
  }

  #wrap(driver: SqlDriver): SqlDriver {
    return {
      name: `faulty ${driver.name}`,
      exec: (sql) => {
        this.#check(sql)
        driver.exec(sql)
      },
      prepare: (sql): SqlStatement => {
        const statement = driver.prepare(sql)
        return {
          run: (...values) => {
            this.#check(sql)
            return statement.run(...values)
          },
          all: (...values) => {
            this.#check(sql)
            return statement.all(...values)
          },
        }
      },
      close: () => driver.close(),
    }
  }
}
