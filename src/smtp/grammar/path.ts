import type { Recipient } from '../../interfaces/index.js'
import { scanDomain } from './domain.js'
import { makeMailbox, scanLocalPart, scanMailbox } from './mailbox.js'

const LONGEST_PATH = 256
const LONGEST_LOCAL_PART = 64
const LONGEST_LABEL = 63
/** What nearly every path is: a Dot-string, and a Domain in lower case. */
const USUAL = /<[\w!#$%&'*+\-/=?^`{|}~]+(?:\.[\w!#$%&'*+\-/=?^`{|}~]+)*@[a-z0-9]+(?:(?:\.|-+)[a-z0-9]+)*>/y

/** A path and where it ends; `mailbox` is null for the null reverse-path `<>`. */
export interface ScannedPath {
  readonly mailbox: Recipient | null
  readonly end: number
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
    return checkLength(scanMailbox(text, at, true, utf8), text, at)
  }
  if (text[at + 1] === '>') return { mailbox: null, end: at + 2 }
  const from = text[at + 1] === '@' ? scanSourceRoute(text, at + 1, utf8) : at + 1
  if (typeof from === 'string') return from
  const found = scanPostmaster(text, from) ?? scanMailbox(text, from, lenient, utf8)
  if (typeof found === 'string') return found
  if (text[found.end] !== '>') return 'The path is not closed where its mailbox ends'
  return checkLength({ mailbox: found.mailbox, end: found.end + 1 }, text, at)
}

/** The path where it is a usual one and short enough to be sure; null where it wants a closer look. */
function scanUsual(text: string, at: number): ScannedPath | null {
  USUAL.lastIndex = at
  if (!USUAL.test(text)) return null
  const end = USUAL.lastIndex
  const from = at + 1
  const sign = text.indexOf('@', from)
  if (sign - from > LONGEST_LOCAL_PART || end - sign - 2 > LONGEST_LABEL) return null
  const mailbox = {
    address: text.slice(from, end - 1),
    localPart: text.slice(from, sign),
    domain: text.slice(sign + 1, end - 1),
  }
  return { mailbox, end }
}

function checkLength(found: ScannedPath | string, text: string, at: number): ScannedPath | string {
  if (typeof found === 'string') return found
  const octets = found.end - at > LONGEST_PATH / 4 ? Buffer.byteLength(text.slice(at, found.end)) : 0
  return octets > LONGEST_PATH ? 'The path is too long' : found
}

/** `Postmaster` without a domain, in any case, or null where a domain follows or another name stands. */
function scanPostmaster(text: string, at: number): ScannedPath | null {
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
