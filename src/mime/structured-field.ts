import type { Parameter } from '../interfaces/message-facts.js'
import { isWhite, skipComment, trimWhite, unquote, withoutComments } from './text.js'

/** The value of Content-Type (RFC 2045 section 5.1). */
export interface ContentType {
  /** Lower case. */
  readonly type: string
  /** Lower case. */
  readonly subtype: string
  /** In order, as they stand: RFC 2231 sections are not joined (see `decodeParameters`). Names in lower case. */
  readonly parameters: readonly Parameter[]
  /** The field held more parameters than were looked at. */
  readonly truncated: boolean
}

/** The value of Content-Disposition (RFC 2183 section 2). */
export interface ContentDisposition {
  /** Lower case. */
  readonly type: string
  readonly parameters: readonly Parameter[]
  readonly truncated: boolean
}

const MAX_PARAMETERS = 100

/**
 * content = type "/" subtype *(";" parameter), with comments anywhere. Null where it has no readable type and
 * subtype. Missing semicolons, unquoted specials and unterminated quotes are taken as well as they can be.
 */
export function parseContentType(value: string, maxParameters = MAX_PARAMETERS): ContentType | null {
  const start = skipCfws(value, 0)
  const typeEnd = tokenEnd(value, start)
  const slash = skipCfws(value, typeEnd)
  if (typeEnd === start || value.charCodeAt(slash) !== 0x2f) return null
  const subtypeStart = skipCfws(value, slash + 1)
  const subtypeEnd = tokenEnd(value, subtypeStart)
  if (subtypeEnd === subtypeStart) return null
  return {
    type: value.slice(start, typeEnd).toLowerCase(),
    subtype: value.slice(subtypeStart, subtypeEnd).toLowerCase(),
    ...parseParameters(value, subtypeEnd, maxParameters),
  }
}

/**
 * `parseContentType` whose parameters are read when they are first asked for: most readers of a message need them of
 * few parts. What may hold more than `maxParameters` is read at once.
 */
export function scanContentType(value: string, maxParameters: number): ContentType | null {
  if (value.length > SHORTEST_PARAMETER * maxParameters) return parseContentType(value, maxParameters)
  const start = skipCfws(value, 0)
  const typeEnd = tokenEnd(value, start)
  const slash = skipCfws(value, typeEnd)
  if (typeEnd === start || value.charCodeAt(slash) !== 0x2f) return null
  const subtypeStart = skipCfws(value, slash + 1)
  const subtypeEnd = tokenEnd(value, subtypeStart)
  if (subtypeEnd === subtypeStart) return null
  const type = value.slice(start, typeEnd).toLowerCase()
  return new ScannedContentType(type, value.slice(subtypeStart, subtypeEnd).toLowerCase(), value, subtypeEnd)
}

/** Octets of `;a=`. */
const SHORTEST_PARAMETER = 3

class ScannedContentType implements ContentType {
  readonly type: string
  readonly subtype: string
  readonly truncated: boolean
  readonly #value: string
  readonly #parametersAt: number
  #parameters: readonly Parameter[] | null

  constructor(type: string, subtype: string, value: string, parametersAt: number) {
    this.type = type
    this.subtype = subtype
    this.truncated = false
    this.#value = value
    this.#parametersAt = parametersAt
    this.#parameters = null
  }

  get parameters(): readonly Parameter[] {
    this.#parameters ??= parseParameters(this.#value, this.#parametersAt, Number.POSITIVE_INFINITY).parameters
    return this.#parameters
  }
}

/** disposition = type *(";" parameter). Null where it has no type. */
export function parseContentDisposition(
  value: string,
  maxParameters = MAX_PARAMETERS,
): ContentDisposition | null {
  const start = skipCfws(value, 0)
  const end = tokenEnd(value, start)
  if (end === start) return null
  return { type: value.slice(start, end).toLowerCase(), ...parseParameters(value, end, maxParameters) }
}

