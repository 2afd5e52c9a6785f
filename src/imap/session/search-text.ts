import { asBuffer } from '../../core/bytes.js'
import type { Envelope, EnvelopeAddress, Mailbox, MessageInfo, PartFacts } from '../../interfaces/index.js'
import { bodyDecoder, decodeCharset, decodeWords, Headers } from '../../mime/index.js'
import type { OctetRange } from './section-range.js'

/** Decoded octets of a body that are compared at once. */
const WINDOW = 262_144
const LF = 0x0a
const SPACE = 0x20

/** Text without case and in one normal form, as it is compared. */
export function fold(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/** A field's value (one octet a character) as it is compared. */
export function headerText(value: string): string {
  return fold(decodeWords(value))
}

const envelopeFields: ReadonlyMap<string, (envelope: Envelope) => string> = new Map([
  ['SUBJECT', (envelope) => headerText(envelope.subject ?? '')],
  ['MESSAGE-ID', (envelope) => headerText(envelope.messageId ?? '')],
  ['IN-REPLY-TO', (envelope) => headerText(envelope.inReplyTo ?? '')],
  ['FROM', (envelope) => addressText(envelope.from)],
  ['TO', (envelope) => addressText(envelope.to)],
  ['CC', (envelope) => addressText(envelope.cc)],
  ['BCC', (envelope) => addressText(envelope.bcc)],
])

/** How to read a field, named in capitals, off the ENVELOPE; null for one that is not in it. */
export function envelopeText(field: string): ((envelope: Envelope) => string) | null {
  return envelopeFields.get(field) ?? null
}

/** `Name <mailbox@host>, ...`; groups are their names and members. */
function addressText(addresses: readonly EnvelopeAddress[]): string {
  const texts = addresses.map(({ name, mailbox, host }) => {
    const address = host === null ? (mailbox ?? '') : `<${mailbox ?? ''}@${host}>`
    return name === null ? address : `${name} ${address}`
  })
  return headerText(texts.join(', '))
}

/** A stretch of a message that holds text: a text part, or the header of a message within it. */
type TextPiece = OctetRange & {
  readonly header: boolean
  readonly encoding: string
  readonly charset: string
}

/** Everything in the body that SEARCH looks at: parts of type text, and the headers of enclosed messages. */
function textPieces(root: PartFacts): TextPiece[] {
  const pieces: TextPiece[] = []
  const waiting: PartFacts[] = [root]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.type === 'text') {
      const { encoding, bodyOffset: from, endOffset: to } = part
      const charset = part.parameters.find(([name]) => name.toLowerCase() === 'charset')?.[1] ?? ''
      pieces.push({ header: false, from, to, encoding, charset })
    }
    if (part.message !== null) {
      const { root: inner } = part.message
      const { headerOffset: from, bodyOffset: to } = inner
      pieces.push({ header: true, from, to, encoding: '', charset: '' })
      waiting.push(inner)
    }
    waiting.push(...part.parts)
  }
  return pieces
}

/**
 * For each needle (folded) whether the message's body holds it once decoded. Reads only the parts that hold text, and
 * holds one window of them at a time. `pause` is awaited after each piece of them.
 */
export async function findInBody(
  mailbox: Mailbox,
  info: MessageInfo,
  needles: readonly string[],
  pause: () => Promise<void>,
): Promise<readonly boolean[]> {
  const finder = new Finder(needles)
  if (info.facts === null) return finder.found
  for (const piece of textPieces(info.facts.root)) {
    if (piece.header) finder.look(decodedHeader(await readWhole(mailbox, info, piece)))
    else await lookInPart(mailbox, info, piece, finder, pause)
    finder.cut()
    if (finder.done) break
  }
  return finder.found
}

async function lookInPart(
  mailbox: Mailbox,
  info: MessageInfo,
  piece: TextPiece,
  finder: Finder,
  pause: () => Promise<void>,
): Promise<void> {
  const decoder = bodyDecoder(piece.encoding)
  let held: Buffer[] = []
  let size = 0
  const look = (octets: Buffer): void => finder.look(decodeCharset(octets, piece.charset))
  for await (const octets of readPieces(mailbox, info, piece)) {
    const decoded = decoder.write(asBuffer(octets))
    held.push(decoded)
    size += decoded.length
    if (size < WINDOW) continue
    // A charset's state and its characters of several octets never go over a line end, and hardly over a space.
    const window = Buffer.concat(held)
    const end = window.lastIndexOf(LF) + 1 || window.lastIndexOf(SPACE) + 1 || window.length
    look(window.subarray(0, end))
    held = [window.subarray(end)]
    size = window.length - end
    if (finder.done) return
    await pause()
  }
  look(Buffer.concat([...held, decoder.end()]))
}

function decodedHeader(block: Buffer): string {
  const headers = new Headers(block)
  let text = ''
  for (let i = 0; i < headers.length; i++)
    text += `${headers.nameAt(i)}: ${decodeWords(headers.valueAt(i))}\n`
  return text
}

async function readWhole(mailbox: Mailbox, info: MessageInfo, range: OctetRange): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of readPieces(mailbox, info, range)) pieces.push(piece)
  return pieces.length === 1 ? asBuffer(pieces[0] as Uint8Array) : Buffer.concat(pieces)
}

async function* readPieces(
  mailbox: Mailbox,
  info: MessageInfo,
  { from, to }: OctetRange,
): AsyncGenerator<Uint8Array> {
  if (from >= to) return
  if (info.body !== null) yield info.body.subarray(from, to)
  else yield* mailbox.read(info.uid, from, to)
}

/** Looks for texts in a text that comes in windows; one that lies over their edge is found too. */
class Finder {
  readonly found: boolean[]
  readonly #needles: readonly string[]
  readonly #overlap: number
  #tail: string

  constructor(needles: readonly string[]) {
    this.found = needles.map(() => false)
    this.#needles = needles
    this.#overlap = Math.max(0, ...needles.map((needle) => needle.length - 1))
    this.#tail = ''
  }

  get done(): boolean {
    return this.found.every((found) => found)
  }

  look(text: string): void {
    const window = this.#tail + fold(text)
    this.#needles.forEach((needle, index) => {
      if (this.found[index] === false && window.includes(needle)) this.found[index] = true
    })
    this.#tail = this.#overlap === 0 ? '' : window.slice(-this.#overlap)
  }

  /** What comes next does not follow on what was looked at. */
  cut(): void {
    this.#tail = ''
  }
}
