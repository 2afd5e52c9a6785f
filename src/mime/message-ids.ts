import { decodeRaw } from './charset.js'
import { isWhite, withoutComments } from './text.js'

/**
 * The identifiers of Message-ID, In-Reply-To, References, Content-ID (RFC 5322 section 3.6.4), in order, without their
 * angle brackets and without white space and comments inside. Where no bracket stands, every word is taken for one. Linear time.
 */
export function parseMessageIds(value: string): string[] {
  const ids: string[] = []
  for (let open = value.indexOf('<'); open !== -1; ) {
    const close = value.indexOf('>', open + 1)
    if (close === -1) break
    // of `<a<b>` the last one is meant
    const start = value.lastIndexOf('<', close)
    const id = withoutWhite(withoutComments(value.slice(start + 1, close)))
    if (id !== '') ids.push(decodeRaw(id))
    open = value.indexOf('<', close + 1)
  }
  if (ids.length > 0 || value.includes('<')) return ids
  return withoutComments(value)
    .split(/[\s,]+/)
    .filter((word) => word.includes('@'))
    .map(decodeRaw)
}

function withoutWhite(text: string): string {
  for (let i = 0; i < text.length; i++)
    if (isWhite(text.charCodeAt(i))) return text.replace(/[ \t\r\n]+/g, '')
  return text
}