/** The one token of a field such as Content-Transfer-Encoding, without comments, in lower case. */
export function parseToken(value: string): string {
  const flat = trimWhite(withoutComments(value))
  const start = flat.startsWith('"') ? 1 : 0
  return flat.slice(start, tokenEnd(flat, start)).toLowerCase()
}

/** The value of the first parameter of that name (lower case), as it stands, or null. */
export function parameter(parameters: readonly Parameter[], name: string): string | null {
  for (const [key, value] of parameters) if (key === name) return value
  return null
}

function parseParameters(
  value: string,
  from: number,
  max: number,
): { parameters: Parameter[]; truncated: boolean } {
  const parameters: Parameter[] = []
  let at = from
  for (;;) {
    at = skipSeparators(value, at)
    if (at >= value.length) return { parameters, truncated: false }
    if (parameters.length === max) return { parameters, truncated: true }
    const nameStart = at
    at = parameterNameEnd(value, at)
    const name = value.slice(nameStart, at).toLowerCase()
    at = skipCfws(value, at)
    if (value.charCodeAt(at) !== 0x3d) {
      if (at === nameStart) at++
      continue
    }
    at = skipCfws(value, at + 1)
    const quoted = value.charCodeAt(at) === 0x22
    const start = quoted ? at + 1 : at
    at = quoted ? quoteEnd(value, start) : bareEnd(value, start)
    const content = value.slice(start, at)
    if (name !== '') parameters.push([name, quoted ? unquote(content) : trimWhite(content)])
    if (quoted) at++
  }
}

/** Passes over white space, comments and semicolons. */
function skipSeparators(value: string, from: number): number {
  let at = from
  for (;;) {
    at = skipCfws(value, at)
    if (value.charCodeAt(at) !== 0x3b) return at
    at++
  }
}

function skipCfws(value: string, from: number): number {
  let at = from
  while (at < value.length) {
    const code = value.charCodeAt(at)
    if (isWhite(code)) at++
    else if (code === 0x28) at = skipComment(value, at)
    else break
  }
  return at
}

/** Type, subtype and disposition end at white space, a comment, or any of `/;,="<>`. */
function tokenEnd(value: string, from: number): number {
  let at = from
  for (; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code <= 0x20 || code === 0x28 || code === 0x2f || code === 0x3b || code === 0x2c) break
    if (code === 0x3d || code === 0x22 || code === 0x3c || code === 0x3e) break
  }
  return at
}

function parameterNameEnd(value: string, from: number): number {
  let at = from
  for (; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code <= 0x20 || code === 0x3d || code === 0x3b || code === 0x28) break
  }
  return at
}

/** The index of the closing quote, or the end of the text. */
function quoteEnd(value: string, from: number): number {
  let at = from
  for (; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code === 0x22) break
    if (code === 0x5c) at++
  }
  return Math.min(at, value.length)
}

/**
 * `name*0*=` and `name="`, which the examples of RFC 2231 section 4.1 and RFC 2046 section 5.2.3.7 have without a semicolon
 * before them.
 */
const nextName = /[ \t\r\n]+[a-z0-9-]{1,64}(?:\*\d{0,9}\*?=|=")/iy

/** A value without quotes ends at a semicolon, a comment, what must be the next name, or the end of the text. */
function bareEnd(value: string, from: number): number {
  let at = from
  for (; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code === 0x3b) break
    if (code === 0x28 && at > from && isWhite(value.charCodeAt(at - 1))) {
      // `my file (1).txt`: a comment is one where nothing but a semicolon follows
      const after = skipCfws(value, at)
      if (after === value.length || value.charCodeAt(after) === 0x3b) break
      at = after - 1
      continue
    }
    if (isWhite(code) && !(at > from && isWhite(value.charCodeAt(at - 1)))) {
      nextName.lastIndex = at
      if (nextName.test(value)) break
    }
  }
  return at
}
