import { asBuffer, canonicalAddress, toUtf8 } from '../core/index.js'

const LF = 0x0a
const FIELD = /^delivered-to[ \t]*:[ \t]*<?([^>]*?)>?[ \t\r]*$/i

/** Octets of a line that are kept: the longest field that is looked for. */
const KEPT = 600
/** Fields remembered; a message that has been to more places loops by its Received fields. */
const MOST_FIELDS = 100

/** Notes the Delivered-To fields of a message's header while it passes: where it has been delivered before. */
export class DeliveredToScanner {
  readonly #addresses: Set<string>
  #line: Buffer[]
  #length: number
  #ended: boolean

  constructor() {
    this.#addresses = new Set()
    this.#line = []
    this.#length = 0
    this.#ended = false
  }

  /** The message has been delivered to that canonical address before. */
  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  write(chunk: Uint8Array): void {
    if (this.#ended) return
    const octets = asBuffer(chunk)
    let at = 0
    while (!this.#ended && at < octets.length) {
      const lf = octets.indexOf(LF, at)
      const stop = lf === -1 ? octets.length : lf
      const room = KEPT - this.#length
      if (room > 0 && stop > at) this.#line.push(octets.subarray(at, Math.min(stop, at + room)))
      this.#length += stop - at
      if (lf === -1) return
      this.#endLine()
      at = lf + 1
    }
  }

  #endLine(): void {
    const pieces = this.#line
    const length = this.#length
    this.#line = []
    this.#length = 0
    const first = pieces[0]?.[0]
    if (length === 0 || (length === 1 && first === 0x0d)) this.#ended = true
    if (length > KEPT || (first !== 0x44 && first !== 0x64)) return
    const found = FIELD.exec(toUtf8(Buffer.concat(pieces)))
    const address = found === null ? null : canonicalAddress(found[1] as string)
    if (address !== null && this.#addresses.size < MOST_FIELDS) this.#addresses.add(address)
  }
}
