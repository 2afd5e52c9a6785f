import { asBuffer, EMPTY } from '../core/bytes.js'
import { parseDate } from './date.js'
import { type Defect, type DefectCode, MAX_DEFECTS } from './defects.js'
import type { Headers } from './headers.js'
import { type MimeLimits, mimeLimits } from './limits.js'
import { type Address, parseMailboxes } from './mailboxes.js'
import { readBodies } from './message-bodies.js'
import { parseMessageIds } from './message-ids.js'
import { MessageReader, type MimeEvent, type PartStart } from './message-reader.js'
import { decodeParameters } from './parameter-values.js'
import type { ParsedMessage, ParsedPart } from './parsed-message.js'
import { isMessage } from './part-header.js'
import { decodeBody, isIdentity } from './transfer-encoding.js'

/** Takes a decoded body as it is read. A returned promise holds the reading until it settles. */
export interface BodySink {
  write(chunk: Uint8Array): void | Promise<void>
  end?(): void | Promise<void>
}

export interface ParseOptions {
  readonly limits?: Partial<MimeLimits>
  /**
   * Octets of each text body that become text, 16,777,216 by default: the rest is in the part's `content` only
   * (defect `textTooLong`).
   */
  readonly textLength?: number
}

export interface StreamParseOptions extends ParseOptions {
  /**
   * Asked for each leaf as it begins (its `content` is null then): the sink that takes its body, or null to keep the
   * body in memory. With this the message is never held as a whole, `raw` is null, and what is encoded stays so.
   */
  readonly sink?: (part: ParsedPart) => BodySink | null
}

const TEXT_LENGTH = 16_777_216
/** Messages and multiparts that are encoded inside of others are opened up to this depth. */
const MAX_ENCODED = 8
const DASH = 0x2d
const NO_PARAMETERS: ReadonlyMap<string, string> = new Map()

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type OpenPart = Mutable<ParsedPart> & { parts: ParsedPart[] }

/**
 * Level 3: the whole message as an object. Octets give it at once; a stream (any async iterable of octets) gives a
 * promise, which rejects only when the stream or a sink does. Any octets are taken: `defects` says what was wrong.
 * UsageError `LIMIT` for a limit out of range.
 */
export function parseMessage(message: Uint8Array, options?: ParseOptions): ParsedMessage
export function parseMessage(
  message: AsyncIterable<Uint8Array>,
  options?: StreamParseOptions,
): Promise<ParsedMessage>
export function parseMessage(
  message: Uint8Array | AsyncIterable<Uint8Array>,
  options: StreamParseOptions = {},
): ParsedMessage | Promise<ParsedMessage> {
  const settings: Settings = {
    limits: mimeLimits(options.limits),
    textLength: options.textLength ?? TEXT_LENGTH,
  }
  if (message instanceof Uint8Array) return parseBytes(asBuffer(message), settings, 0)
  return options.sink === undefined ? collect(message, settings) : pass(message, settings, options.sink)
}

interface Settings {
  readonly limits: MimeLimits
  readonly textLength: number
}

function parseBytes(bytes: Buffer, settings: Settings, depth: number): ParsedMessage {
  const reader = new MessageReader(settings.limits, Number.POSITIVE_INFINITY)
  const builder = new MessageBuilder(bytes, settings, depth)
  reader.receive(bytes)
  reader.end()
  for (let event = reader.next(); event !== null; event = reader.next()) builder.take(event)
  return builder.message(reader.defects)
}

async function collect(stream: AsyncIterable<Uint8Array>, settings: Settings): Promise<ParsedMessage> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return parseBytes(Buffer.concat(chunks), settings, 0)
}

