import type { BodyDecoder } from './base64.js'
import type { Defect } from './defects.js'
import { fieldName, type Headers } from './headers.js'
import { type MimeLimits, mimeLimits } from './limits.js'
import { PartScanner, type ScanEvent, type ScannedPart } from './scanner.js'
import { type ContentDisposition, type ContentType, parseContentDisposition } from './structured-field.js'
import { bodyDecoder } from './transfer-encoding.js'

/** One part of a message. Offsets count octets from the start of the message. */
export interface PartStart {
  /** Counted from 0 in the order in which parts begin; the message itself is 0. */
  readonly index: number
  /** `index` of the multipart or the message/rfc822 it stands in; null for the message itself. */
  readonly parent: number | null
  /** `multipart`: parts follow. `message`: one part follows, the message inside. `leaf`: a body. */
  readonly kind: 'leaf' | 'multipart' | 'message'
  readonly headers: Headers
  readonly contentType: ContentType
  readonly disposition: ContentDisposition | null
  /** Content-Transfer-Encoding in lower case; `7bit` where absent. */
  readonly encoding: string
  readonly headerOffset: number
  readonly bodyOffset: number
}

/**
 * - `header`: a header block with its empty line, as it stands, from `offset` to `endOffset`.
 * - `partBegin`: the part that the header before it describes.
 * - `body`: a piece of a leaf's body, its transfer encoding undone. The pieces of a part follow each other; how many there
 *   are depends on how the input is cut. Its raw octets are `offset` to `endOffset`.
 * - `partEnd`: the part's last raw octet is before `endOffset`. Parts end innermost first.
 * - `messageEnd`: the last event.
 */
export type MimeEvent =
  | {
      readonly type: 'header'
      readonly block: Uint8Array
      readonly offset: number
      readonly endOffset: number
    }
  | { readonly type: 'partBegin'; readonly part: PartStart }
  | {
      readonly type: 'body'
      readonly part: PartStart
      readonly data: Uint8Array
      readonly offset: number
      readonly endOffset: number
    }
  | { readonly type: 'partEnd'; readonly part: PartStart; readonly endOffset: number }
  | { readonly type: 'messageEnd'; readonly size: number; readonly defects: readonly Defect[] }

const dispositionName = fieldName('content-disposition')

class Part implements PartStart {
  readonly index: number
  readonly parent: number | null
  readonly kind: PartStart['kind']
  readonly headers: Headers
  readonly contentType: ContentType
  readonly encoding: string
  readonly headerOffset: number
  readonly bodyOffset: number
  readonly #maxParameters: number
  #disposition: ContentDisposition | null | undefined

  constructor(part: ScannedPart, headers: Headers, maxParameters: number) {
    this.index = part.index
    this.parent = part.parent === null ? null : part.parent.index
    this.kind = part.kind
    this.headers = headers
    this.contentType = part.contentType
    this.encoding = part.encoding
    this.headerOffset = part.headerOffset
    this.bodyOffset = part.bodyOffset
    this.#maxParameters = maxParameters
    this.#disposition = undefined
  }

  get disposition(): ContentDisposition | null {
    if (this.#disposition === undefined) {
      const value = this.headers.getKnown(dispositionName)
      this.#disposition = value === null ? null : parseContentDisposition(value, this.#maxParameters)
    }
    return this.#disposition
  }
}

/** Raw octets decoded at a time, so that no event holds more. */
const STEP = 65_536

/**
 * Level 2: reads a message from chunks of any size into events, bodies decoded. Pulled like the protocol engines:
 * `receive`, then `next` until null. Holds a header block and what may become a delimiter, nothing else. Takes every
 * input; what is over a limit is kept raw and named among the defects.
 */
export class MessageReader {
  readonly #limits: MimeLimits
  readonly #scanner: PartScanner
  readonly #step: number
  /** The parts that are open, from the root inwards. */
  readonly #open: PartStart[]
  #begun: PartStart | null
  #decoder: BodyDecoder | null
  /** Raw octets of the open leaf not yet decoded. */
  #raw: Buffer | null
  /** Where `#raw` begins, and up to where raw octets have been told of. */
  #rawOffset: number
  #toldOffset: number
  #ending: ScannedPart | null
  #told: boolean

