import type { Command } from '../command.js'
import type { Cursor } from './cursor.js'
import { malformed } from './cursor.js'

/** `login = "LOGIN" SP userid SP password`, both astring; UTF-8 is taken. */
export function parseLogin(cursor: Cursor): Command {
  cursor.expectSpace()
  const user = cursor.expectUtf8()
  cursor.expectSpace()
  const password = cursor.expectUtf8()
  return { name: 'LOGIN', user, password }
}

/** RFC 2971 section 3.3: pairs in one ID, octets of a field and of a value. */
const MAX_PAIRS = 30
const MAX_FIELD = 30
const MAX_VALUE = 1024

/**
 * RFC 2971 section 4.
 *
 *     id             = "ID" SP id-params-list
 *     id-params-list = "(" *(string SP nstring) ")" / nil
 */
export function parseId(cursor: Cursor): Command {
  cursor.expectSpace()
  if (!cursor.take('(')) {
    if (cursor.word() !== 'NIL') throw malformed('Expected a list or NIL')
    return { name: 'ID', parameters: null }
  }
  const parameters: [string, string | null][] = []
  if (cursor.take(')')) return { name: 'ID', parameters }
  do {
    const field = cursor.expectString()
    cursor.expectSpace()
    const value = cursor.expectNString()
    if (field.length > MAX_FIELD || (value?.length ?? 0) > MAX_VALUE)
      throw malformed('An ID field is too long')
    if (parameters.push([field, value]) > MAX_PAIRS) throw malformed('Too many ID fields')
  } while (cursor.take(' '))
  cursor.expect(')')
  return { name: 'ID', parameters }
}

/** `enable = "ENABLE" 1*(SP capability)` (RFC 5161 section 4); in capitals. */
export function parseEnable(cursor: Cursor): Command {
  const capabilities: string[] = []
  cursor.expectSpace()
  do capabilities.push(cursor.expectAtom().toUpperCase())
  while (cursor.take(' '))
  return { name: 'ENABLE', capabilities }
}

/** What AUTHENTICATE begins with. */
export interface AuthenticateStart {
  readonly mechanism: string
  /** The initial response as it stands (RFC 4959), or null. */
  readonly initialResponse: string | null
}

/** `authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] *(CRLF base64)` (RFC 4959 section 7) */
export function parseAuthenticate(cursor: Cursor): AuthenticateStart {
  cursor.expectSpace()
  const mechanism = cursor.expectAtom().toUpperCase()
  if (!cursor.take(' ')) return { mechanism, initialResponse: null }
  const initialResponse = cursor.text.slice(cursor.at)
  cursor.at = cursor.text.length
  return { mechanism, initialResponse }
}
