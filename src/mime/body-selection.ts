import type { ParsedPart } from './parsed-message.js'

/** The parts of a message by what a reader of mail does with them (RFC 8621 section 4.1.4). */
export interface SelectedBodies {
  /** To be shown one after the other by a reader of plain text, */
  readonly text: readonly ParsedPart[]
  /** and by one of HTML; both may hold parts of other types where nothing better is there. */
  readonly html: readonly ParsedPart[]
  readonly attachments: readonly ParsedPart[]
}

interface Level {
  readonly parts: readonly ParsedPart[]
  next: number
  readonly multipart: string
  /** Index of the part that the others belong to (RFC 2387 section 3.2). */
  readonly first: number
  readonly inAlternative: boolean
  takesText: boolean
  takesHtml: boolean
  readonly textLength: number
  readonly htmlLength: number
}

function isInlineMedia(type: string): boolean {
  return type.startsWith('image/') || type.startsWith('audio/') || type.startsWith('video/')
}

/** Which part of a multipart/related its `start` names; the first one where it names none. */
function startOf({ parameters, parts }: ParsedPart): number {
  const start = parameters.get('start')?.replace(/^<|>$/g, '')
  return start === undefined
    ? 0
    : Math.max(
        parts.findIndex(({ contentId }) => contentId === start),
        0,
      )
}

/** RFC 8621's algorithm with a stack of its own: depth costs no calls. */
export function selectBodies(root: ParsedPart): SelectedBodies {
  const text: ParsedPart[] = []
  const html: ParsedPart[] = []
  const attachments: ParsedPart[] = []
  const open: Level[] = [
    {
      parts: [root],
      next: 0,
      multipart: 'mixed',
      first: 0,
      inAlternative: false,
      takesText: true,
      takesHtml: true,
      textLength: 0,
      htmlLength: 0,
    },
  ]
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const index = level.next++
    const part = level.parts[index]
    if (part === undefined) {
      open.pop()
      // one kind of an alternative is missing: the other stands for it
      if (level.multipart !== 'alternative' || !level.takesText || !level.takesHtml) continue
      if (text.length === level.textLength) append(text, html, level.htmlLength)
      else if (html.length === level.htmlLength) append(html, text, level.textLength)
      continue
    }
    if (part.type.startsWith('multipart/') && part.content === null) {
      const multipart = part.type.slice(10)
      open.push({
        parts: part.parts,
        next: 0,
        multipart,
        first: multipart === 'related' ? startOf(part) : 0,
        inAlternative: level.inAlternative || multipart === 'alternative',
        takesText: level.takesText,
        takesHtml: level.takesHtml,
        textLength: text.length,
        htmlLength: html.length,
      })
      continue
    }
    const isText = part.type === 'text/plain'
    const isHtml = part.type === 'text/html'
    const media = isInlineMedia(part.type)
    const inline =
      part.disposition !== 'attachment' &&
      (isText || isHtml || media) &&
      (index === level.first || (level.multipart !== 'related' && (media || part.filename === null)))
    if (!inline) attachments.push(part)
    else if (level.multipart === 'alternative') {
      if (isText) text.push(part)
      else if (isHtml) html.push(part)
      else attachments.push(part)
    } else {
      if (level.inAlternative && isText) level.takesHtml = false
      if (level.inAlternative && isHtml) level.takesText = false
      if (level.takesText) text.push(part)
      if (level.takesHtml) html.push(part)
      // RFC 8621 has media that both bodies show in them only; here whoever shows text alone finds them too
      if (media) attachments.push(part)
    }
  }
  return { text, html, attachments }
}

function append(to: ParsedPart[], from: readonly ParsedPart[], start: number): void {
  for (let i = start; i < from.length; i++) to.push(from[i] as ParsedPart)
}