  /** `step`: raw octets decoded at a time, 65,536 by default. UsageError `LIMIT` for a limit out of range. */
  constructor(limits?: Partial<MimeLimits>, step = STEP) {
    this.#limits = mimeLimits(limits)
    this.#scanner = new PartScanner(this.#limits, { bodies: true, lines: false })
    this.#step = step
    this.#open = []
    this.#begun = null
    this.#decoder = null
    this.#raw = null
    this.#rawOffset = 0
    this.#toldOffset = 0
    this.#ending = null
    this.#told = false
  }

  /** Up to 1,000 of them, in the order in which they were found. */
  get defects(): readonly Defect[] {
    return this.#scanner.defects
  }

  /** Takes a chunk, whose memory must not be changed afterwards: events hold views of it. */
  receive(chunk: Uint8Array): void {
    this.#scanner.receive(chunk)
  }

  /** There is no more input. */
  end(): void {
    this.#scanner.end()
  }

  /** The next event, or null while more input is needed or after `messageEnd`. */
  next(): MimeEvent | null {
    for (;;) {
      const begun = this.#begun
      if (begun !== null) {
        this.#begun = null
        return { type: 'partBegin', part: begun }
      }
      const pending =
        this.#raw !== null
          ? this.#decode(this.#raw)
          : this.#ending !== null
            ? this.#close(this.#ending)
            : null
      if (pending !== null) return pending
      if (this.#raw !== null) continue
      const event = this.#scanner.next()
      if (event === null) return this.#finish()
      const told = this.#take(event)
      if (told !== null) return told
    }
  }

  #take(event: ScanEvent): MimeEvent | null {
    const { part } = event
    switch (event.type) {
      case 'begin': {
        this.#begun = new Part(part, event.headers, this.#limits.parameters)
        this.#open.push(this.#begun)
        this.#decoder = part.kind === 'leaf' ? bodyDecoder(part.encoding) : null
        const { headerOffset: offset, bodyOffset: endOffset } = part
        this.#toldOffset = endOffset
        return { type: 'header', block: event.block, offset, endOffset }
      }
      case 'body':
        this.#raw = event.data
        this.#rawOffset = event.offset
        return null
      case 'end':
        this.#ending = part
        return null
    }
  }

  /** The next piece of the raw octets; null where it decodes to nothing. */
  #decode(raw: Buffer): MimeEvent | null {
    const piece = raw.length > this.#step ? raw.subarray(0, this.#step) : raw
    this.#raw = piece === raw ? null : raw.subarray(this.#step)
    this.#rawOffset += piece.length
    return this.#bodyEvent(this.#decoder?.write(piece) ?? piece, this.#rawOffset)
  }

  #bodyEvent(data: Uint8Array, endOffset: number): MimeEvent | null {
    const part = this.#open.at(-1)
    if (part === undefined || data.length === 0) return null
    const offset = this.#toldOffset
    this.#toldOffset = endOffset
    return { type: 'body', part, data, offset, endOffset }
  }

  /** What a decoder still held, then the end of the part. */
  #close({ bodyOffset, endOffset }: ScannedPart): MimeEvent | null {
    const decoder = this.#decoder
    const rest = decoder?.end()
    this.#decoder = null
    if (decoder?.damaged && endOffset > bodyOffset) this.#scanner.report('encodingDamaged', bodyOffset)
    if (rest !== undefined && rest.length > 0) return this.#bodyEvent(rest, endOffset)
    this.#ending = null
    const part = this.#open.pop()
    return part === undefined ? null : { type: 'partEnd', part, endOffset }
  }

  #finish(): MimeEvent | null {
    if (this.#told || !this.#scanner.done) return null
    this.#told = true
    return { type: 'messageEnd', size: this.#scanner.size, defects: this.defects }
  }
}
