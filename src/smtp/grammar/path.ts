import type { Recipient } from '../../interfaces/index.js'
import { scanDomain } from './domain.js'
import { makeMailbox, scanLocalPart, scanMailbox } from './mailbox.js'

const LONGEST_PATH = 256

/** A path and where it ends; `mailbox` is null for the null reverse-path `<>`. */
export interface ScannedPath {
  readonly mailbox: Recipient | null
  readonly end: number
}

/**
 * Reads the path that begins at `at`, a source route stripped; a sentence says what is wrong with it. At most 256
 * octets with its punctuation (RFC 5321 section 4.5.3.1.3). `lenient` takes a mailbox without angle brackets.
 *
 *     Reverse-path   = Path / "<>"
 *     Forward-path   = "<Postmaster@" Domain ">" / "<Postmaster>" / Path
 *     Path           = "<" [ A-d-l ":" ] Mailbox ">"
 */
export function scanPath(text: string, at: number, lenient = false): ScannedPath | string {
  if (text[at] !== '<') {
    if (!lenient) return 'The path must stand in angle brackets'
    return checkLength(scanMailbox(text, at, true), at)
  }
  if (text[at + 1] === '>') return { mailbox: null, end: at + 2 }
  const from = text[at + 1] === '@' ? scanSourceRoute(text, at + 1) : at + 1
  if (typeof from === 'string') return from
  const found = scanPostmaster(text, from) ?? scanMailbox(text, from, lenient)
  if (typeof found === 'string') return found
  if (text[found.end] !== '>') return 'The path is not closed where its mailbox ends'
  return checkLength({ mailbox: found.mailbox, end: found.end + 1 }, at)
}

function checkLength(found: ScannedPath | string, at: number): ScannedPath | string {
  if (typeof found === 'string') return found
  return found.end - at > LONGEST_PATH ? 'The path is too long' : found
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
function scanSourceRoute(text: string, at: number): number | string {
  for (let from = at; ; ) {
    if (text[from] !== '@') return 'The source route is malformed'
    const end = scanDomain(text, from + 1)
    if (typeof end === 'string') return end
    if (text[end] === ':') return end + 1
    if (text[end] !== ',') return 'The source route is malformed'
    from = end + 1
  }
}
