import { decodeUtf8, fromLatin1, isAscii } from '../../../core/bytes.js'
import type { Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import type { ScannedPath } from '../../grammar/index.js'
import { scanPath } from '../../grammar/index.js'
import type { Conversation } from '../conversation.js'
import { badArgument } from '../replies.js'

/** What MAIL and RCPT have in common. */
export interface PathArgument {
  readonly path: ScannedPath
  readonly text: string
  /** Where parameters begin in `text`, with a space; its length where there are none. */
  readonly end: number
}

/**
 * Reads `FROM:` or `TO:` and a path, or says what is wrong: `needsSmtpUtf8` for an octet above 127 where
 * SMTPUTF8 is not offered, 501 with `enhanced` for a bad path, 555 for a parameter without EHLO.
 */
export function scanPathArgument(
  conversation: Conversation,
  argument: string,
  prefix: 'FROM:' | 'TO:',
  needsSmtpUtf8: Reply,
  enhanced: string,
): PathArgument | Reply {
  const { lenient, features } = conversation.options
  const utf8 = !conversation.plain && !isAscii(argument)
  if (utf8 && !(features.smtpUtf8 && conversation.extended)) return needsSmtpUtf8
  const decoded = utf8 ? decodeUtf8(fromLatin1(argument)) : argument
  if (decoded === null) return reply(501, enhanced, 'The address is no valid UTF-8')
  const text = lenient ? decoded.trimStart() : decoded
  if (!text.startsWith(prefix) && text.slice(0, prefix.length).toUpperCase() !== prefix) {
    return badArgument(`Syntax: ${prefix}<address>`)
  }
  let at = prefix.length
  if (lenient) while (text[at] === ' ') at++
  const path = scanPath(text, at, lenient, utf8)
  if (typeof path === 'string') return reply(501, enhanced, path)
  if (path.end < text.length && text[path.end] !== ' ') {
    return reply(501, enhanced, 'Nothing may follow the path but parameters')
  }
  if (path.end < text.length && !conversation.extended) {
    return reply(555, '5.5.4', 'Parameters are for sessions that began with EHLO')
  }
  return { path, text, end: path.end }
}
