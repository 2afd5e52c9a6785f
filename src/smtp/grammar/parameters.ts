const PARAMETER = /[A-Za-z0-9][A-Za-z0-9-]*(?:=[\x21-\x3c\x3e-\x7e\u00a0-\uffff]+)?(?= |$)/y
const SPACE = 0x20

/** One parameter of MAIL or RCPT; its keyword stands from `start` to `keywordEnd`, and its case means nothing. */
export interface ScannedParameter {
  readonly start: number
  readonly keywordEnd: number
  /** Null where none was given. */
  readonly value: string | null
  /** Index after it. */
  readonly end: number
}

/**
 * Reads the parameter behind the space at `at`; a sentence says what is wrong.
 *
 *     Mail-parameters  = esmtp-param *(SP esmtp-param)
 *     esmtp-param      = esmtp-keyword ["=" esmtp-value]
 *     esmtp-keyword    = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *     esmtp-value      = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)   ; RFC 6531 section 3.3
 */
export function scanParameter(text: string, at: number): ScannedParameter | string {
  if (text.charCodeAt(at) !== SPACE) return 'A space must stand before each parameter'
  const start = at + 1
  PARAMETER.lastIndex = start
  if (!PARAMETER.test(text)) return 'A parameter is malformed'
  const end = PARAMETER.lastIndex
  const equals = text.indexOf('=', start)
  if (equals === -1 || equals > end) return { start, keywordEnd: end, value: null, end }
  return { start, keywordEnd: equals, value: text.slice(equals + 1, end), end }
}
