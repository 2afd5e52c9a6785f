import { asBuffer, CR, CRLF, EMPTY, LF } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import { mimeLimitRules } from '../limits.js'
import type { StreamContent } from './content.js'
import { isSevenBit } from './encoders.js'
import { encoderFor, type Leaf, type Part } from './part.js'

/** Who a message is from and whom it is for, as SMTP is told. */
export interface ComposedEnvelope {
  /** The sender's address; '' for a report, which must not be answered by another. */
  readonly from: string
  /** Every recipient once, those of Bcc included. */
  readonly to: readonly string[]
}

/** Octets of a body that are encoded at a time: a multiple of 57 near 64 KB. */
const STEP = 57 * 1_150

/**
 * A message ready to be written. Iterating it gives its octets in pieces of up to about 200 KB; content from streams is
 * read as the pieces are taken and never collected. A message holding a stream given as such can be written once
 * (UsageError `CONSUMED` afterwards). What a stream rejects with ends the iteration with the same error.
 */
export class ComposedMessage implements AsyncIterable<Uint8Array> {
  /** The header block with its empty line. */
  readonly header: Buffer
  /** With its angle brackets. */
  readonly messageId: string
  readonly envelope: ComposedEnvelope
  /** The header holds raw UTF-8: the message needs SMTPUTF8 (RFC 6531). Addresses in `envelope` may as well. */
  readonly smtpUtf8: boolean
  /** What MAIL FROM has to say of the body: a part in 8bit needs 8BITMIME. */
  readonly bodyType: '7BIT' | '8BITMIME'
  readonly #pieces: readonly (Buffer | Leaf)[]
  #consumed: boolean

