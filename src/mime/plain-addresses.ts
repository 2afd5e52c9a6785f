import type { EnvelopeAddress } from '../interfaces/message-facts.js'
import { encodedWordAt } from './encoded-words.js'
import { isWhite } from './text.js'

/** `()<>@,;:\"[]` and white space: what ends an atom, or is not plain. */
const stops = Uint8Array.from({ length: 256 }, (_, code) =>
  code <= 0x20 || '()<>@,;:\\"[]'.includes(String.fromCharCode(code)) ? 1 : 0,
)

function isStop(code: number): boolean {
  return code < 256 && stops[code] === 1
}

/**
 * Addresses of the forms nearly all mail has: `local@host`, `words <local@host>`, `"words" <local@host>`. Null as soon as
 * anything else stands there; what is not null is exactly what `parseAddresses` would give.
 */
export function plainAddresses(text: string): EnvelopeAddress[] | null {
  const found: EnvelopeAddress[] = []
  const size = text.length
  let at = 0
  for (;;) {
    while (at < size && isWhite(text.charCodeAt(at))) at++
    if (at === size) return found
    const start = at
    const first = text.charCodeAt(at)
    if (first === 0x2c) {
      at++
      continue
    }
    let name: string | null = null
    let localStart = start
    if (first === 0x22) {
      const close = text.indexOf('"', start + 1)
      if (close === -1) return null
      name = text.slice(start + 1, close)
      if (name.includes('\\') || name.includes('\n') || name.includes('\r')) return null
      at = close + 1
      if (text.charCodeAt(at) === 0x20) at++
      if (text.charCodeAt(at) !== 0x3c) return null
      localStart = ++at
    } else {
      at = phraseEnd(text, start)
      if (at === -1) return null
      if (text.charCodeAt(at) === 0x3c) {
        const end = text.charCodeAt(at - 1) === 0x20 ? at - 1 : at
        name = text.slice(start, Math.max(start, end))
        localStart = ++at
      }
    }
    if (name !== null || text.charCodeAt(at) !== 0x40) at = atomEnd(text, localStart)
    if (at === localStart || text.charCodeAt(at) !== 0x40) return null
    const mailbox = text.slice(localStart, at)
    const hostStart = at + 1
    at = atomEnd(text, hostStart)
    if (at === hostStart) return null
    const host = text.slice(hostStart, at)
    if (name !== null) {
      if (text.charCodeAt(at) !== 0x3e) return null
      at++
    }
    while (at < size && isWhite(text.charCodeAt(at))) at++
    if (at < size && text.charCodeAt(at) !== 0x2c) return null
    found.push({ name: name === '' ? null : name, route: null, mailbox, host })
  }
}

/** The index of the `<` after words with one space between, or of the `@` after one word; -1 for anything else. */
function phraseEnd(text: string, start: number): number {
  let at = start
  let words = 1
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (
      code === 0x3d &&
      text.charCodeAt(at + 1) === 0x3f &&
      (at === start || text.charCodeAt(at - 1) === 0x20)
    ) {
      const size = encodedWordAt(text, at)
      if (size > 0) at += size - 1
      continue
    }
    if (!isStop(code)) continue
    if (code === 0x3c) return at
    if (code === 0x40) return words === 1 ? at : -1
    if (code !== 0x20 || text.charCodeAt(at + 1) === 0x20) return -1
    words++
  }
  return -1
}

/** The index after the atom, dots included; an atom that may be an encoded word has no length. */
function atomEnd(text: string, start: number): number {
  if (text.charCodeAt(start) === 0x3d) return start
  let at = start
  while (at < text.length && !isStop(text.charCodeAt(at))) at++
  return at
}
