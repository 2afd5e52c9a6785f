import { asBuffer } from '../core/bytes.js'
import { selectBodies } from './body-selection.js'
import { decodeBodyText } from './charset-guess.js'
import { unflow } from './flowed.js'
import { htmlToText } from './html-text.js'
import type { Attachment, ParsedPart } from './parsed-message.js'
import { parseTnef, type Tnef } from './tnef.js'
import { findEncodedFiles } from './uuencode.js'

/** What a message shows. */
export interface MessageBodies {
  readonly text: string | null
  readonly html: string | null
  readonly attachments: readonly Attachment[]
}

/**
 * The text of a text part: charset converted, format=flowed joined (RFC 3676). `maxOctets` of its body become text. Files
 * in it stay as they stand. '' where the part has no content.
 */
export function partText(part: ParsedPart, maxOctets = Number.POSITIVE_INFINITY): string {
  if (part.content === null) return ''
  return textOf(part, asBuffer(part.content), maxOctets)
}

function textOf(part: ParsedPart, content: Buffer, maxOctets: number): string {
  const octets = content.length > maxOctets ? content.subarray(0, maxOctets) : content
  const text = decodeBodyText(octets, part.parameters.get('charset') ?? '', part.type === 'text/html')
  if (part.type !== 'text/plain' || part.parameters.get('format')?.toLowerCase() !== 'flowed') return text
  return unflow(text, part.parameters.get('delsp')?.toLowerCase() === 'yes')
}

/** Text, HTML and attachments of the message with that root. `report` is told of text over the limit, by its part's offset. */
export function readBodies(
  root: ParsedPart,
  maxOctets: number,
  report: (offset: number) => void,
): MessageBodies {
  const selected = selectBodies(root)
  const attachments: Attachment[] = []
  const texts = new Map<ParsedPart, string>()
  for (const parts of [selected.text, selected.html]) {
    for (const part of parts) {
      if (part.content === null || texts.has(part) || !part.type.startsWith('text/')) continue
      if (part.content.length > maxOctets) report(part.bodyOffset)
      texts.set(
        part,
        part.type === 'text/plain' ? plainText(part, maxOctets, attachments) : partText(part, maxOctets),
      )
    }
  }
  let text = join(selected.text, texts, 'text/plain', htmlToText)
  let html = join(selected.html, texts, 'text/html', asHtml)
  for (const part of selected.attachments) attachments.push(attachmentOf(part))
  for (const part of selected.attachments) {
    const tnef = tnefOf(part)
    if (tnef === null) continue
    if (text === null && html === null) {
      text = tnef.text
      html = tnef.html
    }
    for (const { name, type, contentId, content } of tnef.attachments) {
      attachments.push({
        source: 'tnef',
        filename: name === '' ? null : name,
        type: type ?? 'application/octet-stream',
        disposition: 'attachment',
        contentId,
        content,
        part,
      })
    }
  }
  return { text, html, attachments }
}

/** A text/plain part without the files that stand in it, which become attachments. */
function plainText(part: ParsedPart, maxOctets: number, attachments: Attachment[]): string {
  const content = asBuffer(part.content as Uint8Array)
  const files = mayHoldFile(content) ? findEncodedFiles(content) : []
  if (files.length === 0) return textOf(part, content, maxOctets)
  const kept: Buffer[] = []
  let at = 0
  for (const { encoding, name, content: file, offset, endOffset } of files) {
    kept.push(content.subarray(at, offset))
    at = endOffset
    attachments.push({
      source: encoding,
      filename: decodeBodyText(Buffer.from(name, 'latin1'), '', false),
      type: 'application/octet-stream',
      disposition: 'attachment',
      contentId: null,
      content: file,
      part,
    })
  }
  kept.push(content.subarray(at))
  return textOf(part, Buffer.concat(kept), maxOctets)
}

function mayHoldFile(content: Buffer): boolean {
  const first = content[0]
  return (
    first === 0x62 ||
    first === 0x3d ||
    content.includes('\nbegin ', 0, 'latin1') ||
    content.includes('\n=ybegin ', 0, 'latin1')
  )
}

/** The parts of a body one after the other; null unless one of them has the type. Others are converted. */
function join(
  parts: readonly ParsedPart[],
  texts: ReadonlyMap<ParsedPart, string>,
  type: string,
  convert: (text: string) => string,
): string | null {
  if (!parts.some((part) => part.type === type && part.content !== null)) return null
  const pieces: string[] = []
  for (const part of parts) {
    const text = texts.get(part)
    if (text === undefined) continue
    if (pieces.length > 0 && !pieces.at(-1)?.endsWith('\n')) pieces.push('\n')
    pieces.push(part.type === type ? text : convert(text))
  }
  return pieces.length === 1 ? (pieces[0] as string) : pieces.join('')
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function asHtml(text: string): string {
  return `<pre>${text.replace(/[&<>]/g, (character) => entities[character] ?? '')}</pre>`
}

function attachmentOf(part: ParsedPart): Attachment {
  const { filename, type, disposition, contentId, content } = part
  return { source: 'part', filename, type, disposition, contentId, content, part }
}

function tnefOf(part: ParsedPart): Tnef | null {
  if (part.content === null) return null
  const named = part.type === 'application/ms-tnef' || part.type === 'application/vnd.ms-tnef'
  return named || part.filename?.toLowerCase() === 'winmail.dat' ? parseTnef(part.content) : null
}
