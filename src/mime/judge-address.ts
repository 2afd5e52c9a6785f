/**
 * What an address is good for.
 *
 * - `smtp`: a Mailbox of RFC 5321 section 4.1.2 (RFC 6531 with characters over 127), within its limits of size.
 * - `message`: an addr-spec of RFC 5322 sections 3.4.1 and 4.4, but nothing SMTP can carry as it stands: with comments,
 *   folds or obsolete syntax, too long, or with a domain that is no host name.
 * - `invalid`: neither.
 */
export type AddressJudgement = 'smtp' | 'message' | 'invalid'

const LOCAL_PART = 64
const DOMAIN = 255
const PATH = 254
const LABEL = 63

/** Judges `local-part@domain` by its grammar; no name is looked up. Linear time, no recursion. */
export function judgeAddress(address: string): AddressJudgement {
  if (/\p{Cs}/u.test(address)) return 'invalid'
  const reader = new AddressReader(address)
  const local = reader.localPart()
  if (local === null || !reader.take(0x40)) return 'invalid'
  const domain = reader.domain()
  if (domain === null || !reader.ended) return 'invalid'
  if (reader.obsolete || octets(local) > LOCAL_PART || octets(domain) > DOMAIN) return 'message'
  if (octets(address) > PATH) return 'message'
  return domain.startsWith('[') ? judgeLiteral(domain) : isHostName(domain) ? 'smtp' : 'message'
}

const octets = (text: string): number => Buffer.byteLength(text)

function isHostName(domain: string): boolean {
  return domain
    .split('.')
    .every(
      (label) =>
        octets(label) <= LABEL &&
        /^(?:[a-z0-9]|[^\x00-\x7f])(?:(?:[a-z0-9-]|[^\x00-\x7f])*(?:[a-z0-9]|[^\x00-\x7f]))?$/i.test(label),
    )
}

/** address-literal of RFC 5321 section 4.1.3. */
function judgeLiteral(literal: string): AddressJudgement {
  const inside = literal.slice(1, -1)
  if (/^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(inside)) return 'smtp'
  const six = /^IPv6:([0-9a-f:.]{2,45})$/i.exec(inside)?.[1]
  return six !== undefined && URL.canParse(`http://[${six}]/`) ? 'smtp' : 'message'
}

class AddressReader {
  readonly #text: string
  #at: number
  /** Something was read that RFC 5321 has no room for. */
  obsolete: boolean

  constructor(text: string) {
    this.#text = text
    this.#at = 0
    this.obsolete = false
  }

  get ended(): boolean {
    return this.#at === this.#text.length
  }

  take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false
    this.#at++
    return true
  }

  /** local-part = dot-atom / quoted-string / word *("." word) */
  localPart(): string | null {
    const words: string[] = []
    let quoted = 0
    do {
      if (!this.#skip()) return null
      const word = this.#text.charCodeAt(this.#at) === 0x22 ? this.#quoted() : this.#atom()
      if (word === null || !this.#skip()) return null
      if (word.startsWith('"')) quoted++
      words.push(word)
    } while (this.take(0x2e))
    if (quoted > 0 && words.length > 1) this.obsolete = true
    return words.join('.')
  }

  /** domain = dot-atom / domain-literal / atom *("." atom) */
  domain(): string | null {
    if (!this.#skip()) return null
    if (this.#text.charCodeAt(this.#at) === 0x5b) {
      const literal = this.#literal()
      return literal === null || !this.#skip() ? null : literal
    }
    const labels: string[] = []
    do {
      if (!this.#skip()) return null
      const label = this.#atom()
      if (label === null || !this.#skip()) return null
      labels.push(label)
    } while (this.take(0x2e))
    return labels.join('.')
  }

  #atom(): string | null {
    const start = this.#at
    while (this.#at < this.#text.length && isAtext(this.#text.charCodeAt(this.#at))) this.#at++
    return this.#at === start ? null : this.#text.slice(start, this.#at)
  }

  #quoted(): string | null {
    const start = this.#at++
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at)
      if (code === 0x22) return this.#text.slice(start, ++this.#at)
      if (code === 0x5c) {
        if (!this.#pair()) return null
      } else if (isWhite(code) || code === 0x0d || code === 0x0a) {
        if (!this.#folds()) return null
      } else {
        if (code === 0) return null
        if (code < 0x20 || code === 0x7f) this.obsolete = true
        this.#at++
      }
    }
    return null
  }

  #literal(): string | null {
    const start = this.#at++
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at)
      if (code === 0x5d) return this.#text.slice(start, ++this.#at)
      if (code === 0x5b) return null
      if (code === 0x5c) {
        this.obsolete = true
        if (!this.#pair()) return null
      } else if (isWhite(code) || code === 0x0d || code === 0x0a) {
        this.obsolete = true
        if (!this.#folds()) return null
      } else {
        if (code === 0) return null
        if (code < 0x20 || code >= 0x7f) this.obsolete = true
        this.#at++
      }
    }
    return null
  }

  /** quoted-pair = "\" (VCHAR / WSP), or in obsolete syntax any ASCII. */
  #pair(): boolean {
    const code = this.#text.charCodeAt(this.#at + 1)
    if (Number.isNaN(code)) return false
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) this.obsolete = true
    this.#at += 2
    return true
  }

  /** [CFWS]; false where a comment or a fold is broken. */
  #skip(): boolean {
    let depth = 0
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at)
      if (code === 0x28) {
        depth++
        this.#at++
      } else if (isWhite(code) || code === 0x0d || code === 0x0a) {
        if (!this.#folds()) return false
      } else if (depth === 0) return true
      else if (code === 0x29) {
        depth--
        this.#at++
      } else if (code === 0x5c) {
        if (!this.#pair()) return false
      } else {
        if (code === 0) return false
        this.#at++
      }
      this.obsolete = true
    }
    return depth === 0
  }

  /** FWS = [*WSP CRLF] 1*WSP, or in obsolete syntax 1*WSP *(CRLF 1*WSP). */
  #folds(): boolean {
    const text = this.#text
    while (this.#at < text.length) {
      const code = text.charCodeAt(this.#at)
      if (isWhite(code)) this.#at++
      else if (code === 0x0d) {
        if (text.charCodeAt(this.#at + 1) !== 0x0a || !isWhite(text.charCodeAt(this.#at + 2))) return false
        this.obsolete = true
        this.#at += 3
      } else return code !== 0x0a
    }
    return true
  }
}

function isWhite(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** atext of RFC 5322 section 3.2.3 and RFC 6532 section 3.2. */
function isAtext(code: number): boolean {
  if (code > 0x7f) return true
  const letter = code | 0x20
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    "!#$%&'*+-/=?^_`{|}~".includes(String.fromCharCode(code))
  )
}