async function pass(
  stream: AsyncIterable<Uint8Array>,
  settings: Settings,
  sinkOf: (part: ParsedPart) => BodySink | null,
): Promise<ParsedMessage> {
  const reader = new MessageReader(settings.limits)
  const builder = new MessageBuilder(null, settings, 0)
  let sink: BodySink | null = null
  const pull = async (): Promise<void> => {
    for (let event = reader.next(); event !== null; event = reader.next()) {
      if (event.type === 'body' && sink !== null) {
        const pending = sink.write(event.data)
        if (pending !== undefined) await pending
        continue
      }
      if (event.type === 'partEnd' && sink !== null) {
        await sink.end?.()
        builder.sunk()
        sink = null
      }
      builder.take(event)
      if (event.type === 'partBegin' && event.part.kind === 'leaf') sink = sinkOf(builder.current)
    }
  }
  for await (const chunk of stream) {
    reader.receive(chunk)
    await pull()
  }
  reader.end()
  await pull()
  return builder.message(reader.defects)
}

/** A message whose end has not been read. */
interface OpenMessage {
  readonly root: OpenPart
  readonly parts: ParsedPart[]
  /** The part that holds it; null for the message itself. */
  readonly holder: OpenPart | null
}

/** Makes parts and messages of events. */
class MessageBuilder {
  readonly #bytes: Buffer | null
  readonly #settings: Settings
  readonly #depth: number
  readonly #open: OpenPart[]
  readonly #messages: OpenMessage[]
  readonly #defects: Defect[]
  #pieces: Uint8Array[]
  #sunk: boolean
  #done: ParsedMessage | null

  constructor(bytes: Buffer | null, settings: Settings, depth: number) {
    this.#bytes = bytes
    this.#settings = settings
    this.#depth = depth
    this.#open = []
    this.#messages = []
    this.#defects = []
    this.#pieces = []
    this.#sunk = false
    this.#done = null
  }

  /** The innermost open part. */
  get current(): ParsedPart {
    return this.#open.at(-1) as ParsedPart
  }

  /** The body of the open leaf went elsewhere. */
  sunk(): void {
    this.#sunk = true
  }

  take(event: MimeEvent): void {
    switch (event.type) {
      case 'partBegin':
        this.#begin(event.part)
        break
      case 'body':
        this.#pieces.push(event.data)
        break
      case 'partEnd':
        this.#end(event.part, event.endOffset)
        break
      case 'header':
      case 'messageEnd':
        break
    }
  }

  /** The message, once every event has been taken. */
  message(defects: readonly Defect[]): ParsedMessage {
    const done = this.#done as ParsedMessage
    const all = this.#defects.length === 0 ? defects : [...defects, ...this.#defects].slice(0, MAX_DEFECTS)
    return { ...done, defects: all }
  }

  #report(code: DefectCode, offset: number): void {
    if (this.#defects.length < MAX_DEFECTS) this.#defects.push({ code, offset })
  }

