import type { WireEntry, WireLog } from './wire-log.js'

const COALESCE = 8192

/**
 * Octets on their way out. Short texts are joined; bodies pass as views of the caller's memory, never copied.
 * A text is latin1 (one octet a character) unless `utf8` is called.
 */
export class OutputQueue {
  #chunks: Uint8Array[]
  #text: string
  #size: number
  #logged: string
  readonly #wireLog: WireLog | null
  readonly #from: WireEntry['from']

  constructor(from: WireEntry['from'], wireLog: WireLog | null = null) {
    this.#chunks = []
    this.#text = ''
    this.#size = 0
    this.#logged = ''
    this.#wireLog = wireLog
    this.#from = from
  }

  /** Octets waiting. */
  get size(): number {
    return this.#size
  }

  /** Appends a string that holds one octet a character. */
  text(text: string): void {
    this.#text += text
    this.#size += text.length
    if (this.#wireLog !== null) this.#log(text, this.#wireLog)
    if (this.#text.length >= COALESCE) this.#flushText()
  }

  /** Appends a whole line, of which a log may have no more than `shown`. */
  secretLine(line: string, shown: string): void {
    this.#text += line
    this.#size += line.length
    this.#wireLog?.secret(this.#from, shown)
  }

  /** Appends a string encoded as UTF-8. */
  utf8(text: string): void {
    this.text(Buffer.from(text, 'utf8').toString('latin1'))
  }

  /** Appends octets without copying them; the caller must not change them afterwards. */
  bytes(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#flushText()
    this.#chunks.push(chunk)
    this.#size += chunk.length
    this.#wireLog?.octets(this.#from, chunk)
  }

  /** Everything waiting, in order. Leaves the queue empty. */
  take(): readonly Uint8Array[] {
    if (this.#chunks.length === 0 && this.#text !== '') {
      const text = this.#text
      this.#text = ''
      this.#size = 0
      return [Buffer.from(text, 'latin1')]
    }
    this.#flushText()
    const chunks = this.#chunks
    this.#chunks = []
    this.#size = 0
    return chunks
  }

  clear(): void {
    this.#chunks = []
    this.#text = ''
    this.#size = 0
  }

  /** Texts come in pieces; the log gets them a line at a time. */
  #log(text: string, wireLog: WireLog): void {
    this.#logged += text
    for (let end = this.#logged.indexOf('\n'); end !== -1; end = this.#logged.indexOf('\n')) {
      wireLog.line(this.#from, this.#logged.slice(0, end + 1))
      this.#logged = this.#logged.slice(end + 1)
    }
  }

  #flushText(): void {
    if (this.#text === '') return
    this.#chunks.push(Buffer.from(this.#text, 'latin1'))
    this.#text = ''
  }
}
