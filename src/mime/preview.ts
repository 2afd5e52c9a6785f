import { htmlToText } from './html-text.js'

/** RFC 8970 section 3.3: 200 characters, at most 256. */
const LENGTH = 200
/** What is looked at: enough for a preview behind a long style sheet or a long quote. */
const MAX_HTML = 262_144
const MAX_TEXT = 65_536

/** Characters that senders put behind their own preview text so that nothing else is shown, and controls. */
const invisible =
  /(?:[\p{Cc}\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]|\u034f)+/gu

/**
 * The preview of a message (RFC 8970): the beginning of its text, or of its HTML, on one line, without quotes and
 * signature, of at most 200 characters (code points). '' where there is no text.
 */
export function previewText(text: string | null, html: string | null): string {
  const plain = text !== null && text.trim() !== '' ? text.slice(0, MAX_TEXT) : ''
  return (
    preview(plain) || preview(html === null ? '' : htmlToText(html.slice(0, MAX_HTML)).slice(0, MAX_TEXT))
  )
}

function preview(text: string): string {
  const kept: string[] = []
  let size = 0
  for (const line of text.split(/\r?\n|\r/)) {
    if (line === '-- ' || size > 4 * LENGTH) break
    if (line.startsWith('>')) continue
    const flat = line.replace(invisible, ' ').replace(/\s+/g, ' ').trim()
    if (flat === '' || /^[-_=*#\s]+$/.test(flat)) continue
    kept.push(flat)
    size += flat.length + 1
  }
  const characters = Array.from(kept.join(' ').slice(0, 4 * LENGTH))
  return characters.length <= LENGTH ? characters.join('') : characters.slice(0, LENGTH).join('').trimEnd()
}
