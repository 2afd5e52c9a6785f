import { CR, EMPTY, LF } from '../core/bytes.js'
import { Boundaries, type Delimiter } from './boundaries.js'
import { type Defect, type DefectCode, MAX_DEFECTS } from './defects.js'
import { HeaderReader, NO_HEADERS } from './header-reader.js'
import type { Headers } from './headers.js'
import { InputWindow } from './input-window.js'
import type { MimeLimits } from './limits.js'
import { countLineFeeds } from './line-count.js'
import { isMessage, readContentLength, readPartHeader } from './part-header.js'
import type { ContentType } from './structured-field.js'
import { isIdentity, isKnownEncoding } from './transfer-encoding.js'

/** One part as the scanner sees it. Offsets count octets from the start of the message. */
export interface ScannedPart {
  /** Counted from 0 in the order of their beginning. */
  readonly index: number
  /** The multipart or message it stands in; null for the message itself. */
  readonly parent: ScannedPart | null
  /** `multipart`: parts follow. `message`: one part follows, the message inside. `leaf`: a body. */
  readonly kind: 'leaf' | 'multipart' | 'message'
  readonly contentType: ContentType
  /** Content-Transfer-Encoding in lower case; `7bit` where absent. */
  readonly encoding: string
  readonly headerOffset: number
  readonly bodyOffset: number
  /** Set when the part ends, without the line end that belongs to a delimiter. */
  endOffset: number
  /** Line ends in the body, set when the part ends; 0 unless they were asked for. */
  lines: number
}

/**
 * What the scanner tells. `block` (a header with its empty line) and `data` are octets as they stand; a block is empty
 * where bodies were not asked for.
 */
export type ScanEvent =
  | {
      readonly type: 'begin'
      readonly part: ScannedPart
      readonly headers: Headers
      readonly block: Buffer
    }
  | { readonly type: 'body'; readonly part: ScannedPart; readonly offset: number; readonly data: Buffer }
  | { readonly type: 'end'; readonly part: ScannedPart }

interface Frame {
  readonly part: ScannedPart
  /** Of a multipart whose closing delimiter has not been seen. */
  boundary: string | null
  /** Line ends before the body. */
  readonly linesBefore: number
}

const DASH = 0x2d
const DELIMITER_START = Buffer.from('\n--', 'latin1')

/**
 * Finds the parts of a message (RFC 2046) in octets that come in chunks: headers, bodies as they stand, ends. Only a
 * header block and what may become a delimiter is held. Takes every input, in linear time; nothing recurses.
 */
export class PartScanner {
  readonly #limits: MimeLimits
  readonly #wantBodies: boolean
  readonly #wantLines: boolean
  readonly #window: InputWindow
  readonly #boundaries: Boundaries
  readonly #header: HeaderReader
  readonly #frames: Frame[]
  readonly #events: ScanEvent[]
  #nextEvent: number
  readonly #defects: Defect[]
  #state: 'header' | 'body' | 'done'
  #ended: boolean
  #partCount: number
  /** What the message's Content-Length says: where the message ends, and where that stands. */
  #announced: { readonly end: number; readonly offset: number } | null
  /** The body begins here, so that a delimiter may stand right here. */
  #atBodyStart: boolean
  /** LFs before offset `#countedTo`. */
  #lineCount: number
  #countedTo: number

  constructor(limits: MimeLimits, want: { readonly bodies: boolean; readonly lines: boolean }) {
    this.#limits = limits
    this.#wantBodies = want.bodies
    this.#wantLines = want.lines
    this.#window = new InputWindow()
    this.#boundaries = new Boundaries()
    const report = (code: DefectCode, index: number): void => this.#defect(code, index)
    this.#header = new HeaderReader(limits, this.#window, this.#boundaries, report)
    this.#frames = []
    this.#events = []
    this.#nextEvent = 0
    this.#defects = []
    this.#state = 'header'
    this.#ended = false
    this.#partCount = 0
    this.#announced = null
    this.#atBodyStart = false
    this.#lineCount = 0
    this.#countedTo = 0
  }

  get defects(): readonly Defect[] {
    return this.#defects
  }

