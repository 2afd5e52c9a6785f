import { MailError } from '../core/index.js'
import type { StoreLimits } from './limits.js'

/** The separator of levels in every store of this package. */
export const DELIMITER = '/'

/** Controls, the line and paragraph separators, a byte order mark, and halves of surrogate pairs. */
const forbidden = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff]/u

/**
 * The one form of a mailbox name: NFC, with INBOX in capitals where it is the first level. Throws MailError
 * `invalidName` for an empty name or level, a control character, a leading `#` (RFC 3501 section 5.1.2), or a name
 * that is too deep or too long.
 */
export function mailboxName(name: string, limits: StoreLimits): string {
  if (forbidden.test(name)) throw invalid('holds a character that no mailbox name may hold')
  const levels = name.normalize('NFC').split(DELIMITER)
  if (levels.some((level) => level === '')) throw invalid('has an empty level')
  if (levels.length > limits.nameDepth) throw invalid(`has more than ${limits.nameDepth} levels`)
  if (name.startsWith('#')) throw invalid('begins with #')
  if (levels[0]?.toUpperCase() === 'INBOX') levels[0] = 'INBOX'
  const normal = levels.join(DELIMITER)
  if (Buffer.byteLength(normal) > limits.nameOctets)
    throw invalid(`is longer than ${limits.nameOctets} octets`)
  return normal
}

function invalid(why: string): MailError {
  return new MailError('invalidName', `mailbox name ${why}`)
}

/** The name one level up, or null at the top. */
export function parentOf(name: string): string | null {
  const end = name.lastIndexOf(DELIMITER)
  return end === -1 ? null : name.slice(0, end)
}

/** Every name above, the nearest first. */
export function levelsAbove(name: string): readonly string[] {
  const levels: string[] = []
  for (let above = parentOf(name); above !== null; above = parentOf(above)) levels.push(above)
  return levels
}
