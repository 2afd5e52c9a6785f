/** Lets a fixed number of tasks run at once and a fixed number wait; whoever comes after that is turned away. */
export class Gate {
  readonly #concurrency: number
  readonly #longestQueue: number
  readonly #waiting: (() => void)[]
  #running: number

  constructor(concurrency: number, longestQueue: number) {
    this.#concurrency = concurrency
    this.#longestQueue = longestQueue
    this.#waiting = []
    this.#running = 0
  }

  /** Runs the task in its turn, first come first served; undefined, without running it, when the queue is full. */
  async run<T>(task: () => Promise<T>): Promise<T | undefined> {
    if (this.#running < this.#concurrency) {
      this.#running++
    } else {
      if (this.#waiting.length >= this.#longestQueue) return undefined
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
