import type { OutputQueue } from '../core/index.js'
import type { Maildrop } from './maildrop.js'

const SLICE = 1000

/** A multi-line response with a line a message, written in slices, so that no listing fills the memory. */
export class Listing {
  readonly #maildrop: Maildrop
  readonly #describe: (number: number) => string
  #next: number

  /** `describe` is what follows the message number. */
  constructor(maildrop: Maildrop, describe: (number: number) => string) {
    this.#maildrop = maildrop
    this.#describe = describe
    this.#next = 1
  }

  /** Writes the next slice; true when that was the last. */
  write(output: OutputQueue): boolean {
    const end = Math.min(this.#next + SLICE, this.#maildrop.last + 1)
    let text = ''
    for (; this.#next < end; this.#next++) {
      if (!this.#maildrop.isDeleted(this.#next)) text += `${this.#next} ${this.#describe(this.#next)}\r\n`
    }
    const done = this.#next > this.#maildrop.last
    output.text(done ? `${text}.\r\n` : text)
    return done
  }
}