  /** `root` holds every header field of the message. UsageError `HEADER_TOO_LONG` for over 1 MB or 2,000 fields of it. */
  constructor(root: Part, messageId: string, envelope: ComposedEnvelope) {
    this.header = headerOf(root)
    this.messageId = messageId
    this.envelope = envelope
    this.#pieces = flatten(root)
    this.smtpUtf8 = !isSevenBit(this.header) || this.#pieces.some((p) => Buffer.isBuffer(p) && !isSevenBit(p))
    this.bodyType = this.#pieces.some(isEightBit) ? '8BITMIME' : '7BIT'
    this.#consumed = false
    // a stream that fails before it is read fails the iteration, not the process
    for (const leaf of this.#streams()) keepError(leaf.stream?.once)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const streams = this.#streams()
    if (this.#consumed) throw new UsageError('CONSUMED', 'a message with streams can be written only once')
    this.#consumed = streams.some((leaf) => leaf.stream?.once != null)
    const tail = new Tail()
    try {
      yield this.header
      for (const piece of this.#pieces) {
        if (Buffer.isBuffer(piece) || piece.stream === null) {
          for (const bytes of syncPieces(piece)) yield tail.seen(bytes)
          continue
        }
        const encoder = encoderFor(piece.encoding)
        for await (const chunk of await openStream(piece)) {
          for (const part of steps(typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk)) {
            const bytes = encoder.write(part)
            if (bytes.length > 0) yield tail.seen(bytes)
          }
        }
        const rest = encoder.end()
        if (rest.length > 0) yield tail.seen(rest)
      }
      const last = tail.lineEnd(this.#pieces.at(-1))
      if (last.length > 0) yield last
    } finally {
      // a stream that was not reached would keep its file or socket open
      for (const leaf of streams) destroy(leaf.stream?.once)
    }
  }

  /** The whole message, collected. */
  async bytes(): Promise<Buffer> {
    const collected: Uint8Array[] = []
    for await (const piece of this) collected.push(piece)
    return Buffer.concat(collected)
  }

  /** The whole message at once. UsageError `CONTENT` where content comes from a stream, a path or a URL. */
  bytesSync(): Buffer {
    if (this.#streams().length > 0) {
      throw new UsageError('CONTENT', 'a message with streams cannot be written at once')
    }
    const tail = new Tail()
    const collected: Uint8Array[] = [this.header]
    for (const piece of this.#pieces) for (const bytes of syncPieces(piece)) collected.push(tail.seen(bytes))
    collected.push(tail.lineEnd(this.#pieces.at(-1)))
    return Buffer.concat(collected)
  }

  #streams(): Leaf[] {
    return this.#pieces.filter((piece): piece is Leaf => !Buffer.isBuffer(piece) && piece.stream !== null)
  }
}

function isEightBit(piece: Buffer | Leaf): boolean {
  return !Buffer.isBuffer(piece) && piece.encoding === '8bit'
}

/** Remembers how the body ends, since a message has to end with CRLF. */
class Tail {
  #previous: number
  #last: number

  constructor() {
    this.#previous = CR
    this.#last = LF
  }

  seen(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0) return bytes
    this.#previous = bytes.length > 1 ? (bytes.at(-2) as number) : this.#last
    this.#last = bytes.at(-1) as number
    return bytes
  }

  /** The line end that is missing: a soft one in quoted-printable, which leaves the content as it is. */
  lineEnd(piece: Buffer | Leaf | undefined): Uint8Array {
    if (this.#previous === CR && this.#last === LF) return EMPTY
    const soft = piece !== undefined && !Buffer.isBuffer(piece) && piece.encoding === 'quoted-printable'
    return soft ? Buffer.from('=\r\n', 'latin1') : CRLF
  }
}

function* steps(bytes: Uint8Array): Generator<Buffer, void, undefined> {
  const buffer = asBuffer(bytes)
  for (let at = 0; at < buffer.length; at += STEP) yield buffer.subarray(at, at + STEP)
}

function* syncPieces(piece: Buffer | Leaf): Generator<Uint8Array, void, undefined> {
  if (Buffer.isBuffer(piece)) {
    yield piece
    return
  }
  // 7bit and 8bit have been written already
  if (piece.encoding === '7bit' || piece.encoding === '8bit') {
    yield* steps(piece.bytes)
    return
  }
  const encoder = encoderFor(piece.encoding)
  for (const part of steps(piece.bytes)) yield encoder.write(part)
  yield encoder.end()
}

async function openStream(leaf: Leaf): Promise<StreamContent> {
  const stream = await leaf.stream?.open()
  if (typeof stream !== 'object' || stream === null || !(Symbol.asyncIterator in stream)) {
    throw new UsageError('CONTENT', 'readFile and fetch must return an async iterable')
  }
  return stream
}

function keepError(stream: StreamContent | null | undefined): void {
  const { on } = (stream ?? {}) as { on?: unknown }
  if (typeof on === 'function') on.call(stream, 'error', () => undefined)
}

function destroy(stream: StreamContent | null | undefined): void {
  if (stream == null) return
  const { destroy, destroyed } = stream as { destroy?: unknown; destroyed?: unknown }
  if (typeof destroy === 'function' && destroyed !== true) destroy.call(stream)
}

/** A part's header fields and the empty line after them, within what readers look at (`mimeLimitRules`). */
function headerOf(part: Part): Buffer {
  const header = Buffer.from(`${part.fields}\r\n`, 'utf8')
  const { headerBlock, headerFields } = mimeLimitRules
  if (header.length > headerBlock.default) {
    throw new UsageError('HEADER_TOO_LONG', `a header must not be over ${headerBlock.default} octets`)
  }
  if ((part.fields.match(/\n(?![ \t])/g)?.length ?? 0) > headerFields.default) {
    throw new UsageError('HEADER_TOO_LONG', `a header must not have over ${headerFields.default} fields`)
  }
  return header
}

/** Everything after the message's own header: what is written as it stands, and bodies. */
function flatten(root: Part): (Buffer | Leaf)[] {
  const out: (Buffer | Leaf)[] = []
  const pending: (Part | string)[] = []
  const open = ({ body }: Part): void => {
    if (body.type === 'leaf') {
      out.push(body)
      return
    }
    pending.push(`\r\n--${body.boundary}--\r\n`)
    for (const [index, part] of [...body.parts.entries()].reverse()) {
      pending.push(part, `${index === 0 ? '' : '\r\n'}--${body.boundary}\r\n`)
    }
  }
  open(root)
  let parts = 1
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === 'string') out.push(Buffer.from(next, 'latin1'))
    else {
      out.push(headerOf(next))
      open(next)
      parts++
    }
  }
  if (parts > mimeLimitRules.parts.default) {
    throw new UsageError('CONTENT', `a message must not have over ${mimeLimitRules.parts.default} parts`)
  }
  return out
}
