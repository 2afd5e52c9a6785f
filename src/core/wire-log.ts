import { asBuffer, toLatin1 } from './bytes.js'

/** One line or one run of body octets that crossed the wire. */
export interface WireEntry {
  readonly from: 'client' | 'server'
  /** `line`: protocol text; `secret`: protocol text with its secret part left out; `octets`: a body or literal. */
  readonly kind: 'line' | 'secret' | 'octets'
  /** Without the line end, control characters escaped; for `octets` empty unless bodies were asked for. */
  readonly text: string
  readonly octets: number
}

/**
 * A record of a session that can be shown to anyone: no password and no authentication payload is ever in it, and
 * no message body unless `bodies` says so.
 */
export class WireLog {
  readonly #sink: (entry: WireEntry) => void
  readonly #bodies: boolean

  constructor(sink: (entry: WireEntry) => void, options: { readonly bodies?: boolean } = {}) {
    this.#sink = sink
    this.#bodies = options.bodies ?? false
  }

  line(from: WireEntry['from'], text: string): void {
    this.#sink({ from, kind: 'line', text: escapeControls(text), octets: text.length })
  }

  /** `shown` is what may be seen of the line, for example `AUTH PLAIN ***`. */
  secret(from: WireEntry['from'], shown: string): void {
    this.#sink({ from, kind: 'secret', text: escapeControls(shown), octets: 0 })
  }

  octets(from: WireEntry['from'], bytes: Uint8Array): void {
    const text = this.#bodies ? escapeControls(toLatin1(asBuffer(bytes))) : ''
    this.#sink({ from, kind: 'octets', text, octets: bytes.length })
  }
}

/** The text without its line end, every other control character as `\xNN`, so that no terminal acts on it. */
export function escapeControls(text: string): string {
  return text
    .replace(/\r?\n$/, '')
    .replace(/[\x00-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
