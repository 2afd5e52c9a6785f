import type { Recipient } from '../../interfaces/index.js'
import { scanDomain } from './domain.js'
import type { ScannedMailbox } from './mailbox.js'
import { makeMailbox, scanLocalPart, scanMailbox } from './mailbox.js'

const LONGEST_PATH = 256
const LONGEST_LOCAL_PART = 64
const LONGEST_LABEL = 63
const ATOM = "[\\w!#$%&'*+\\-/=?^`{|}~]+"
/** What nearly every path is, as a pattern's source: a Dot-string, and a Domain in lower case. */
export const USUAL_PATH = `<${ATOM}(?:\\.${ATOM})*@[a-z0-9]+(?:(?:\\.|-+)[a-z0-9]+)*>`
const USUAL = new RegExp(USUAL_PATH, 'y')

/** A path and where it ends; `mailbox` is null, and `address` empty, for the null reverse-path `<>`. */
export interface ScannedPath {
  readonly mailbox: Recipient | null
  readonly address: string
  readonly end: number
}

/** A usual path, of which no more is taken out of its text than is asked for: MAIL wants the address alone. */
class UsualPath implements ScannedPath {
  readonly end: number
  readonly #text: string
  readonly #start: number
  readonly #sign: number

  constructor(text: string, start: number, sign: number, end: number) {
    this.end = end
    this.#text = text
    this.#start = start
    this.#sign = sign
  }

  get address(): string {
    return this.#text.slice(this.#start + 1, this.end - 1)
  }

  get mailbox(): Recipient {
    return {
      address: this.address,
      localPart: this.#text.slice(this.#start + 1, this.#sign),
      domain: this.#text.slice(this.#sign + 1, this.end - 1),
    }
  }
}

/**
 * Reads the path that begins at `at`, a source route stripped; a sentence says what is wrong with it. At most 256
 * octets with its punctuation (RFC 5321 section 4.5.3.1.3). `lenient` takes a mailbox without angle brackets, `utf8`
 * internationalized addresses (RFC 6531 section 3.3).
 *
 *     Reverse-path   = Path / "<>"
 *     Forward-path   = "<Postmaster@" Domain ">" / "<Postmaster>" / Path
 *     Path           = "<" [ A-d-l ":" ] Mailbox ">"
 */
export function scanPath(text: string, at: number, lenient = false, utf8 = false): ScannedPath | string {
  const usual = scanUsual(text, at)
  if (usual !== null) return usual
  if (text[at] !== '<') {
    if (!lenient) return 'The path must stand in angle brackets'
    return withAddress(scanMailbox(text, at, true, utf8), text, at, 0)
  }
  if (text[at + 1] === '>') return { mailbox: null, address: '', end: at + 2 }
  const from = text[at + 1] === '@' ? scanSourceRoute(text, at + 1, utf8) : at + 1
  if (typeof from === 'string') return from
  const found = scanPostmaster(text, from) ?? scanMailbox(text, from, lenient, utf8)
  if (typeof found !== 'string' && text[found.end] !== '>')
    return 'The path is not closed where its mailbox ends'
  return withAddress(found, text, at, 1)
}

function scanUsual(text: string, at: number): ScannedPath | null {
  USUAL.lastIndex = at
  return USUAL.test(text) ? readUsualPath(text, at, USUAL.lastIndex) : null
}

/** The path from `at` to `end`, which is as USUAL_PATH says; null where it is so long that it wants a closer look. */
export function readUsualPath(text: string, at: number, end: number): ScannedPath | null {
  const from = at + 1
  const sign = text.indexOf('@', from)
  if (sign - from > LONGEST_LOCAL_PART || end - sign - 2 > LONGEST_LABEL) return null
  return new UsualPath(text, at, sign, end)
}

/** The path of the mailbox, which `closing` more characters end. */
function withAddress(
  found: ScannedMailbox | string,
  text: string,
  at: number,
  closing: number,
): ScannedPath | string {
  if (typeof found === 'string') return found
  const { mailbox } = found
  const end = found.end + closing
  const octets = end - at > LONGEST_PATH / 4 ? Buffer.byteLength(text.slice(at, end)) : 0
  return octets > LONGEST_PATH ? 'The path is too long' : { mailbox, address: mailbox.address, end }
}

/** `Postmaster` without a domain, in any case, or null where a domain follows or another name stands. */
function scanPostmaster(text: string, at: number): ScannedMailbox | null {
  const local = scanLocalPart(text, at)
  if (typeof local === 'string' || text[local.end] !== '>') return null
  if (local.localPart.toLowerCase() !== 'postmaster') return null
  return { mailbox: makeMailbox(local.localPart, ''), end: local.end }
}

/**
 * Where the source route ends, its colon included. It is read and ignored (RFC 5321 appendix C).
 *
 *     A-d-l      = At-domain *( "," At-domain )
 *     At-domain  = "@" Domain
 */
function scanSourceRoute(text: string, at: number, utf8: boolean): number | string {
  for (let from = at; ; ) {
    if (text[from] !== '@') return 'The source route is malformed'
    const end = scanDomain(text, from + 1, false, utf8)
    if (typeof end === 'string') return end
    if (text[end] === ':') return end + 1
    if (text[end] !== ',') return 'The source route is malformed'
    from = end + 1
  }
}
