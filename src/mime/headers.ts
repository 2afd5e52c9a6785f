import { asBuffer, fromLatin1, toLatin1 } from '../core/bytes.js'
import { decodeWords } from './encoded-words.js'
import { unfold } from './text.js'

/** One field of a header block, or a line that is none (its `name` is empty then). */
export interface HeaderField {
  /** As it is written. */
  readonly name: string
  /** What stands after the colon, folds and line end included, one octet a character. */
  readonly rawValue: string
  /** Octets from the start of the block to the field's first octet. */
  readonly offset: number
  /** Octets from the start of the block to the octet after the field's line end. */
  readonly endOffset: number
}

const LF = 0x0a
const CR = 0x0d

/**
 * A header block (RFC 5322 section 2.2) with its order, case, folding, duplicates and octets kept. Names are compared
 * without case, and any name is plain data. Lines beginning with white space continue the field before them; a
 * line without a colon is kept as a field without a name. Takes every input; linear time.
 */
export class Headers {
  /** The block as it stands, its empty line included, one octet a character. */
  readonly raw: string
  /** True when the block holds more fields than were looked at. */
  readonly truncated: boolean
  readonly #names: readonly string[]
  /** For each field: where it starts, where its value starts (or -1), where it ends. */
  readonly #bounds: readonly number[]

  /** Reads up to `maxFields` fields. */
  constructor(block: Uint8Array | string, maxFields = 2_000) {
    const raw = typeof block === 'string' ? block : toLatin1(asBuffer(block))
    const names: string[] = []
    const bounds: number[] = []
    let truncated = false
    let at = 0
    while (at < raw.length) {
      const first = raw.charCodeAt(at)
      if (first === LF || (first === CR && raw.charCodeAt(at + 1) === LF)) break
      if (names.length === maxFields) {
        truncated = true
        break
      }
      let end = raw.indexOf('\n', at) + 1
      if (end === 0) end = raw.length
      const lineEnd = end
      for (;;) {
        const next = raw.charCodeAt(end)
        if (next !== 0x20 && next !== 0x09) break
        end = raw.indexOf('\n', end) + 1
        if (end === 0) end = raw.length
      }
      const colon = nameEnd(raw, at, lineEnd)
      names.push(colon === -1 ? '' : lowerName(raw, at, colon))
      bounds.push(at, colon === -1 ? -1 : colon + 1, end)
      at = end
    }
    this.raw = raw
    this.truncated = truncated
    this.#names = names
    this.#bounds = bounds
  }

  /** Fields, lines that are no field included. */
  get length(): number {
    return this.#names.length
  }

  /** The field's name in lower case, `''` for a line that is no field. */
  nameAt(index: number): string {
    return this.#names[index] ?? ''
  }

  /** The value as it stands, folds and line end included. */
  rawValueAt(index: number): string {
    const start = this.#bounds[index * 3 + 1]
    return start === undefined || start === -1 ? '' : this.raw.slice(start, this.#bounds[index * 3 + 2])
  }

  /** The value on one line, one octet a character, not decoded. */
  valueAt(index: number): string {
    return unfold(this.rawValueAt(index))
  }

  /** The first field of that name as `valueAt` gives it, or null. */
  get(name: string): string | null {
    const index = this.#names.indexOf(name.toLowerCase())
    return index === -1 || name === '' ? null : this.valueAt(index)
  }

  /** Every field of that name, in order, as `valueAt` gives them. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase()
    const found: string[] = []
    if (wanted === '') return found
    for (let i = 0; i < this.#names.length; i++) if (this.#names[i] === wanted) found.push(this.valueAt(i))
    return found
  }

  /** The first field of that name as text, encoded words decoded (RFC 2047), or null. */
  getText(name: string): string | null {
    const value = this.get(name)
    return value === null ? null : decodeWords(value)
  }

  has(name: string): boolean {
    return name !== '' && this.#names.includes(name.toLowerCase())
  }

  /** The octets of one field, its line end included. */
  rawFieldAt(index: number): Buffer {
    return fromLatin1(this.raw.slice(this.#bounds[index * 3], this.#bounds[index * 3 + 2]))
  }

  *[Symbol.iterator](): IterableIterator<HeaderField> {
    for (let i = 0; i < this.#names.length; i++) {
      const offset = this.#bounds[i * 3] ?? 0
      const value = this.#bounds[i * 3 + 1] ?? -1
      const endOffset = this.#bounds[i * 3 + 2] ?? 0
      const name = value === -1 ? '' : this.raw.slice(offset, value - 1).replace(/[ \t]+$/, '')
      yield { name, rawValue: this.rawValueAt(i), offset, endOffset }
    }
  }
}

/** The index of the colon that ends a field's name (RFC 5322 section 3.6.8, with white space before it), or -1. */
function nameEnd(raw: string, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const code = raw.charCodeAt(i)
    if (code === 0x3a) return i === start ? -1 : i
    if (code > 0x20) continue
    if (i === start) return -1
    while (i < end && (raw.charCodeAt(i) === 0x20 || raw.charCodeAt(i) === 0x09)) i++
    return raw.charCodeAt(i) === 0x3a && i < end ? i : -1
  }
  return -1
}

function lowerName(raw: string, start: number, colon: number): string {
  let end = colon
  while (end > start && raw.charCodeAt(end - 1) <= 0x20) end--
  return raw.slice(start, end).toLowerCase()
}

/**
 * The fields of a raw header block whose names are in `names` (or, with `not`, are not), as they stand, and the
 * block's empty line where it has one: BODY[HEADER.FIELDS] and BODY[HEADER.FIELDS.NOT] of RFC 3501 section 6.4.5.
 */
export function selectFields(block: Uint8Array, names: readonly string[], not = false): Buffer {
  const bytes = asBuffer(block)
  const headers = new Headers(bytes, Number.POSITIVE_INFINITY)
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  const pieces: Buffer[] = []
  let at = 0
  for (const field of headers) {
    const named = field.name !== '' && wanted.has(field.name.toLowerCase())
    if (named !== not) pieces.push(bytes.subarray(field.offset, field.endOffset))
    at = field.endOffset
  }
  pieces.push(bytes.subarray(at))
  return Buffer.concat(pieces)
}

/** True when a line of a header block may be a field, or the `From ` line of a mailbox file before them. */
export function looksLikeField(line: string): boolean {
  return nameEnd(line, 0, line.length) !== -1 || /^>?From /.test(line)
}
