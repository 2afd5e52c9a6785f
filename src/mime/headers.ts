import { isAscii } from 'node:buffer'
import { asBuffer, CR, fromLatin1, LF, toLatin1 } from '../core/bytes.js'
import { codesOf, isKeyword } from '../core/keyword-table.js'
import { decodeWords, readWords, wordAt } from './encoded-words.js'
import { joinLines, unfoldPart, whiteEnd, whiteStart } from './text.js'

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
  /** Octets of the block, its empty line included. */
  readonly size: number
  /** True when the empty line was found. */
  readonly terminated: boolean
  /** True when every line is part of a field, all of them end alike, and there is neither NUL nor a CR without LF. */
  readonly isRegular: boolean
  /**
   * For each field six numbers: where it starts, where its name ends, where its value starts (or -1), where it ends,
   * a hash of its name in lower case, and where its first line ends.
   */
  readonly #fields: readonly number[]
  /** A bit for each hash: most names that are looked up are not there. */
  readonly #hashes: number
  /** Whether every octet is below 128; told of a regular block. */
  readonly #isAscii: boolean
  /** Whether an encoded word may stand somewhere; looked at when it is first asked for. */
  #hasWords: boolean | null

  /**
   * Reads up to `maxFields` fields, from octet `from` on, which every offset counts from. What stands behind the empty
   * line is not part of the block, nor with `onlyFields` is the first line that is no field and what follows it.
   */
  constructor(block: Uint8Array | string, maxFields = 2_000, from = 0, onlyFields = false) {
    const bytes = typeof block === 'string' ? fromLatin1(block) : asBuffer(block)
    const { length } = bytes
    const fields: number[] = []
    const most = maxFields * SLOTS
    let truncated = false
    let terminated = false
    let hashes = 0
    let isRegular = true
    let bareLf = false
    let bits = 0
    let at = from
    while (at < length) {
      const first = bytes[at] as number
      if (first === LF || (first === CR && bytes[at + 1] === LF)) {
        terminated = true
        if (first === LF) bareLf = true
        at += first === LF ? 1 : 2
        break
      }
      if (fields.length === most) {
        truncated = true
        break
      }
      // the name: up to a colon, white space before which belongs to neither (RFC 5322 section 4.5)
      let hash = 0
      let name = at
      for (; name < length; name++) {
        const octet = bytes[name] as number
        if (octet === COLON || octet <= 0x20) break
        bits |= octet
        hash = (Math.imul(hash, 31) + (octet | 0x20)) | 0
      }
      let colon = name
      while (colon < length && (bytes[colon] === 0x20 || bytes[colon] === 0x09)) colon++
      const isField = name > at && colon < length && bytes[colon] === COLON
      if (!isField && onlyFields) {
        isRegular = false
        break
      }
      // its lines; what was read so far holds no line end
      let lineEnd = -1
      let end = colon
      for (;;) {
        const near = Math.min(end + NEAR, length)
        let octet = 0
        // four at a time
        for (; end + 4 <= near; end += 4) {
          const a = bytes[end] as number
          const b = bytes[end + 1] as number
          const c = bytes[end + 2] as number
          const d = bytes[end + 3] as number
          if (a <= CR || b <= CR || c <= CR || d <= CR) break
          bits |= a | b | c | d
        }
        for (; end < near; end++) {
          octet = bytes[end] as number
          if (octet <= CR && octet !== TAB) break
          bits |= octet
        }
        if (octet === CR && bytes[end + 1] === LF) end++
        else if (octet === LF) bareLf = true
        else {
          // a long line, or an octet that does not belong there
          const lf = end < length ? bytes.indexOf(LF, end) : -1
          const to = lf === -1 ? length : lf
          if (isRegular && to > end) {
            const line = bytes.subarray(end, to)
            isRegular = isText(line, lf !== -1)
            if (!isAscii(line)) bits |= 0x80
          }
          if (to === lf && bytes[lf - 1] !== CR) bareLf = true
          end = to
        }
        if (end < length) end++
        if (lineEnd === -1) lineEnd = end
        if (bytes[end] !== 0x20 && bytes[end] !== 0x09) break
      }
      if (isField) {
        fields.push(at - from, name - from, colon + 1 - from, end - from, hash, lineEnd - from)
        hashes |= bitOf(hash)
      } else {
        fields.push(at - from, at - from, -1, end - from, 0, lineEnd - from)
        isRegular = false
      }
      at = end
    }
    const to = truncated ? length : at
    const size = to - from
    this.raw = toLatin1(bytes, from, to)
    this.size = size
    this.terminated = terminated
    this.truncated = truncated
    this.isRegular = isRegular && !(bareLf && this.raw.includes('\r\n'))
    this.#fields = fields
    this.#hashes = hashes
    this.#isAscii = bits < 0x80
    this.#hasWords = null
  }

  /** Fields, lines that are no field included. */
  get length(): number {
    return this.#fields.length / SLOTS
  }

  /** The field's name in lower case, `''` for a line that is no field. */
  nameAt(index: number): string {
    const start = this.#fields[index * SLOTS]
    return start === undefined ? '' : this.raw.slice(start, this.#fields[index * SLOTS + 1]).toLowerCase()
  }

  /** The value as it stands, folds and line end included. */
  rawValueAt(index: number): string {
    const start = this.#fields[index * SLOTS + 2]
    return start === undefined || start === -1 ? '' : this.raw.slice(start, this.#fields[index * SLOTS + 3])
  }

  /** The value on one line, one octet a character, not decoded. */
  valueAt(index: number): string {
    const start = this.#fields[index * SLOTS + 2]
    return start === undefined || start === -1 ? '' : this.#unfolded(index * SLOTS, start)
  }

  /** The value as text: on one line, encoded words decoded (RFC 2047), raw UTF-8 read as such (RFC 6532). */
  textAt(index: number): string {
    const slot = index * SLOTS
    const start = this.#fields[slot + 2]
    if (start === undefined || start === -1) return ''
    const { raw } = this
    this.#hasWords ??= wordAt(raw, 0) !== -1
    // words are read where they stand: what unfolding would leave out of them means nothing there
    if (this.#hasWords && this.isRegular) {
      const end = this.#fields[slot + 3] as number
      if (wordAt(raw.slice(start, end), 0) !== -1) {
        const from = whiteEnd(raw, start, end)
        return readWords(raw, from, whiteStart(raw, from, end))
      }
    }
    const value = this.#unfolded(slot, start)
    return this.#isAscii && this.isRegular ? value : decodeWords(value)
  }

  /** The first field of that name as `valueAt` gives it, or null. */
  get(name: string): string | null {
    const index = this.#find(name.toLowerCase(), 0)
    return index === -1 ? null : this.valueAt(index)
  }

  /** Every field of that name, in order, as `valueAt` gives them. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase()
    const found: string[] = []
    for (let i = this.#find(wanted, 0); i !== -1; i = this.#find(wanted, i + 1)) found.push(this.valueAt(i))
    return found
  }

  /** `get` for a name that is looked up in every part. */
  getKnown(name: FieldName): string | null {
    const index = this.#findKnown(name, 0)
    return index === -1 ? null : this.valueAt(index)
  }

  /** What `read` makes of the first field of that name, told where in a text its value stands, or null. */
  readKnown<T>(name: FieldName, read: FieldReader<T>): T | null {
    const index = this.#findKnown(name, 0)
    return index === -1 ? null : this.#read(index, read)
  }

  /** The same of every field of that name, in order. */
  readAllKnown<T>(name: FieldName, read: FieldReader<T>): readonly T[] {
    let index = this.#findKnown(name, 0)
    if (index === -1) return NOTHING
    const found: T[] = []
    for (; index !== -1; index = this.#findKnown(name, index + 1)) found.push(this.#read(index, read))
    return found
  }

  /** The first field of that name as text, encoded words decoded (RFC 2047), or null. */
  getText(name: string): string | null {
    const index = this.#find(name.toLowerCase(), 0)
    return index === -1 ? null : this.textAt(index)
  }

  has(name: string): boolean {
    return this.#find(name.toLowerCase(), 0) !== -1
  }

  /** The octets of one field, its line end included. */
  rawFieldAt(index: number): Buffer {
    return fromLatin1(this.raw.slice(this.#fields[index * SLOTS], this.#fields[index * SLOTS + 3]))
  }

  *[Symbol.iterator](): IterableIterator<HeaderField> {
    for (let i = 0; i < this.length; i++) {
      const offset = this.#fields[i * SLOTS] ?? 0
      const name = this.raw.slice(offset, this.#fields[i * SLOTS + 1])
      yield { name, rawValue: this.rawValueAt(i), offset, endOffset: this.#fields[i * SLOTS + 3] ?? 0 }
    }
  }

  /** A value on one line is read where it stands: a slice of a string is slower to read. */
  #read<T>(index: number, read: FieldReader<T>): T {
    const { raw } = this
    const fields = this.#fields
    const start = fields[index * SLOTS + 2] as number
    const end = fields[index * SLOTS + 3] as number
    if (this.isRegular && end === fields[index * SLOTS + 5]) {
      const from = whiteEnd(raw, start, end)
      return read(raw, from, whiteStart(raw, from, end))
    }
    const value = this.valueAt(index)
    return read(value, 0, value.length)
  }

  #unfolded(slot: number, start: number): string {
    const { raw } = this
    const end = this.#fields[slot + 3] as number
    if (!this.isRegular) return unfoldPart(raw, start, end)
    const from = whiteEnd(raw, start, end)
    const to = whiteStart(raw, from, end)
    return to <= (this.#fields[slot + 5] as number) ? raw.slice(from, to) : joinLines(raw, from, to)
  }

  /** The first field from `index` on with that name, or -1. */
  #find(name: string, index: number): number {
    return name !== '' && this.#mayHold(hashOf(name)) ? this.#findKnown(fieldName(name), index) : -1
  }

  #mayHold(hash: number): boolean {
    return (this.#hashes & bitOf(hash)) !== 0
  }

  #findKnown({ name: text, codes, hash }: FieldName, index: number): number {
    if (!this.#mayHold(hash)) return -1
    const { raw } = this
    const fields = this.#fields
    for (let at = index * SLOTS; at < fields.length; at += SLOTS) {
      if (fields[at + 4] !== hash) continue
      const start = fields[at] as number
      const end = fields[at + 1] as number
      // a name with octets above 127 has cases of its own
      if (isKeyword(raw, start, end, codes) || raw.slice(start, end).toLowerCase() === text) return at / SLOTS
    }
    return -1
  }
}

/** Reads the value that stands from `from` to `to`. */
export type FieldReader<T> = (text: string, from: number, to: number) => T

/** A field name in lower case, its characters, and its hash. */
export interface FieldName {
  readonly name: string
  readonly codes: readonly number[]
  readonly hash: number
}

/** For `Headers.getKnown`; the name in lower case. */
export function fieldName(name: string): FieldName {
  return { name, codes: codesOf(name), hash: hashOf(name) }
}

const SLOTS = 6
const COLON = 0x3a
const TAB = 0x09
/** Within this many octets a loop finds a line end sooner than a call. */
const NEAR = 128
const NOTHING: readonly never[] = []

/** Whether the octets, behind which an LF or nothing stands, hold neither NUL nor a CR without LF. */
function isText(line: Buffer, beforeLf: boolean): boolean {
  const cr = line.indexOf(CR)
  return (cr === -1 || (beforeLf && cr === line.length - 1)) && !line.includes(0)
}

function bitOf(hash: number): number {
  return 1 << ((hash ^ (hash >>> 5) ^ (hash >>> 10)) & 31)
}

function hashOf(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + (name.charCodeAt(i) | 0x20)) | 0
  return hash
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

/** True when the line at `start` to `end` may be a field. */
export function looksLikeField(bytes: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end && (bytes[at] as number) > 0x20 && bytes[at] !== COLON) at++
  let colon = at
  while (colon < end && (bytes[colon] === 0x20 || bytes[colon] === 0x09)) colon++
  return at > start && colon < end && bytes[colon] === COLON
}

/** True when a header block may begin with that line: a field, or the `From ` line of a mailbox file before them. */
export function beginsHeader(bytes: Buffer, start: number, end: number): boolean {
  if (looksLikeField(bytes, start, end)) return true
  return /^>?From /.test(toLatin1(bytes, start, Math.min(end, start + 6)))
}
