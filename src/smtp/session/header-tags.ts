import { toLatin1 } from '../../core/bytes.js'
import type { EnvelopeStart, MessageTags, Recipient } from '../../interfaces/index.js'
import { parseDate } from '../../mime/date.js'
import { scanMailbox } from '../grammar/index.js'

/** Characters of a field that are looked at; one that has more is passed over. */
const LONGEST = 2_000
/** Fields of Require-Recipient-Valid-Since that are looked at. */
const MOST = 1_000
const FIELD = /^([\x21-\x39\x3b-\x7e]+)[ \t]*:([\s\S]*)$/
const CLASSES = /^[A-Za-z0-9][\w.:-]*(?:[ \t]*,[ \t]*[A-Za-z0-9][\w.:-]*)*$/

/**
 * Reads from a message's header, while it passes, what asks its carrier for something: TLS-Required (RFC 8689 section 3),
 * Solicitation (RFC 3865 section 2.5), Require-Recipient-Valid-Since (RFC 7293). Keeps no more than one field.
 */
export class HeaderTags {
  #line: string
  /** The field that a folded line goes on with. */
  #field: string
  #ended: boolean
  #tlsOptional: boolean
  readonly #solicitation: string[]
  readonly #validSince: { readonly key: string; readonly address: string; readonly since: number }[]

  constructor() {
    this.#line = ''
    this.#field = ''
    this.#ended = false
    this.#tlsOptional = false
    this.#solicitation = []
    this.#validSince = []
  }

  write(chunk: Uint8Array): void {
    if (this.#ended) return
    const text = toLatin1(chunk)
    let at = 0
    while (!this.#ended && at < text.length) {
      const lf = text.indexOf('\n', at)
      const end = lf === -1 ? text.length : lf
      this.#line += text.slice(at, Math.min(end, at + LONGEST + 1 - this.#line.length))
      if (lf !== -1) this.#endLine()
      at = end + 1
    }
  }

  /** What the message asks for, once it is complete. What its envelope says counts before what its header says. */
  tags(envelope: EnvelopeStart, recipients: readonly Recipient[]): MessageTags {
    this.#endLine()
    this.#endField()
    const open = new Set(recipients.filter(({ validSince }) => validSince === undefined).map(keyOf))
    return {
      tlsOptional: this.#tlsOptional && envelope.requireTls !== true,
      solicitation: envelope.solicitation ?? [...new Set(this.#solicitation)],
      validSince: this.#validSince
        .filter(({ key }) => open.has(key))
        .map(({ address, since }) => ({ address, since })),
    }
  }

  #endLine(): void {
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line
    this.#line = ''
    if (/^[ \t]/.test(line) && this.#field !== '') {
      if (this.#field.length <= LONGEST) this.#field += line
      return
    }
    this.#endField()
    this.#field = line
    this.#ended = !FIELD.test(line)
  }

  #endField(): void {
    const [, name = '', written = ''] = this.#field.length > LONGEST ? [] : (FIELD.exec(this.#field) ?? [])
    this.#field = ''
    const value = written.trim()
    switch (name.toLowerCase()) {
      case 'tls-required':
        if (value.toLowerCase() === 'no') this.#tlsOptional = true
        return
      case 'solicitation':
        if (CLASSES.test(value)) this.#solicitation.push(...value.split(/[ \t]*,[ \t]*/))
        return
      case 'require-recipient-valid-since':
        if (this.#validSince.length < MOST) this.#readValidSince(value)
    }
  }

  /** `rrvs = "Require-Recipient-Valid-Since:" addr-spec ";" date-time CRLF`; what cannot be read asks for nothing. */
  #readValidSince(value: string): void {
    const semicolon = value.lastIndexOf(';')
    const address = value.slice(0, Math.max(0, semicolon)).trim()
    const date = parseDate(value.slice(semicolon + 1).trim())
    const found = scanMailbox(address, 0, true)
    if (date === null || typeof found === 'string' || found.end !== address.length) return
    this.#validSince.push({ key: keyOf(found.mailbox), address, since: date.ms })
  }
}

function keyOf({ localPart, domain }: Pick<Recipient, 'localPart' | 'domain'>): string {
  return `${localPart}@${domain}`
}
