const EQUALS = 0x3d
const SPACE = 0x20
const HYPHEN = 0x2d
const DELETE = 0x7f
const FIRST_NON_ASCII = 0xa0

const IN_KEYWORD = 1
const BEGINS_KEYWORD = 2
const kinds = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9]/.test(String.fromCharCode(code))
    ? IN_KEYWORD | BEGINS_KEYWORD
    : code === HYPHEN
      ? IN_KEYWORD
      : 0,
)

/*
 * The parameters of MAIL and RCPT, read in two steps that make no objects: nearly every message has two parameters.
 *
 *     Mail-parameters  = esmtp-param *(SP esmtp-param)
 *     esmtp-param      = esmtp-keyword ["=" esmtp-value]
 *     esmtp-keyword    = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *     esmtp-value      = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)   ; RFC 6531 section 3.3
 */

/** Where the keyword of the parameter ends that begins at `at`; -1 where there is none. Its case means nothing. */
export function scanKeyword(text: string, at: number): number {
  if (at >= text.length || (kindOf(text, at) & BEGINS_KEYWORD) === 0) return -1
  let end = at + 1
  while (end < text.length && kindOf(text, end) !== 0) end++
  return end
}

/**
 * Where the parameter ends whose keyword ends at `at`: there, or behind its value. -1 for a value that is malformed or
 * missing, and where something other than a space follows.
 */
export function scanValue(text: string, at: number): number {
  if (at === text.length) return at
  const next = text.charCodeAt(at)
  if (next !== EQUALS) return next === SPACE ? at : -1
  const from = at + 1
  for (let end = from; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === SPACE) return end === from ? -1 : end
    if (code < SPACE || code === EQUALS || (code >= DELETE && code < FIRST_NON_ASCII)) return -1
  }
  return from === text.length ? -1 : text.length
}

function kindOf(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 128 ? (kinds[code] as number) : 0
}
