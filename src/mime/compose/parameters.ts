import libmime from 'libmime'
import { UsageError } from '../../core/errors.js'
import { checkText } from './fold.js'

const token = /^[A-Za-z0-9!#$%&'*+.^_`{|}~-]+$/
/** Characters of one section of a parameter (RFC 2231 section 3). */
const SECTION_SIZE = 60
/** Sections of one parameter; readers look at 100 parameters of a field. */
const MOST_SECTIONS = 90

/** token of RFC 2045 section 5.1. UsageError `HEADER_VALUE` for anything else. */
export function checkToken(text: string, what: string): string {
  if (typeof text !== 'string' || !token.test(text)) {
    throw new UsageError('HEADER_VALUE', `${what} must be a token, not ${JSON.stringify(text)}`)
  }
  return text
}

/**
 * `value; name=value; ...` as words for `foldField`. Parameters that are long or not printable ASCII are written in
 * sections (RFC 2231). UsageError `HEADER_TOO_LONG` for one of over 90 sections (about 5,000 characters).
 */
export function parameterWords(
  value: string,
  parameters: Iterable<readonly [name: string, value: string]>,
): string[] {
  const words = [value]
  for (const [name, given] of parameters) {
    const text = checkText(given, `the parameter ${name}`)
    const sections = libmime.buildHeaderParam(checkToken(name, 'the name of a parameter'), text, SECTION_SIZE)
    if (sections.length > MOST_SECTIONS) {
      throw new UsageError('HEADER_TOO_LONG', `the parameter ${name} is too long`)
    }
    for (const section of sections) {
      words[words.length - 1] += ';'
      const bare = section.key.endsWith('*') || token.test(section.value)
      words.push(` ${section.key}=${bare ? section.value : `"${section.value.replace(/["\\]/g, '\\$&')}"`}`)
    }
  }
  return words
}
