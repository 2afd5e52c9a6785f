import { isAscii } from 'node:buffer'
import { decodeUtf8 } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import { mimeLimits } from '../../mime/limits.js'
import { PartScanner } from '../../mime/scanner.js'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * A message: whole, or in chunks of any size, read no faster than the peer takes them. Chunks are read once; a function
 * that gives them gives the same ones each time, from their beginning, and may be called more than once.
 */
export type MessageBody = Uint8Array | Chunks | (() => Chunks)

/** Octets up to which a message is written at once; a larger one goes in slices, so that the peer is listened to. */
export const WHOLE = 262_144

/** A message in one of the forms there are; UsageError `BODY` for anything else. */
export function bodyOf(body: MessageBody): MessageBody {
  const good =
    typeof body === 'function' ||
    (typeof body === 'object' && body !== null && (Symbol.asyncIterator in body || Symbol.iterator in body))
  if (good) return body
  throw new UsageError(
    'BODY',
    `a message is a Uint8Array, chunks, or a function that gives chunks, not ${body === null ? 'null' : typeof body}`,
  )
}

/** True where the message can be read more than once. */
export function isRepeatable(body: MessageBody): body is Uint8Array | readonly Uint8Array[] | (() => Chunks) {
  return body instanceof Uint8Array || typeof body === 'function' || Array.isArray(body)
}

/** True where a message's own header holds UTF-8 beyond ASCII, for which SMTPUTF8 is there (RFC 6531 section 3.2). */
export function headerIsUtf8(message: Uint8Array): boolean {
  // A header block is told where bodies are.
  const scanner = new PartScanner(mimeLimits(undefined), { bodies: true, lines: false })
  scanner.receive(message)
  scanner.end()
  const event = scanner.next()
  return event?.type === 'begin' && !isAscii(event.block) && decodeUtf8(event.block) !== null
}

export function chunksOf(body: MessageBody): Chunks {
  if (typeof body === 'function') return body()
  return body instanceof Uint8Array ? slices(body) : body
}

/** A chunk of a message; UsageError `BODY` for anything but octets, as the strings of some streams are. */
export function octetsOf(chunk: Uint8Array): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw new UsageError('BODY', `a chunk of a message is a Uint8Array, not of type ${typeof chunk}`)
}

function* slices(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += WHOLE) yield body.subarray(at, at + WHOLE)
}
