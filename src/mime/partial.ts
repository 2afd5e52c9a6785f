import { asBuffer } from '../core/bytes.js'
import { Headers } from './headers.js'
import { parameter, parseContentType } from './structured-field.js'

/** Where a message/partial (RFC 2046 section 5.2.2) stands among its fragments. */
export interface PartialFragment {
  /** The `id` parameter: the same for all fragments of one message. */
  readonly id: string
  /** From 1. */
  readonly number: number
  /** Null where this fragment does not say. */
  readonly total: number | null
}

const MAX_FRAGMENTS = 10_000

/** What a message's header says of its place, or null where the message is no fragment. */
export function partialFragmentOf(headers: Headers): PartialFragment | null {
  const contentType = parseContentType(headers.get('content-type') ?? '')
  if (contentType?.type !== 'message' || contentType.subtype !== 'partial') return null
  const id = parameter(contentType.parameters, 'id') ?? ''
  const number = countOf(parameter(contentType.parameters, 'number'))
  return id === '' || number === null
    ? null
    : { id, number, total: countOf(parameter(contentType.parameters, 'total')) }
}

function countOf(text: string | null): number | null {
  if (text === null || !/^\d{1,6}$/.test(text)) return null
  const number = Number(text)
  return number >= 1 && number <= MAX_FRAGMENTS ? number : null
}

/**
 * The message that fragments, given in any order, were cut from: the first fragment's header with Content-*, Subject,
 * Message-ID, Encrypted and MIME-Version taken from the message inside (RFC 2046 section 5.2.2.1). Null while one is
 * missing, where they are of different messages, or where none says how many there are (up to 10,000). Of
 * fragments with the same number the first counts.
 */
export function joinPartials(messages: readonly Uint8Array[]): Buffer | null {
  const bodies = new Map<number, { readonly headers: Headers; readonly body: Buffer }>()
  let id: string | null = null
  let total: number | null = null
  for (const message of messages) {
    const bytes = asBuffer(message)
    const end = headerEnd(bytes)
    const headers = new Headers(bytes.subarray(0, end))
    const fragment = partialFragmentOf(headers)
    if (fragment === null || (id !== null && fragment.id !== id)) return null
    id = fragment.id
    total ??= fragment.total
    if (!bodies.has(fragment.number)) bodies.set(fragment.number, { headers, body: bytes.subarray(end) })
  }
  const first = bodies.get(1)
  if (total === null || first === undefined) return null
  const innerEnd = headerEnd(first.body)
  const inner = new Headers(first.body.subarray(0, innerEnd))
  const pieces: Buffer[] = []
  for (let i = 0; i < first.headers.length; i++)
    if (!comesFromInside(first.headers.nameAt(i))) pieces.push(first.headers.rawFieldAt(i))
  for (let i = 0; i < inner.length; i++)
    if (comesFromInside(inner.nameAt(i))) pieces.push(inner.rawFieldAt(i))
  pieces.push(Buffer.from('\r\n'), first.body.subarray(innerEnd))
  for (let number = 2; number <= total; number++) {
    const fragment = bodies.get(number)
    if (fragment === undefined) return null
    pieces.push(fragment.body)
  }
  return Buffer.concat(pieces)
}

function comesFromInside(name: string): boolean {
  return name.startsWith('content-') || /^(?:subject|message-id|encrypted|mime-version)$/.test(name)
}

/** The index after the empty line that ends a header block, or after the block. */
function headerEnd(bytes: Buffer): number {
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] === 0x0a) return at + 1
    if (bytes[at] === 0x0d && bytes[at + 1] === 0x0a) return at + 2
    const lf = bytes.indexOf(0x0a, at)
    if (lf === -1) break
    at = lf + 1
  }
  return bytes.length
}
