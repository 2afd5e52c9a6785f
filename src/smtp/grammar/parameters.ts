const PARAMETER = /([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e\u00a0-\uffff]+))?/y

/** Parameters of MAIL or RCPT by their keyword in capitals; null where no value was given. */
export type Parameters = ReadonlyMap<string, string | null>

const SPACE = 0x20
const LOWER = /[a-z]/
const none: Parameters = new Map()

/**
 * Reads the parameters that follow a path, from the space before the first to the end of the text; a sentence says
 * what is wrong. The order of the Map is the order given; a keyword given twice is refused.
 *
 *     Mail-parameters  = esmtp-param *(SP esmtp-param)
 *     esmtp-param      = esmtp-keyword ["=" esmtp-value]
 *     esmtp-keyword    = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 *     esmtp-value      = 1*(%d33-60 / %d62-126 / UTF8-non-ascii)   ; RFC 6531 section 3.3
 */
export function scanParameters(text: string, at: number): Parameters | string {
  if (at === text.length) return none
  const found = new Map<string, string | null>()
  for (let from = at; from < text.length; ) {
    if (text.charCodeAt(from) !== SPACE) return 'A space must stand before each parameter'
    PARAMETER.lastIndex = from + 1
    const match = PARAMETER.exec(text)
    if (match === null) return 'A parameter is malformed'
    const written = match[1] as string
    const keyword = LOWER.test(written) ? written.toUpperCase() : written
    if (found.has(keyword)) return `${keyword} is given twice`
    found.set(keyword, match[2] ?? null)
    from = PARAMETER.lastIndex
  }
  return found
}
