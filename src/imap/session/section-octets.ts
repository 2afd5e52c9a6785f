import { asBuffer } from '../../core/bytes.js'
import { isMailError } from '../../core/errors.js'
import type { Mailbox, MessageInfo } from '../../interfaces/index.js'
import { selectFields } from '../../mime/index.js'
import type { FetchItem, Section } from '../command.js'
import type { OctetRange } from './section-range.js'
import { sectionRange } from './section-range.js'

export type BodyItem = Extract<FetchItem, { readonly type: 'BODY' }>

/** What a BODY item asks for, ready to be sent: its size is known, and its first octets are there. */
export interface SectionOctets {
  readonly size: number
  readonly first: Uint8Array
  /** What follows `first`, or null where that is all. */
  readonly rest: AsyncIterator<Uint8Array> | null
}

/** True where the facts of a message are needed to know where the section is. */
export function needsFacts({ section }: BodyItem): boolean {
  return section.part.length > 0 || section.text.type !== 'WHOLE'
}

/**
 * Opens what `item` asks for: a range of the message, read from the store as it is sent; only of HEADER.FIELDS is the
 * header (bounded by the limits of mime) read whole. Null when the message has no such part, `expunged` when the
 * message is gone.
 */
export async function openSection(
  mailbox: Mailbox,
  info: MessageInfo,
  item: BodyItem,
): Promise<SectionOctets | null | 'expunged'> {
  const range = rangeOf(info, item.section)
  if (range === null) return null
  try {
    const { text } = item.section
    if (text.type !== 'HEADER.FIELDS' && text.type !== 'HEADER.FIELDS.NOT') {
      return await open(mailbox, info, partOf(range, item.partial))
    }
    const header = await readRange(mailbox, info, range)
    const fields = selectFields(header, text.fields, text.type === 'HEADER.FIELDS.NOT')
    const { from, to } = partOf({ from: 0, to: fields.length }, item.partial)
    return { size: to - from, first: fields.subarray(from, to), rest: null }
  } catch (error) {
    if (isMailError(error) && error.kind === 'expunged') return 'expunged'
    throw error
  }
}

/** A range of a message in one piece; it must be known to be small. Rejects with MailError as the store does. */
export async function readRange(mailbox: Mailbox, info: MessageInfo, range: OctetRange): Promise<Buffer> {
  if (info.body !== null) return asBuffer(info.body).subarray(range.from, range.to)
  const pieces: Uint8Array[] = []
  for await (const piece of mailbox.read(info.uid, range.from, range.to)) pieces.push(piece)
  return Buffer.concat(pieces)
}

function rangeOf(info: MessageInfo, section: Section): OctetRange | null {
  if (section.part.length === 0 && section.text.type === 'WHOLE') return { from: 0, to: info.size }
  return info.facts === null ? null : sectionRange(info.facts, section)
}

/** What `<offset.length>` leaves of a range. */
function partOf(range: OctetRange, partial: BodyItem['partial']): OctetRange {
  if (partial === null) return range
  const from = Math.min(range.from + partial.offset, range.to)
  return { from, to: Math.min(from + partial.length, range.to) }
}

async function open(mailbox: Mailbox, info: MessageInfo, { from, to }: OctetRange): Promise<SectionOctets> {
  const size = to - from
  if (info.body !== null || size === 0) {
    return { size, first: info.body?.subarray(from, to) ?? Buffer.alloc(0), rest: null }
  }
  const pieces = mailbox.read(info.uid, from, to)[Symbol.asyncIterator]()
  const { done, value } = await pieces.next()
  if (done === true) throw new Error('the store gave no octets of a message that has some')
  if (value.length < size) return { size, first: value, rest: pieces }
  await pieces.return?.()
  return { size, first: value, rest: null }
}
