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
 * anything else stands there; what is not null is exactly what `parseAddresses` would give. At `to` the text or a run of
 * white space ends.
 */
export function plainAddresses(text: string, from: number, to: number): EnvelopeAddress[] | null {
  const found: EnvelopeAddress[] = []
  let at = from
  for (;;) {
    while (at < to && isWhite(text.charCodeAt(at))) at++
    if (at === to) return found
    const start = at
    const first = text.charCodeAt(at)
    if (first === 0x2c) {
      at++
      continue
    }
    let name: string | null = null
    let localStart = start
    if (first === 0x22) {
      const close = quoteEnd(text, start + 1, to)
      if (close === -1) return null
      name = text.slice(start + 1, close)
      at = close + 1
      if (text.charCodeAt(at) === 0x20) at++
      if (text.charCodeAt(at) !== 0x3c) return null
      localStart = ++at
    } else {
      at = phraseEnd(text, start, to)
      if (at === -1) return null
      if (text.charCodeAt(at) === 0x3c) {
        const end = text.charCodeAt(at - 1) === 0x20 ? at - 1 : at
        name = text.slice(start, Math.max(start, end))
        localStart = ++at
      }
    }
    if (name !== null || text.charCodeAt(at) !== 0x40) at = atomEnd(text, localStart, to)
    if (at === localStart || text.charCodeAt(at) !== 0x40) return null
    const mailbox = text.slice(localStart, at)
    const hostStart = at + 1
    at = atomEnd(text, hostStart, to)
    if (at === hostStart) return null
    const host = text.slice(hostStart, at)
    if (name !== null) {
      if (text.charCodeAt(at) !== 0x3e) return null
      at++
    }
    while (at < to && isWhite(text.charCodeAt(at))) at++
    if (at < to && text.charCodeAt(at) !== 0x2c) return null
    found.push({ name: name === '' ? null : name, route: null, mailbox, host })
  }
}

/** The index of the quote that ends plain characters, or -1. */
function quoteEnd(text: string, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at
    if (code === 0x5c || code === 0x0a || code === 0x0d) return -1
  }
  return -1
}

/** The index of the `<` after words with one space between, or of the `@` after one word; -1 for anything else. */
function phraseEnd(text: string, start: number, to: number): number {
  let at = start
  let words = 1
  for (; at < to; at++) {
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
function atomEnd(text: string, start: number, to: number): number {
  if (text.charCodeAt(start) === 0x3d) return start
  let at = start
  while (at < to && !isStop(text.charCodeAt(at))) at++
  return at
}
