import type { Envelope, MessageFacts } from '../interfaces/message-facts.js'
import type { Defect } from './defects.js'
import { closePart, envelopeOf, NO_ENVELOPE, type OpenPart, openPart, TextBudget } from './facts.js'
import type { Headers } from './headers.js'
import { type MimeLimits, mimeLimits } from './limits.js'
import { PartScanner, type ScannedPart } from './scanner.js'

/** Characters. */
const LARGE_BLOCK = 16_384

/**
 * Level 1: the structure of a message, its envelope, offsets and line counts, without decoding a body. Takes any
 * octets in chunks of any size, holds no body, and never fails: there is always a tree, and `defects` says what was wrong.
 * For the bounds of the result see `MAX_FACT_STRING` and `MAX_FACT_TEXT`.
 */
export class FactsReader {
  readonly #limits: MimeLimits
  readonly #scanner: PartScanner
  readonly #budget: TextBudget
  /** The parts that are open, from the root inwards. */
  readonly #open: OpenPart[]
  #root: OpenPart | null
  #envelope: Envelope
  #facts: MessageFacts | null

  /** UsageError `LIMIT` for a limit out of range. */
  constructor(limits?: Partial<MimeLimits>) {
    this.#limits = mimeLimits(limits)
    this.#scanner = new PartScanner(this.#limits, { bodies: false, lines: true })
    this.#budget = new TextBudget()
    this.#open = []
    this.#root = null
    this.#envelope = NO_ENVELOPE
    this.#facts = null
  }

  /** Up to 1,000 of them, in the order in which they were found. */
  get defects(): readonly Defect[] {
    return this.#scanner.defects
  }

  /** Takes the next octets; their memory must not be changed before `end`. Nothing is taken after `end`. */
  write(chunk: Uint8Array): void {
    this.#scanner.receive(chunk)
    this.#read()
  }

  /** The facts; the same object however often it is called. */
  end(): MessageFacts {
    if (this.#facts === null) {
      this.#scanner.end()
      this.#read()
      // the scanner begins a part even for no octets at all
      const root = this.#root as OpenPart
      this.#facts = { size: this.#scanner.size, root, envelope: this.#envelope }
    }
    return this.#facts
  }

  #read(): void {
    for (let event = this.#scanner.next(); event !== null; event = this.#scanner.next()) {
      if (event.type === 'begin') this.#begin(event.part, event.headers)
      else if (event.type === 'end') {
        const open = this.#open.pop()
        if (open !== undefined) closePart(open, event.part)
      }
    }
  }

  #begin(part: ScannedPart, headers: Headers): void {
    const isRoot = part.parent === null || part.parent.kind === 'message'
    const envelope = isRoot ? this.#detached(headers, envelopeOf(headers, this.#budget)) : NO_ENVELOPE
    const facts = this.#detached(headers, openPart(part, headers, this.#limits.parameters, this.#budget))
    const outer = this.#open.at(-1)
    this.#open.push(facts)
    if (outer === undefined) {
      this.#root = facts
      this.#envelope = envelope
    } else if (isRoot) outer.message = { envelope, root: facts }
    else outer.parts.push(facts)
  }

  /** A copy where the header block is large: a slice of a string keeps the whole string in memory. */
  #detached<T>(headers: Headers, facts: T): T {
    return headers.raw.length > LARGE_BLOCK ? (JSON.parse(JSON.stringify(facts)) as T) : facts
  }
}

/** The facts of a whole message. Never throws. */
export function factsOf(message: Uint8Array): MessageFacts {
  const reader = new FactsReader()
  reader.write(message)
  return reader.end()
}
