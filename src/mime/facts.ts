import type {
  Envelope,
  EnvelopeAddress,
  MessageFacts,
  Parameter,
  PartFacts,
} from '../interfaces/message-facts.js'
import { readAddresses } from './addresses.js'
import { fieldName, Headers } from './headers.js'
import { isMessage } from './part-header.js'
import type { ScannedPart } from './scanner.js'
import { parseContentDisposition } from './structured-field.js'
import { trimWhite, withoutComments } from './text.js'

/** Characters kept of one string in the facts of a message; the rest of it is left out. */
export const MAX_FACT_STRING = 32_768
/**
 * Characters kept in all strings of a message's facts together, each string, parameter and address counted as 32 more
 * than it has. Strings that come after are cut, addresses and parameters left out.
 */
export const MAX_FACT_TEXT = 1_048_576
const ITEM_COST = 32

/** A PartFacts while its part is being read. */
export type OpenPart = { -readonly [K in keyof PartFacts]: PartFacts[K] } & { parts: PartFacts[] }

const NOBODY: readonly EnvelopeAddress[] = []

/** What may still be kept of a message's text. */
export class TextBudget {
  #left: number

  constructor() {
    this.#left = MAX_FACT_TEXT
  }

  /** The text, cut where it is over a limit. */
  text(text: string): string {
    const length = Math.max(0, Math.min(text.length, MAX_FACT_STRING, this.#left - ITEM_COST))
    this.#left -= length + ITEM_COST
    return length === text.length ? text : text.slice(0, length)
  }

  optional(text: string | null): string | null {
    return text === null ? null : this.text(text)
  }

  /** The addresses that fit, whole. */
  addresses(found: readonly EnvelopeAddress[] | null): readonly EnvelopeAddress[] {
    return found === null ? NOBODY : this.keep(found, addressSize)
  }

  /** The items that fit, whole. */
  keep<T>(items: readonly T[], size: (item: T) => number): readonly T[] {
    for (let i = 0; i < items.length; i++) {
      const cost = size(items[i] as T) + ITEM_COST
      if (cost > this.#left) return items.slice(0, i)
      this.#left -= cost
    }
    return items
  }
}

/** The envelope of a message without header. */
export const NO_ENVELOPE: Envelope = {
  date: null,
  subject: null,
  from: [],
  sender: [],
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  inReplyTo: null,
  messageId: null,
}

const addressSize = ({ name, route, mailbox, host }: EnvelopeAddress): number =>
  (name?.length ?? 0) + (route?.length ?? 0) + (mailbox?.length ?? 0) + (host?.length ?? 0)
const parameterSize = ([name, value]: Parameter): number => name.length + value.length

/**
 * The envelope of RFC 3501 section 7.4.2. Of a field that stands more than once the first counts; To, Cc and Bcc are
 * joined (RFC 5322 section 4.5.3). A list of addresses over the budget loses its end.
 */
export function envelopeOf(headers: Headers, budget: TextBudget): Envelope {
  return {
    date: budget.optional(headers.getKnown(names.date)),
    subject: budget.optional(headers.getKnown(names.subject)),
    inReplyTo: budget.optional(headers.getKnown(names.inReplyTo)),
    messageId: budget.optional(headers.getKnown(names.messageId)),
    from: budget.addresses(headers.readKnown(names.from, readAddresses)),
    sender: budget.addresses(headers.readKnown(names.sender, readAddresses)),
    replyTo: budget.addresses(headers.readKnown(names.replyTo, readAddresses)),
    to: joined(headers.readAllKnown(names.to, readAddresses), budget),
    cc: joined(headers.readAllKnown(names.cc, readAddresses), budget),
    bcc: joined(headers.readAllKnown(names.bcc, readAddresses), budget),
  }
}

function joined(
  lists: readonly (readonly EnvelopeAddress[])[],
  budget: TextBudget,
): readonly EnvelopeAddress[] {
  if (lists.length < 2) return budget.addresses(lists[0] ?? null)
  return lists.flatMap((list) => budget.addresses(list))
}

const names = {
  date: fieldName('date'),
  subject: fieldName('subject'),
  inReplyTo: fieldName('in-reply-to'),
  messageId: fieldName('message-id'),
  from: fieldName('from'),
  sender: fieldName('sender'),
  replyTo: fieldName('reply-to'),
  to: fieldName('to'),
  cc: fieldName('cc'),
  bcc: fieldName('bcc'),
  disposition: fieldName('content-disposition'),
  language: fieldName('content-language'),
  id: fieldName('content-id'),
  description: fieldName('content-description'),
  md5: fieldName('content-md5'),
  location: fieldName('content-location'),
} as const

/** What a part's header says of it; its end and its children come later. */
export function openPart(
  part: ScannedPart,
  headers: Headers,
  maxParameters: number,
  budget: TextBudget,
): OpenPart {
  const { contentType } = part
  const disposition = headers.getKnown(names.disposition)
  const parsed = disposition === null ? null : parseContentDisposition(disposition, maxParameters)
  const language = headers.getKnown(names.language)
  return {
    type: budget.text(contentType.type),
    subtype: budget.text(contentType.subtype),
    parameters: budget.keep(contentType.parameters, parameterSize),
    id: budget.optional(headers.getKnown(names.id)),
    description: budget.optional(headers.getKnown(names.description)),
    encoding: budget.text(part.encoding),
    md5: budget.optional(headers.getKnown(names.md5)),
    disposition:
      parsed === null
        ? null
        : { type: budget.text(parsed.type), parameters: budget.keep(parsed.parameters, parameterSize) },
    language: language === null ? [] : budget.keep(languagesOf(language), (tag) => tag.length),
    location: budget.optional(headers.getKnown(names.location)),
    headerOffset: part.headerOffset,
    bodyOffset: part.bodyOffset,
    endOffset: part.bodyOffset,
    lines: 0,
    parts: [],
    message: null,
  }
}

/** Tags of RFC 3282, without comments. */
function languagesOf(value: string): string[] {
  return withoutComments(value)
    .split(',')
    .map(trimWhite)
    .filter((tag) => tag !== '')
}

const plainPart: Omit<PartFacts, 'headerOffset' | 'bodyOffset' | 'endOffset' | 'lines'> = {
  type: 'text',
  subtype: 'plain',
  parameters: [['charset', 'us-ascii']],
  id: null,
  description: null,
  encoding: '7bit',
  md5: null,
  disposition: null,
  language: [],
  location: null,
  parts: [],
  message: null,
}

/**
 * The part with its end. A message/rfc822 that was not read as a message (encoded, or over a limit) holds, as a message
 * without header, the octets that stand there, so that `message` is there for every such type.
 */
export function closePart(open: OpenPart, part: ScannedPart): void {
  open.endOffset = part.endOffset
  open.lines = part.lines
  if (open.message !== null || !isMessage(open.type, open.subtype)) return
  const { bodyOffset, endOffset, lines } = part
  const root: PartFacts = { ...plainPart, headerOffset: bodyOffset, bodyOffset, endOffset, lines }
  open.message = { envelope: NO_ENVELOPE, root }
}

/**
 * The facts of the message with `prefix`, whole header lines, put in front of it. Offsets move; fields of the envelope in
 * the prefix count as the first of their name. The prefix must not hold Content-* fields: they are not looked at.
 */
export function factsWithPrefix(facts: MessageFacts, prefix: Uint8Array): MessageFacts {
  const by = prefix.length
  if (by === 0) return facts
  const root = shifted(facts.root, by)
  root.headerOffset = 0
  const open: OpenPart[] = [root]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    for (let i = 0; i < part.parts.length; i++) {
      const child = shifted(part.parts[i] as PartFacts, by)
      part.parts[i] = child
      open.push(child)
    }
    if (part.message !== null) {
      const inner = shifted(part.message.root, by)
      part.message = { envelope: part.message.envelope, root: inner }
      open.push(inner)
    }
  }
  return { size: facts.size + by, root, envelope: joinedEnvelope(prefix, facts.envelope) }
}

function shifted(part: PartFacts, by: number): OpenPart {
  return {
    ...part,
    headerOffset: part.headerOffset + by,
    bodyOffset: part.bodyOffset + by,
    endOffset: part.endOffset + by,
    parts: [...part.parts],
  }
}

function joinedEnvelope(prefix: Uint8Array, after: Envelope): Envelope {
  const headers = new Headers(prefix)
  const before = envelopeOf(headers, new TextBudget())
  return {
    date: before.date ?? after.date,
    subject: before.subject ?? after.subject,
    inReplyTo: before.inReplyTo ?? after.inReplyTo,
    messageId: before.messageId ?? after.messageId,
    from: headers.has('from') ? before.from : after.from,
    sender: headers.has('sender') ? before.sender : after.sender,
    replyTo: headers.has('reply-to') ? before.replyTo : after.replyTo,
    to: before.to.length === 0 ? after.to : [...before.to, ...after.to],
    cc: before.cc.length === 0 ? after.cc : [...before.cc, ...after.cc],
    bcc: before.bcc.length === 0 ? after.bcc : [...before.bcc, ...after.bcc],
  }
}
