import { EMPTY } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import type { Source } from './content.js'
import {
  Base64Encoder,
  type BodyEncoder,
  isSevenBit,
  LineEncoder,
  QuotedPrintableEncoder,
  survey,
} from './encoders.js'

/** Content-Transfer-Encoding of RFC 2045 section 6, without `binary`, which plain SMTP cannot carry. */
export type TransferEncoding = '7bit' | '8bit' | 'quoted-printable' | 'base64'

/** A part that is to be written: its header fields, each with its CRLF, and its body. */
export interface Part {
  readonly fields: string
  readonly body: Leaf | Multipart
}

/** A body of octets. */
export interface Leaf {
  readonly type: 'leaf'
  readonly encoding: TransferEncoding
  readonly bytes: Buffer
  /** What the body is instead of `bytes`, or null. */
  readonly stream: Extract<Source, { type: 'stream' }> | null
}

/** A body of parts (RFC 2046 section 5.1). */
export interface Multipart {
  readonly type: 'multipart'
  readonly boundary: string
  readonly parts: readonly Part[]
}

export function encoderFor(encoding: TransferEncoding): BodyEncoder {
  switch (encoding) {
    case 'base64':
      return new Base64Encoder()
    case 'quoted-printable':
      return new QuotedPrintableEncoder()
    case '7bit':
    case '8bit':
      return new LineEncoder(encoding === '7bit')
  }
}

const encodings: readonly string[] = ['7bit', '8bit', 'quoted-printable', 'base64']

/**
 * A body with the encoding asked for, or the one that makes it shortest: of text (7bit, quoted-printable and
 * base64), else base64. `composite`: a message or a multipart, which may only be 7bit or 8bit (RFC 2046 section
 * 5.2.1). UsageError `CONTENT` for what the encoding cannot hold.
 */
export function makeLeaf(
  source: Source,
  kind: 'text' | 'data' | 'composite',
  asked: string | undefined,
  what: string,
): Leaf {
  if (asked !== undefined && !encodings.includes(asked)) {
    throw new UsageError('CONTENT', `the transfer encoding of ${what} must be one of ${encodings.join(', ')}`)
  }
  const wanted = asked as TransferEncoding | undefined
  if (kind === 'composite' && (wanted === 'base64' || wanted === 'quoted-printable')) {
    throw new UsageError('CONTENT', `${what} is a message or a multipart, which must not be encoded`)
  }
  if (source.type === 'stream') {
    const encoding = wanted ?? (kind === 'composite' ? '8bit' : 'base64')
    return { type: 'leaf', encoding, bytes: EMPTY, stream: source }
  }
  const bytes = source.type === 'bytes' ? source.bytes : Buffer.from(source.text, 'utf8')
  const encoding =
    wanted ?? (kind === 'composite' ? bitsOf(bytes) : kind === 'text' ? shortest(bytes) : 'base64')
  if (encoding === '7bit' || encoding === '8bit') {
    // written once here, so that what it cannot hold is known before anything is sent
    return { type: 'leaf', encoding, bytes: encoderFor(encoding).write(bytes), stream: null }
  }
  return { type: 'leaf', encoding, bytes, stream: null }
}

function bitsOf(bytes: Buffer): TransferEncoding {
  return isSevenBit(bytes) ? '7bit' : '8bit'
}

function shortest(bytes: Buffer): TransferEncoding {
  const { sevenBit, quotedPrintable, base64 } = survey(bytes)
  if (sevenBit) return '7bit'
  return quotedPrintable <= base64 ? 'quoted-printable' : 'base64'
}

/** Draws the boundaries of one message. */
export class Boundaries {
  readonly #seed: string
  #count: number

  /**
   * `=_` stands in neither base64 nor quoted-printable; bodies in 7bit and 8bit (`unencoded`) are searched, and the
   * seed is changed until none holds it. All boundaries have one length, so that none is the beginning of another.
   */
  constructor(random: (size: number) => Uint8Array, unencoded: readonly Buffer[]) {
    const drawn = Buffer.from(random(12)).toString('hex')
    let seed = `=_${drawn}`
    for (let n = 1; unencoded.some((bytes) => bytes.includes(seed)); n++) seed = `=_${drawn}.${n}`
    this.#seed = seed
    this.#count = 0
  }

  next(): string {
    this.#count++
    return `${this.#seed}_${this.#count}`
  }
}