  /** Adds to the defects what a reader of the bodies has found. */
  report(code: DefectCode, offset: number): void {
    if (this.#defects.length < MAX_DEFECTS) this.#defects.push({ code, offset })
  }

  /** Octets read so far; all of them once `done`. */
  get size(): number {
    return this.#window.base + this.#window.at
  }

  /** True when the input has ended and every event has been taken. */
  get done(): boolean {
    return this.#state === 'done' && this.#nextEvent === this.#events.length
  }

  receive(chunk: Uint8Array): void {
    if (this.#ended) return
    if (this.#wantLines) this.#countTo(this.#window.at)
    this.#window.push(chunk)
  }

  end(): void {
    this.#ended = true
  }

  /** The next event, or null while more input is needed or after the last one. */
  next(): ScanEvent | null {
    for (;;) {
      if (this.#nextEvent < this.#events.length) return this.#events[this.#nextEvent++] as ScanEvent
      while (this.#events.pop() !== undefined);
      this.#nextEvent = 0
      if (this.#state === 'done') return null
      if (this.#scan(false) || this.#events.length > 0) continue
      if (this.#wantLines) this.#countTo(this.#window.at)
      if (this.#window.widen()) continue
      if (!this.#ended) return null
      this.#finish()
    }
  }

  /** Reads as far as the window reaches; false when it has to be widened first. */
  #scan(last: boolean): boolean {
    return this.#state === 'header' ? this.#scanHeader(last) : this.#scanBody(last)
  }

  /** The input is over: what was held back is decided, and whatever is open ends. */
  #finish(): void {
    while (this.#state === 'header' || this.#window.at < this.#window.end) this.#scan(true)
    this.#endParts(0, this.#window.at)
    if (this.#announced !== null && this.#announced.end !== this.size)
      this.#defect('contentLengthWrong', this.#announced.offset - this.#window.base)
    this.#state = 'done'
  }

  #scanHeader(last: boolean): boolean {
    const found = this.#header.read(last)
    if (found === null) return false
    this.#begin(found.end, found.headers, found.isCut)
    if (found.delimiter !== null) this.#delimit(found.delimiter, found.end)
    return true
  }

  #scanBody(last: boolean): boolean {
    const window = this.#window
    const { buffer, end } = window
    if (this.#boundaries.isEmpty) {
      this.#body(end)
      return false
    }
    let line = -1
    if (this.#atBodyStart) {
      if (end - window.at < 2 && !last) return false
      if (buffer[window.at] === DASH && buffer[window.at + 1] === DASH && end - window.at > 1)
        line = window.at
      else this.#atBodyStart = false
    }
    let from = window.at
    for (;;) {
      if (line === -1) {
        const found = buffer.indexOf(DELIMITER_START, from)
        if (found === -1) {
          this.#body(last ? end : this.#undecided(end))
          return false
        }
        line = found + 1
      }
      const delimiter = this.#boundaries.match(buffer, line, end, last)
      const bodyEnd = this.#beforeLineEnd(line)
      if (delimiter === 'more') {
        this.#body(bodyEnd)
        return false
      }
      if (delimiter !== null) {
        this.#body(bodyEnd)
        this.#delimit(delimiter, bodyEnd)
        return true
      }
      this.#atBodyStart = false
      from = line + 1
      line = -1
    }
  }

  /** The end of the body before a line at `line`: without the line end before it. */
  #beforeLineEnd(line: number): number {
    const { buffer, at } = this.#window
    if (line === at) return at
    return line - 2 >= at && buffer[line - 2] === CR ? line - 2 : line - 1
  }

  /** Where, at the end of a window, something begins that may become a line end with a delimiter. */
  #undecided(end: number): number {
    const { buffer, at } = this.#window
    let from = end
    if (from - 1 > at && buffer[from - 1] === DASH && buffer[from - 2] === LF) from--
    if (from > at && buffer[from - 1] === LF) from--
    if (from > at && buffer[from - 1] === CR) from--
    return from
  }

  /** Octets up to index `to` belong to the open body. */
  #body(to: number): void {
    const window = this.#window
    if (to === window.at) return
    const part = this.#frames.at(-1)?.part
    if (this.#wantBodies && part?.kind === 'leaf') {
      const data = window.buffer.subarray(window.at, to)
      this.#events.push({ type: 'body', part, offset: window.base + window.at, data })
    }
    window.at = to
    this.#atBodyStart = false
  }

  /** A header block ends before index `to`: a part begins. `isCut`: the block is not whole, and its part is not read. */
  #begin(to: number, headers: Headers, isCut: boolean): void {
    const window = this.#window
    const block = this.#wantBodies ? window.buffer.subarray(window.at, to) : EMPTY
    const headerOffset = window.base + window.at
    const parent = this.#frames.at(-1)?.part ?? null
    const report = (code: DefectCode): void => this.#defect(code, window.at)
    const { contentType, encoding, boundary } = readPartHeader(headers, parent, this.#limits, report)
    const kind = isCut ? 'leaf' : this.#kind(contentType, encoding)
    window.at = to
    // the message's own header lies in no body: its lines need not be counted
    if (parent === null) {
      this.#countedTo = window.base + to
      const length = isCut ? null : readContentLength(headers)
      if (length !== null)
        this.#announced = { end: window.base + to + length.size, offset: headerOffset + length.offset }
    } else if (this.#wantLines) this.#countTo(to)
    const part: ScannedPart = {
      index: this.#partCount++,
      parent,
      kind,
      contentType,
      encoding,
      headerOffset,
      bodyOffset: window.base + to,
      endOffset: window.base + to,
      lines: 0,
    }
    const opened = kind === 'multipart' ? boundary : null
    if (opened !== null) this.#boundaries.open(opened, this.#frames.length)
    this.#frames.push({ part, boundary: opened, linesBefore: this.#lineCount })
    this.#events.push({ type: 'begin', part, headers, block })
    if (kind === 'message') this.#toHeader(true)
    else {
      this.#state = 'body'
      this.#atBodyStart = true
    }
  }

  #toHeader(ofMessage: boolean): void {
    this.#state = 'header'
    this.#header.begin(ofMessage)
  }

  /** Whether what the type announces is read as parts. */
  #kind({ type, subtype }: ContentType, encoding: string): ScannedPart['kind'] {
    const container = type === 'multipart' ? 'multipart' : isMessage(type, subtype) ? 'message' : 'leaf'
    if (container === 'leaf') return 'leaf'
    if (this.#frames.length >= this.#limits.depth) {
      this.#defect('tooDeep', this.#window.at)
      return 'leaf'
    }
    if (container === 'message' && this.#partCount + 1 >= this.#limits.parts) {
      this.#defect('tooManyParts', this.#window.at)
      return 'leaf'
    }
    if (isIdentity(encoding) || !isKnownEncoding(encoding)) return container
    this.#defect('encodingOfContainer', this.#window.at)
    return container === 'multipart' ? 'multipart' : 'leaf'
  }

  /** A delimiter line, before which bodies end at index `bodyEnd`. */
  #delimit({ level, closing, lineEnd, next }: Delimiter, bodyEnd: number): void {
    const window = this.#window
    this.#endParts(level + 1, bodyEnd)
    const frame = this.#frames[level]
    if (frame === undefined) return
    if (closing) {
      if (frame.boundary !== null) this.#boundaries.close(frame.boundary)
      frame.boundary = null
      // the line end may be the one before the next delimiter
      window.at = lineEnd
      this.#state = 'body'
      this.#atBodyStart = false
      return
    }
    window.at = next
    this.#toHeader(false)
    if (this.#partCount >= this.#limits.parts) {
      this.#defect('tooManyParts', next)
      this.#boundaries.clear()
      this.#begin(next, NO_HEADERS, true)
    }
  }

  /** Ends the open parts from `level` inwards at index `bodyEnd`. */
  #endParts(level: number, bodyEnd: number): void {
    if (this.#wantLines) this.#countTo(bodyEnd)
    const endOffset = this.#window.base + bodyEnd
    for (
      let frame = this.#frames.at(-1);
      frame !== undefined && this.#frames.length > level;
      frame = this.#frames.at(-1)
    ) {
      this.#frames.pop()
      if (frame.boundary !== null) {
        this.#boundaries.close(frame.boundary)
        this.#defect('boundaryUnterminated', bodyEnd)
      }
      frame.part.endOffset = endOffset
      frame.part.lines = this.#lineCount - frame.linesBefore
      this.#events.push({ type: 'end', part: frame.part })
    }
  }

  /** Counts line ends up to index `to`; never backwards. */
  #countTo(to: number): void {
    const window = this.#window
    const from = this.#countedTo - window.base
    if (to <= from) return
    this.#lineCount += countLineFeeds(window.buffer, from, to)
    this.#countedTo = window.base + to
  }

  #defect(code: DefectCode, index: number): void {
    this.report(code, this.#window.base + index)
  }
}
