import { EMPTY, LF, toLatin1 } from '../core/bytes.js'
import type { BodyDecoder } from './base64.js'

const LONGEST_LINE = 200

/** Cuts octets that come in pieces into lines without their ends; one over `limit` is handed out in parts. */
class LineCutter {
  #held: Buffer
  readonly #limit: number

  constructor(limit: number) {
    this.#held = EMPTY
    this.#limit = limit
  }

  take(piece: Buffer, line: (text: Buffer) => void): void {
    let at = 0
    for (let lf = piece.indexOf(LF); lf !== -1; lf = piece.indexOf(LF, at)) {
      const text = piece.subarray(at, lf)
      line(this.#held.length === 0 ? text : Buffer.concat([this.#held, text]))
      this.#held = EMPTY
      at = lf + 1
    }
    if (at < piece.length) this.#held = Buffer.concat([this.#held, piece.subarray(at)])
    while (this.#held.length > this.#limit) {
      // an escape of yEnc is not cut
      const size = this.#held[this.#limit - 1] === 0x3d ? this.#limit - 1 : this.#limit
      line(this.#held.subarray(0, size))
      this.#held = this.#held.subarray(size)
    }
  }

  end(line: (text: Buffer) => void): void {
    if (this.#held.length > 0) line(this.#held)
    this.#held = EMPTY
  }
}

/** Decodes one line of uuencoded data into `out`; the octets written. */
function decodeLine(line: Buffer, out: Buffer, start: number): number {
  const size = ((line[0] ?? 0x20) - 0x20) & 0x3f
  let length = start
  for (let i = 1; length - start < size && i < line.length; i += 4) {
    const bits =
      (sextet(line, i) << 18) | (sextet(line, i + 1) << 12) | (sextet(line, i + 2) << 6) | sextet(line, i + 3)
    out[length++] = bits >> 16
    if (length - start < size) out[length++] = bits >> 8
    if (length - start < size) out[length++] = bits
  }
  return length - start
}

function sextet(line: Buffer, at: number): number {
  return ((line[at] ?? 0x20) - 0x20) & 0x3f
}

/** The transfer encoding x-uuencode: what stands between `begin mode name` and `end`; lines around it are dropped. */
export class UuDecoder implements BodyDecoder {
  readonly #lines: LineCutter
  #inside: boolean
  damaged: boolean

  constructor() {
    this.#lines = new LineCutter(LONGEST_LINE)
    this.#inside = false
    this.damaged = true
  }

  write(piece: Buffer): Buffer {
    const out: Buffer[] = []
    this.#lines.take(piece, (line) => this.#line(line, out))
    return Buffer.concat(out)
  }

  end(): Buffer {
    const out: Buffer[] = []
    this.#lines.end((line) => this.#line(line, out))
    this.#inside = false
    return Buffer.concat(out)
  }

  #line(line: Buffer, out: Buffer[]): void {
    if (!this.#inside) {
      this.#inside = uuBegin.test(toLatin1(line))
      return
    }
    const text = toLatin1(line, 0, Math.min(line.length, 5)).trimEnd()
    if (text === 'end') {
      this.#inside = false
      this.damaged = false
    } else if (text !== '' && text !== '`') {
      const decoded = Buffer.allocUnsafe(64)
      out.push(decoded.subarray(0, decodeLine(line, decoded, 0)))
    }
  }
}

const uuBegin = /^begin [0-7]{3,4} \S/

/** yEnc's octets: `=` escapes, 42 and 64 are taken off; line ends are no data. */
function decodeYencLine(line: Buffer, out: Buffer, start: number): number {
  let length = start
  for (let i = 0; i < line.length; i++) {
    let octet = line[i] as number
    if (octet === 0x0d) continue
    if (octet === 0x3d) {
      if (++i === line.length) break
      octet = (line[i] as number) - 64
    }
    out[length++] = octet - 42
  }
  return length - start
}

/** RFC 5322's longest line; a longer one is decoded in parts. */
const YENC_LINE = 998

/** The transfer encoding x-yenc: what stands between `=ybegin` and `=yend`; lines around it are dropped. */
export class YencDecoder implements BodyDecoder {
  readonly #lines: LineCutter
  #inside: boolean
  damaged: boolean

  constructor() {
    this.#lines = new LineCutter(YENC_LINE)
    this.#inside = false
    this.damaged = true
  }

  write(piece: Buffer): Buffer {
    const out: Buffer[] = []
    this.#lines.take(piece, (line) => this.#line(line, out))
    return Buffer.concat(out)
  }

  end(): Buffer {
    const out: Buffer[] = []
    this.#lines.end((line) => this.#line(line, out))
    this.#inside = false
    return Buffer.concat(out)
  }

  #line(line: Buffer, out: Buffer[]): void {
    const control = line[0] === 0x3d && line[1] === 0x79 ? toLatin1(line, 0, Math.min(line.length, 8)) : ''
    if (control.startsWith('=ybegin ')) this.#inside = true
    else if (control.startsWith('=yend')) {
      this.damaged = !this.#inside
      this.#inside = false
    } else if (this.#inside && !control.startsWith('=ypart ')) {
      const decoded = Buffer.allocUnsafe(line.length)
      out.push(decoded.subarray(0, decodeYencLine(line, decoded, 0)))
    }
  }
}

/** A file that stands uuencoded or yEnc encoded inside a text. */
export interface EncodedFile {
  readonly encoding: 'uuencode' | 'yenc'
  readonly name: string
  readonly content: Buffer
  /** Octets from the start of the text to the first line of the file, and to the line after its last. */
  readonly offset: number
  readonly endOffset: number
}

/**
 * The files that stand inside a text body as lines from `begin 644 name` to `end`, or from `=ybegin ... name=` to
 * `=yend`. One without its last line is none. Linear time.
 */
export function findEncodedFiles(body: Buffer): EncodedFile[] {
  const files: EncodedFile[] = []
  // where the next first line of each kind stands; -1: nowhere
  let uu = lineWith(body, 'begin ', 0)
  let yenc = lineWith(body, '=ybegin ', 0)
  while (uu !== -1 || yenc !== -1) {
    const isUu = yenc === -1 || (uu !== -1 && uu < yenc)
    const offset = isUu ? uu : yenc
    const dataAt = nextLine(body, offset)
    const first = toLatin1(body, offset, Math.min(dataAt, offset + 1_024)).trimEnd()
    const match = isUu ? /^begin [0-7]{3,4} (\S.*)$/.exec(first) : /^=ybegin .*\bname=(\S.*)$/.exec(first)
    const last = match === null ? offset : lineWith(body, isUu ? 'end' : '=yend', dataAt)
    let next = dataAt
    if (match !== null && last !== -1) {
      next = nextLine(body, last)
      const decoder = isUu ? new UuDecoder() : new YencDecoder()
      const content = Buffer.concat([decoder.write(body.subarray(offset, last)), decoder.end()])
      files.push({
        encoding: isUu ? 'uuencode' : 'yenc',
        name: match[1] ?? '',
        content,
        offset,
        endOffset: next,
      })
    }
    if (uu !== -1 && uu < next) uu = isUu && last === -1 ? -1 : lineWith(body, 'begin ', next)
    if (yenc !== -1 && yenc < next) yenc = !isUu && last === -1 ? -1 : lineWith(body, '=ybegin ', next)
  }
  return files
}

/** The start of the next line that begins with `text`, or -1. */
function lineWith(body: Buffer, text: string, from: number): number {
  if (
    (from === 0 || body[from - 1] === LF) &&
    toLatin1(body, from, Math.min(from + text.length, body.length)) === text
  )
    return from
  const found = body.indexOf(`\n${text}`, Math.max(from - 1, 0), 'latin1')
  return found === -1 ? -1 : found + 1
}

function nextLine(body: Buffer, from: number): number {
  const lf = body.indexOf(LF, from)
  return lf === -1 ? body.length : lf + 1
}
