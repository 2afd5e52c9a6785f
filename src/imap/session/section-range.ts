import type { MessageFacts, PartFacts } from '../../interfaces/index.js'
import type { Section } from '../command.js'

/** Octets `from` to `to` (not included) of a message. */
export interface OctetRange {
  readonly from: number
  readonly to: number
}

/**
 * Where a section stands in the message (RFC 3501 section 6.4.5), or null when the message has no such part. For
 * HEADER.FIELDS and HEADER.FIELDS.NOT it is the whole header that the fields are chosen from.
 */
export function sectionRange(facts: MessageFacts, section: Section): OctetRange | null {
  const { type } = section.text
  if (section.part.length === 0) return messageRange(facts.root, facts.size, type)
  const part = findPart(facts.root, section.part)
  if (part === null) return null
  if (type === 'WHOLE') return { from: part.bodyOffset, to: part.endOffset }
  if (type === 'MIME') return { from: part.headerOffset, to: part.bodyOffset }
  return part.message === null ? null : messageRange(part.message.root, part.message.root.endOffset, type)
}

function messageRange(root: PartFacts, end: number, type: Section['text']['type']): OctetRange | null {
  switch (type) {
    case 'WHOLE':
      return { from: root.headerOffset, to: end }
    case 'TEXT':
      return { from: root.bodyOffset, to: end }
    case 'MIME':
      return null
    default:
      return { from: root.headerOffset, to: root.bodyOffset }
  }
}

/**
 * The part of that number. A message that is no multipart has one part, 1: itself without its header; the numbers
 * after a message/rfc822 part count the parts of the message inside.
 */
function findPart(root: PartFacts, numbers: readonly number[]): PartFacts | null {
  let part = root
  let isMessage = true
  for (const [depth, number] of numbers.entries()) {
    if (depth > 0) {
      isMessage = part.message !== null
      part = part.message?.root ?? part
    }
    if (part.parts.length > 0) {
      const child = part.parts[number - 1]
      if (child === undefined) return null
      part = child
    } else if (!isMessage || number !== 1) {
      return null
    }
  }
  return part
}