  #begin(start: PartStart): void {
    const part = openPart(start)
    if (start.disposition?.truncated) this.#report('tooManyParameters', start.headerOffset)
    const outer = this.#open.at(-1)
    this.#open.push(part)
    if (outer === undefined || outer.type.startsWith('message/')) {
      this.#messages.push({ root: part, parts: [part], holder: outer ?? null })
    } else {
      outer.parts.push(part)
      this.#messages.at(-1)?.parts.push(part)
    }
  }

  #end(start: PartStart, endOffset: number): void {
    const part = this.#open.pop() as OpenPart
    part.endOffset = endOffset
    part.raw = this.#bytes?.subarray(part.headerOffset, endOffset) ?? null
    if (start.kind === 'leaf') this.#endLeaf(part, start)
    else if (start.kind === 'message')
      part.content = this.#bytes?.subarray(part.bodyOffset, endOffset) ?? null
    else if (part.parts.length === 0) this.#endEmpty(part)
    const message = this.#messages.at(-1)
    if (message?.root !== part) return
    this.#messages.pop()
    const built = this.#build(message, endOffset - part.headerOffset)
    if (message.holder === null) this.#done = built
    else message.holder.message = built
  }

  #endLeaf(part: OpenPart, { contentType }: PartStart): void {
    const pieces = this.#pieces
    this.#pieces = []
    const sunk = this.#sunk
    this.#sunk = false
    if (sunk) return
    part.content =
      pieces.length === 1 ? (pieces[0] as Uint8Array) : pieces.length === 0 ? EMPTY : Buffer.concat(pieces)
    if (this.#bytes === null || !isMessage(contentType.type, contentType.subtype)) return
    if (!isIdentity(part.encoding) && this.#depth < MAX_ENCODED)
      part.message = parseBytes(asBuffer(part.content), this.#settings, this.#depth + 1)
  }

  /**
   * A multipart without a delimiter. Where it is encoded as a whole (RFC 2045 section 6.4 forbids it) its parts are
   * inside of what it decodes to; else its octets are kept as its content.
   */
  #endEmpty(part: OpenPart): void {
    if (this.#bytes === null || part.bodyOffset === part.endOffset) return
    part.content = decodeBody(this.#bytes.subarray(part.bodyOffset, part.endOffset), part.encoding)
    if (isIdentity(part.encoding) || this.#depth >= MAX_ENCODED || !part.content.includes(DASH)) return
    const header = Buffer.from(`Content-Type: ${part.headers.get('content-type') ?? ''}\r\n\r\n`, 'latin1')
    const inside = parseBytes(Buffer.concat([header, part.content]), this.#settings, this.#depth + 1)
    if (inside.root.parts.length === 0) return
    part.content = null
    for (const child of inside.root.parts) part.parts.push(child)
    const all = this.#messages.at(-1)?.parts
    for (let i = 1; i < inside.parts.length; i++) all?.push(inside.parts[i] as ParsedPart)
  }

  #build({ root, parts }: OpenMessage, size: number): ParsedMessage {
    const { headers } = root
    const report = (offset: number): void => this.#report('textTooLong', offset)
    return {
      headers,
      from: addressesOf(headers, 'from'),
      sender: addressesOf(headers, 'sender'),
      replyTo: addressesOf(headers, 'reply-to'),
      to: addressesOf(headers, 'to'),
      cc: addressesOf(headers, 'cc'),
      bcc: addressesOf(headers, 'bcc'),
      subject: headers.getText('subject'),
      date: parseDate(headers.get('date') ?? ''),
      messageId: messageIdsOf(headers, 'message-id')[0] ?? null,
      inReplyTo: messageIdsOf(headers, 'in-reply-to'),
      references: messageIdsOf(headers, 'references'),
      ...readBodies(root, this.#settings.textLength, report),
      root,
      parts,
      defects: [],
      size,
    }
  }
}

function openPart({
  headers,
  contentType,
  disposition,
  encoding,
  headerOffset,
  bodyOffset,
}: PartStart): OpenPart {
  const { parameters } = contentType
  const decoded = parameters.length === 0 ? NO_PARAMETERS : decodeParameters(parameters)
  const filename =
    disposition === null || disposition.parameters.length === 0
      ? undefined
      : decodeParameters(disposition.parameters).get('filename')
  return {
    headers,
    type: `${contentType.type}/${contentType.subtype}`,
    parameters: decoded,
    disposition: disposition?.type ?? null,
    filename: filename ?? decoded.get('name') ?? null,
    contentId: messageIdsOf(headers, 'content-id')[0] ?? null,
    description: headers.getText('content-description'),
    encoding,
    headerOffset,
    bodyOffset,
    endOffset: bodyOffset,
    raw: null,
    content: null,
    parts: [],
    message: null,
  }
}

/** The addresses of every field of that name (To, Cc and Bcc may stand more than once), decoded. */
export function addressesOf(headers: Headers, name: string): readonly Address[] {
  const values = headers.getAll(name)
  if (values.length <= 1) return values.length === 0 ? [] : parseMailboxes(values[0] as string)
  return values.flatMap(parseMailboxes)
}

/** The identifiers in the first field of that name, without angle brackets. */
export function messageIdsOf(headers: Headers, name: string): readonly string[] {
  const value = headers.get(name)
  return value === null ? [] : parseMessageIds(value)
}

/**
 * The messages that a message answers, oldest first (RFC 5256, THREAD=REFERENCES step 1): those of References, else the
 * first of In-Reply-To; each once.
 */
export function threadReferencesOf(headers: Headers): readonly string[] {
  const references = messageIdsOf(headers, 'references')
  return references.length > 0 ? [...new Set(references)] : messageIdsOf(headers, 'in-reply-to').slice(0, 1)
}
