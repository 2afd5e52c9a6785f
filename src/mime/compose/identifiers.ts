import { isAscii } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import { formatDate, parseDate } from '../date.js'
import { checkText, foldField } from './fold.js'
import { encodedWords, phraseWords, textField } from './words.js'

/** `<...>` without white space or brackets inside: readers take more than the msg-id of RFC 5322 section 3.6.4. */
const messageId = /^<[^\s<>\x00-\x20\x7f-\x9f\u2028\u2029]{1,900}>$/

/** The msg-id with its angle brackets. UsageError `MESSAGE_ID` for what is none. */
export function checkMessageId(given: string, what: string, smtpUtf8: boolean): string {
  const text = checkText(given, what).trim()
  const id = text.startsWith('<') ? text : `<${text}>`
  if (!messageId.test(id) || (!smtpUtf8 && !isAscii(id))) {
    throw new UsageError('MESSAGE_ID', `${JSON.stringify(given)} in ${what} is not a message identifier`)
  }
  return id
}

/** In-Reply-To or References: identifiers from a list, or from text with white space or commas between them. */
export function messageIdField(
  name: string,
  given: string | readonly string[] | undefined,
  smtpUtf8: boolean,
): string {
  const texts = given === undefined ? [] : typeof given === 'string' ? [given] : given
  const ids = texts.flatMap((text) => {
    const checked = checkText(text, name)
    return checked.match(/<[^<>]*>/g) ?? checked.split(/[\s,]+/).filter((id) => id !== '')
  })
  if (ids.length === 0) return ''
  const words = ids.map((id, index) => (index === 0 ? '' : ' ') + checkMessageId(id, name, smtpUtf8))
  return foldField(name, words)
}

/** The date-time of a moment in UTC. UsageError `DATE` for what is none. */
export function writeDate(given: Date | number | string, what: string): string {
  if (typeof given === 'string') {
    const parsed = parseDate(given)
    if (parsed !== null) return formatDate(parsed.ms, parsed.offsetMinutes)
  }
  const ms = typeof given === 'number' ? given : new Date(given).getTime()
  const year = new Date(ms).getUTCFullYear()
  if (!(year >= 1900 && year <= 9999)) {
    throw new UsageError('DATE', `${JSON.stringify(given)} in ${what} is not a date from 1900 to 9999`)
  }
  return formatDate(ms)
}

/** A URL of a List field, with a comment. An address or a host name stands for a `mailto:` or an `https:` URL. */
export type ListEntry = string | { readonly url: string; readonly comment?: string | undefined }

/** By the part of the field's name after `List-`; several entries of one field in a list. */
export type ListOptions = Readonly<Record<string, ListEntry | readonly (ListEntry | readonly ListEntry[])[]>>

/**
 * The fields of RFC 2369, List-Id (RFC 2919) and List-Unsubscribe-Post (RFC 8058, its value as text). One field each,
 * since RFC 2369 section 3.5 allows no more.
 */
export function listFields(list: ListOptions, smtpUtf8: boolean): string {
  let out = ''
  for (const [key, given] of Object.entries(list)) {
    const dashed = key.replace(/([a-z])([A-Z])/g, '$1-$2')
    const name = `List-${dashed.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())}`
    const entries = [given].flat(2) as readonly ListEntry[]
    if (entries.length === 0) continue
    if (name === 'List-Unsubscribe-Post') {
      out += textField(name, entries.map((entry) => urlOf(entry)).join(', '), smtpUtf8)
      continue
    }
    const words = entries.flatMap((entry, index) => {
      const written = name.toLowerCase() === 'list-id' ? idWords(entry, smtpUtf8) : urlWords(entry, name)
      if (index < entries.length - 1) written[written.length - 1] += ','
      if (index > 0) written[0] = ` ${written[0]}`
      return written
    })
    out += foldField(name, words)
  }
  return out
}

function urlOf(entry: ListEntry): string {
  return checkText(typeof entry === 'string' ? entry : entry.url, 'a List field')
}

function urlWords(entry: ListEntry, name: string): string[] {
  const url = urlOf(entry).trim()
  // "NO" of List-Post says that posting is not allowed (RFC 2369 section 3.4)
  const bare = name === 'List-Post' && url.toUpperCase() === 'NO'
  const words = [bare ? 'NO' : `<${writeUrl(url)}>`]
  const comment = typeof entry === 'string' ? '' : checkText(entry.comment ?? '', 'a List comment')
  if (comment === '') return words
  const plain =
    /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(comment) && !comment.includes('=?') && comment.length <= 60
  const inside = plain ? [comment.replace(/[()\\]/g, '\\$&')] : encodedWords(comment)
  inside[0] = ` (${inside[0]}`
  inside[inside.length - 1] += ')'
  return [...words, ...inside]
}

function writeUrl(given: string): string {
  const url = /^[a-z][a-z0-9+.-]*:/i.test(given)
    ? given
    : given.includes('@')
      ? `mailto:${given}`
      : `https://${given}`
  const written = url.replace(/[^\x21\x23-\x3b\x3d\x3f-\x7e]/gu, (character) => encodeURIComponent(character))
  if (written.length > 900) throw new UsageError('HEADER_TOO_LONG', 'a URL of a List field is too long')
  return written
}

/** list-id-header = [phrase] "<" list-id ">" (RFC 2919 section 3). */
function idWords(entry: ListEntry, smtpUtf8: boolean): string[] {
  const id = urlOf(entry).trim().replace(/^<|>$/g, '')
  if (!/^[^\s<>@\x00-\x20\x7f]{1,255}$/.test(id) || !isAscii(id)) {
    throw new UsageError('HEADER_VALUE', `${JSON.stringify(id)} is not a List-Id`)
  }
  const comment = typeof entry === 'string' ? '' : checkText(entry.comment ?? '', 'a List comment')
  return comment === '' ? [`<${id}>`] : [...phraseWords(comment, smtpUtf8), ` <${id}>`]
}
