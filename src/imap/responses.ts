import type { Flags } from '../interfaces/index.js'
import type { Status, StatusItem } from './command.js'
import { flagList, mailboxName, nstring, respText, string } from './encode.js'
import { formatNumbers } from './sequence-set.js'

export {
  astring,
  dateTime,
  flagList,
  literalPrefix,
  mailboxName,
  nstring,
  respText,
  string,
} from './encode.js'
export { bodyStructure, envelope } from './structure.js'

/*
 * Whole responses, with their CRLF, one octet a character. Whatever comes from outside is quoted, a literal or
 * encoded; `code` is a response code without brackets, made by the functions below.
 */

/** `* OK [code] text`; also NO, BAD, BYE, PREAUTH (RFC 3501 section 7.1). */
export function untagged(status: Status | 'BYE' | 'PREAUTH', code: string | null, text: string): string {
  return `* ${status} ${coded(code)}${respText(text)}\r\n`
}

/** The reply that ends a command. */
export function tagged(tag: string, status: Status, code: string | null, text: string): string {
  return `${tag} ${status} ${coded(code)}${respText(text)}\r\n`
}

function coded(code: string | null): string {
  return code === null ? '' : `[${code}] `
}

/** The request for a literal, or for the next line of an exchange (RFC 3501 section 7.5). */
export function continuation(text: string): string {
  return `+ ${text}\r\n`
}

/** RFC 3501 section 7.2.1. `capabilities` are atoms. */
export function capabilityResponse(capabilities: readonly string[]): string {
  return `* CAPABILITY ${capabilities.join(' ')}\r\n`
}

export function existsResponse(count: number): string {
  return `* ${count} EXISTS\r\n`
}

export function recentResponse(count: number): string {
  return `* ${count} RECENT\r\n`
}

export function expungeResponse(seq: number): string {
  return `* ${seq} EXPUNGE\r\n`
}

/** RFC 3501 section 7.2.6. */
export function flagsResponse(flags: Flags): string {
  return `* FLAGS ${flagList(flags)}\r\n`
}

/** RFC 3501 section 7.2.2. `attributes` are this library's own, for example `\HasChildren`. */
export function listResponse(
  kind: 'LIST' | 'LSUB',
  attributes: readonly string[],
  delimiter: string,
  name: string,
): string {
  return `* ${kind} (${attributes.join(' ')}) ${string(delimiter)} ${mailboxName(name)}\r\n`
}

/** RFC 3501 section 7.2.4. */
export function statusResponse(name: string, items: readonly (readonly [StatusItem, number])[]): string {
  return `* STATUS ${mailboxName(name)} (${items.map(([item, value]) => `${item} ${value}`).join(' ')})\r\n`
}

/** RFC 2342 section 5: one personal namespace with the empty prefix. */
export function namespaceResponse(delimiter: string): string {
  return `* NAMESPACE (("" ${string(delimiter)})) NIL NIL\r\n`
}

/** RFC 2971 section 3.2. */
export function idResponse(parameters: readonly (readonly [string, string | null])[]): string {
  if (parameters.length === 0) return '* ID NIL\r\n'
  const pairs = parameters.map(([name, value]) => `${string(name)} ${nstring(value)}`)
  return `* ID (${pairs.join(' ')})\r\n`
}

/** RFC 5161 section 3.2. */
export function enabledResponse(capabilities: readonly string[]): string {
  return capabilities.length === 0 ? '* ENABLED\r\n' : `* ENABLED ${capabilities.join(' ')}\r\n`
}

/** A FETCH response; `items` are spelt out already, for example `UID 7` and `FLAGS (\Seen)`. */
export function fetchResponse(seq: number, items: readonly string[]): string {
  return `* ${seq} FETCH (${items.join(' ')})\r\n`
}

/** The response code of RFC 3501 section 7.1: what may be changed for good, `\*` where new keywords may be made. */
export function permanentFlagsCode(flags: Flags, newKeywords: boolean): string {
  const list = flagList(flags)
  if (!newKeywords) return `PERMANENTFLAGS ${list}`
  return `PERMANENTFLAGS ${list === '()' ? '(\\*)' : `${list.slice(0, -1)} \\*)`}`
}

/** The response code of RFC 4315 section 3; UIDs ascending. */
export function appendUidCode(uidValidity: number, uids: readonly number[]): string {
  return `APPENDUID ${uidValidity} ${formatNumbers(uids)}`
}

/** The response code of RFC 4315 section 3: `from[i]` became `to[i]`, both ascending, at least one. */
export function copyUidCode(uidValidity: number, from: readonly number[], to: readonly number[]): string {
  return `COPYUID ${uidValidity} ${formatNumbers(from)} ${formatNumbers(to)}`
}
