import { asBuffer, toLatin1 } from '../core/bytes.js'
import { UsageError } from '../core/errors.js'
import { type FieldOptions, formatField } from './compose/words.js'
import { Headers } from './headers.js'

/** A field of the block: its name in lower case ('' for a line that is none), and its octets. */
interface Entry {
  readonly name: string
  readonly bytes: Buffer
}

const EMPTY_LINE = Buffer.from('\r\n', 'latin1')

/**
 * Changes a header block field by field; the octets of every other field, their order, folding and line ends stay as
 * they are. For adding Received, Authentication-Results and DKIM-Signature, and for taking out what may not be
 * trusted. New fields have CRLF line ends. Takes every block; linear time in its length for each change.
 */
export class HeaderEditor {
  #entries: Entry[]
  /** What stands after the fields: the empty line, where there is one. */
  readonly #tail: Buffer

  /** `block`: the fields with the empty line that ends them. Of a block without fields, an empty line is made. */
  constructor(block: Uint8Array) {
    const bytes = asBuffer(block)
    const entries: Entry[] = []
    let at = 0
    for (const { name, offset, endOffset } of new Headers(bytes, Number.POSITIVE_INFINITY)) {
      entries.push({ name: name.toLowerCase(), bytes: bytes.subarray(offset, endOffset) })
      at = endOffset
    }
    this.#entries = entries
    this.#tail = bytes.length === 0 ? EMPTY_LINE : bytes.subarray(at)
  }

  /** Puts a field above all others, written as `formatField` does. Errors as there. */
  prepend(name: string, value: string, options: FieldOptions = {}): this {
    return this.prependField(formatField(name, value, options))
  }

  /** Puts a field that is written already above all others. UsageError `HEADER_FIELD` unless it is one whole field. */
  prependField(field: Uint8Array): this {
    this.#entries.unshift(entryOf(field))
    return this
  }

  /** Puts a field below all others, written as `formatField` does. */
  append(name: string, value: string, options: FieldOptions = {}): this {
    const last = this.#entries.at(-1)
    if (last !== undefined && last.bytes.at(-1) !== 0x0a) {
      // the block was cut off within its last line
      this.#entries[this.#entries.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, EMPTY_LINE]) }
    }
    this.#entries.push(entryOf(formatField(name, value, options)))
    return this
  }

  /** Takes out every field of that name; where `matches` is given, those whose value (one line) it says yes to. */
  remove(name: string, matches?: (value: string) => boolean): this {
    const wanted = name.toLowerCase()
    this.#entries = this.#entries.filter(
      (entry) => entry.name === '' || entry.name !== wanted || (matches && !matches(fieldValue(entry))),
    )
    return this
  }

  /** Writes the value in the place of the first field of that name and takes out the others; appends where there is none. */
  replace(name: string, value: string, options: FieldOptions = {}): this {
    const wanted = name.toLowerCase()
    const field = entryOf(formatField(name, value, options))
    const first = this.#entries.findIndex((entry) => entry.name === wanted)
    if (first === -1) return this.append(name, value, options)
    this.#entries = this.#entries.flatMap((entry, index) =>
      index === first ? [field] : entry.name === wanted ? [] : [entry],
    )
    return this
  }

  /** The block, its empty line included. */
  bytes(): Buffer {
    return Buffer.concat([...this.#entries.map((entry) => entry.bytes), this.#tail])
  }
}

/** One field with folds of CRLF and white space before text, and CRLF at its end. */
function entryOf(field: Uint8Array): Entry {
  const bytes = asBuffer(field)
  const text = toLatin1(bytes)
  const name = /^[\x21-\x39\x3b-\x7e]+(?=:)/.exec(text)?.[0]
  const lines = text.split('\r\n')
  const whole = lines.every((line, index) => {
    if (index === lines.length - 1) return line === '' && index > 0
    return !/[\r\n\0]/.test(line) && (index === 0 || (/^[ \t]/.test(line) && /[^ \t]/.test(line)))
  })
  if (name === undefined || !whole) {
    throw new UsageError(
      'HEADER_FIELD',
      'a field must be its name, a colon, a value, folds with CRLF, and CRLF',
    )
  }
  return { name: name.toLowerCase(), bytes }
}

function fieldValue(entry: Entry): string {
  return new Headers(entry.bytes).valueAt(0)
}
