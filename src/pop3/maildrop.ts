/**
 * The messages of a session, numbered from 1 as they were at login (RFC 1939 section 4), and which of them are marked
 * as deleted. Numbers never change, whatever others do to the mailbox meanwhile.
 */
export class Maildrop {
  readonly uidValidity: number
  readonly #uids: readonly number[]
  readonly #sizes: readonly number[]
  readonly #deleted: Uint8Array
  #count: number
  #octets: number

  /** `sizes[i]` octets has the message of UID `uids[i]`. */
  constructor(uidValidity: number, uids: readonly number[], sizes: readonly number[]) {
    this.uidValidity = uidValidity
    this.#uids = uids
    this.#sizes = sizes
    this.#deleted = new Uint8Array(uids.length)
    this.#count = 0
    this.#octets = 0
    this.reset()
  }

  /** The highest message number. */
  get last(): number {
    return this.#uids.length
  }

  /** Messages that are not marked. */
  get count(): number {
    return this.#count
  }

  /** Octets of the messages that are not marked. */
  get octets(): number {
    return this.#octets
  }

  /** `2 messages (320 octets)`: how many are not marked. */
  get summary(): string {
    return `${this.#count} ${this.#count === 1 ? 'message' : 'messages'} (${this.#octets} octets)`
  }

  /** There is a message of that number, marked or not. */
  knows(number: number): boolean {
    return number >= 1 && number <= this.last
  }

  isDeleted(number: number): boolean {
    return this.#deleted[number - 1] === 1
  }

  size(number: number): number {
    return this.#sizes[number - 1] as number
  }

  uid(number: number): number {
    return this.#uids[number - 1] as number
  }

  /** RFC 1939 section 7, UIDL: the same in every session, and never used again for another message. */
  uniqueId(number: number): string {
    return `${this.uidValidity}.${this.uid(number)}`
  }

  delete(number: number): void {
    this.#deleted[number - 1] = 1
    this.#count--
    this.#octets -= this.size(number)
  }

  /** Takes all marks back. */
  reset(): void {
    this.#deleted.fill(0)
    this.#count = this.#uids.length
    this.#octets = this.#sizes.reduce((sum, size) => sum + size, 0)
  }

  /** UIDs of the marked messages, ascending. */
  deletedUids(): readonly number[] {
    return this.#uids.filter((_, index) => this.#deleted[index] === 1)
  }
}
