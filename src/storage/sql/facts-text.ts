import type { Envelope, EnvelopeAddress, MessageFacts, Parameter, PartFacts } from '../../interfaces/index.js'

/** The facts of a message: its octets, its root, its envelope. */
type Facts = readonly [size: number, root: Part, envelope: PackedEnvelope]

/** What is empty at the end of this, from `parameters` on, is left out. */
type Part = readonly [
  type: string,
  subtype: string,
  encoding: string,
  headerOffset: number,
  bodyOffset: number,
  endOffset: number,
  lines: number,
  parameters?: readonly Parameter[],
  parts?: readonly Part[],
  disposition?: readonly [type: string, parameters: readonly Parameter[]] | null,
  id?: string | null,
  description?: string | null,
  message?: readonly [root: Part, envelope: PackedEnvelope] | null,
  language?: readonly string[],
  location?: string | null,
  md5?: string | null,
]

/** What is empty at the end of this is left out. */
type PackedEnvelope = readonly [
  subject?: string | null,
  date?: string | null,
  messageId?: string | null,
  from?: readonly Address[],
  to?: readonly Address[],
  inReplyTo?: string | null,
  cc?: readonly Address[],
  replyTo?: readonly Address[],
  sender?: readonly Address[],
  bcc?: readonly Address[],
]

/** What is null at the end of this is left out. */
type Address = readonly [
  mailbox?: string | null,
  host?: string | null,
  name?: string | null,
  route?: string | null,
]

/**
 * Facts as they stand in the database: JSON, which SQLite and people can read, but with lists instead of objects, and
 * without what is rare and not there. That is a third of the octets, of every message there is.
 */
export function writeFacts({ size, root, envelope }: MessageFacts): string {
  const facts: Facts = [size, packPart(root), packEnvelope(envelope)]
  return JSON.stringify(facts)
}

/** The facts that were written. */
export function readFacts(text: string): MessageFacts {
  const [size, root, envelope] = JSON.parse(text) as Facts
  return { size, root: unpackPart(root), envelope: unpackEnvelope(envelope) }
}

function packPart(part: PartFacts): Part {
  const { disposition, message } = part
  const packed: Part = [
    part.type,
    part.subtype,
    part.encoding,
    part.headerOffset,
    part.bodyOffset,
    part.endOffset,
    part.lines,
    part.parameters,
    part.parts.map(packPart),
    disposition === null ? null : [disposition.type, disposition.parameters],
    part.id,
    part.description,
    message === null ? null : [packPart(message.root), packEnvelope(message.envelope)],
    part.language,
    part.location,
    part.md5,
  ]
  return withoutEnd(packed)
}

function unpackPart([
  type,
  subtype,
  encoding,
  headerOffset,
  bodyOffset,
  endOffset,
  lines,
  parameters = [],
  parts = [],
  disposition = null,
  id = null,
  description = null,
  message = null,
  language = [],
  location = null,
  md5 = null,
]: Part): PartFacts {
  return {
    type,
    subtype,
    parameters,
    id,
    description,
    encoding,
    md5,
    disposition: disposition === null ? null : { type: disposition[0], parameters: disposition[1] },
    language,
    location,
    headerOffset,
    bodyOffset,
    endOffset,
    lines,
    parts: parts.map(unpackPart),
    message: message === null ? null : { envelope: unpackEnvelope(message[1]), root: unpackPart(message[0]) },
  }
}

function packEnvelope(envelope: Envelope): PackedEnvelope {
  const packed: PackedEnvelope = [
    envelope.subject,
    envelope.date,
    envelope.messageId,
    envelope.from.map(packAddress),
    envelope.to.map(packAddress),
    envelope.inReplyTo,
    envelope.cc.map(packAddress),
    envelope.replyTo.map(packAddress),
    envelope.sender.map(packAddress),
    envelope.bcc.map(packAddress),
  ]
  return withoutEnd(packed)
}

function unpackEnvelope([
  subject = null,
  date = null,
  messageId = null,
  from = [],
  to = [],
  inReplyTo = null,
  cc = [],
  replyTo = [],
  sender = [],
  bcc = [],
]: PackedEnvelope): Envelope {
  return {
    date,
    subject,
    from: from.map(unpackAddress),
    sender: sender.map(unpackAddress),
    replyTo: replyTo.map(unpackAddress),
    to: to.map(unpackAddress),
    cc: cc.map(unpackAddress),
    bcc: bcc.map(unpackAddress),
    inReplyTo,
    messageId,
  }
}

function packAddress({ mailbox, host, name, route }: EnvelopeAddress): Address {
  return withoutEnd([mailbox, host, name, route])
}

function unpackAddress([mailbox = null, host = null, name = null, route = null]: Address): EnvelopeAddress {
  return { name, route, mailbox, host }
}

/** The list without the nulls and empty lists at its end. */
function withoutEnd<T extends readonly unknown[]>(list: T): T {
  let { length } = list
  while (length > 0 && isNothing(list[length - 1])) length--
  return list.slice(0, length) as unknown as T
}

function isNothing(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}
