const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20

/** Space, tab, CR or LF: what header text may be folded with (RFC 5322 section 3.2.2). */
export function isWhite(code: number): boolean {
  return code === SPACE || code === TAB || code === CR || code === LF
}

/**
 * The text without white space at its ends. `String.trim` would take octet A0 as well, which is part of a UTF-8
 * character in text that holds one octet a character.
 */
export function trimWhite(text: string): string {
  const start = whiteEnd(text, 0, text.length)
  const end = whiteStart(text, start, text.length)
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

/** A field value on one line (RFC 5322 section 2.2.3), without white space at its ends. */
export function unfold(text: string): string {
  return unfoldPart(text, 0, text.length)
}

/** `unfold` of the characters from `from` to `to`. */
export function unfoldPart(text: string, from: number, to: number): string {
  const start = whiteEnd(text, from, to)
  const flat = joinLines(text, start, whiteStart(text, start, to))
  return flat.includes('\r') ? flat.replaceAll('\r', '') : flat
}

/** The index of the first character from `from` on that is no white space, or `to`. */
export function whiteEnd(text: string, from: number, to: number): number {
  let at = from
  while (at < to && isWhite(text.charCodeAt(at))) at++
  return at
}

/** The index after the last character before `to` that is no white space, or `from`. */
export function whiteStart(text: string, from: number, to: number): number {
  let at = to
  while (at > from && isWhite(text.charCodeAt(at - 1))) at--
  return at
}

/** The characters from `from` to `to` without line ends. */
export function joinLines(text: string, from: number, to: number): string {
  let flat = ''
  let at = from
  for (let lf = text.indexOf('\n', at); lf !== -1 && lf < to; lf = text.indexOf('\n', at)) {
    flat += text.slice(at, lf > at && text.charCodeAt(lf - 1) === CR ? lf - 1 : lf)
    at = lf + 1
  }
  return at === from ? text.slice(from, to) : flat + text.slice(at, to)
}

/**
 * Passes over a comment (RFC 5322 section 3.2.2) that begins at `start`, nested ones included: the index after it.
 * One that is never closed ends with the text.
 */
export function skipComment(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5c) i++
    else if (code === 0x28) depth++
    else if (code === 0x29 && --depth === 0) return i + 1
  }
  return text.length
}

/** The text with every comment outside quoted strings made one space. */
export function withoutComments(text: string): string {
  if (!text.includes('(')) return text
  const kept: string[] = []
  let from = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5c) i++
    else if (code === 0x22) quoted = !quoted
    else if (code === 0x28 && !quoted) {
      kept.push(text.slice(from, i), ' ')
      from = skipComment(text, i)
      i = from - 1
    }
  }
  kept.push(text.slice(from))
  return kept.join('')
}

/** A quoted string's content with its quoted pairs undone (RFC 5322 section 3.2.4) and its folds removed. */
export function unquote(content: string): string {
  const flat = content.includes('\n') || content.includes('\r') ? content.replace(/[\r\n]+/g, '') : content
  return flat.includes('\\') ? flat.replace(/\\(.?)/gs, '$1') : flat
}
