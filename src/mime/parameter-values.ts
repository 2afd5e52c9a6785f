import { fromLatin1 } from '../core/bytes.js'
import type { Parameter } from '../interfaces/message-facts.js'
import { decodeCharset } from './charset.js'
import { decodeWords, hexPair } from './encoded-words.js'

/** name ["*" section] ["*"] (RFC 2231 sections 3 and 4). */
const sectioned = /^([^*]*)(?:\*(\d{1,15}))?(\*)?$/

interface Section {
  readonly index: number
  readonly value: string
  readonly extended: boolean
}

interface Gathered {
  plain: string | null
  readonly sections: Section[]
}

function gather(parameters: readonly Parameter[]): Map<string, Gathered> {
  const byName = new Map<string, Gathered>()
  for (const [written, value] of parameters) {
    const match = sectioned.exec(written)
    const name = (match?.[1] ?? written).toLowerCase()
    let gathered = byName.get(name)
    if (gathered === undefined) byName.set(name, (gathered = { plain: null, sections: [] }))
    if (match === null || (match[2] === undefined && match[3] === undefined)) gathered.plain ??= value
    else {
      const index = match[2] === undefined ? -1 : Number(match[2])
      gathered.sections.push({ index, value, extended: match[3] !== undefined })
    }
  }
  return byName
}

/** The sections as octets in the order of their numbers, gaps passed over, and the charset the first one names. */
function join(sections: readonly Section[]): { octets: string; charset: string } {
  const ordered = [...sections].sort((a, b) => a.index - b.index)
  const whole = ordered[0]?.index === -1 ? ordered.slice(0, 1) : ordered
  let charset = ''
  const out: string[] = []
  for (const [position, section] of whole.entries()) {
    let value = section.value
    if (section.extended) {
      const first = position === 0 ? value.indexOf("'") : -1
      const second = first === -1 ? -1 : value.indexOf("'", first + 1)
      if (second !== -1) {
        charset = value.slice(0, first)
        value = value.slice(second + 1)
      }
      value = percentDecode(value)
    }
    out.push(value)
  }
  return { octets: out.join(''), charset }
}

function percentDecode(value: string): string {
  if (!value.includes('%')) return value
  return value.replace(/%[0-9a-fA-F]{2}/g, (triplet) => String.fromCharCode(hexPair(triplet, 1)))
}

/**
 * The parameters as text, by name in lower case: RFC 2231 sections joined in the order of their numbers and decoded,
 * encoded words in plain values decoded as well, since many writers put them there. Sections win over a plain
 * parameter of the same name, the first plain one over later ones. Never throws, whatever the numbers.
 */
export function decodeParameters(parameters: readonly Parameter[]): Map<string, string> {
  const decoded = new Map<string, string>()
  for (const [name, { plain, sections }] of gather(parameters)) {
    if (sections.length === 0) decoded.set(name, decodeWords(plain ?? ''))
    else {
      const { octets, charset } = join(sections)
      decoded.set(name, decodeCharset(fromLatin1(octets), charset))
    }
  }
  return decoded
}

/** The octets of one parameter (one a character), its RFC 2231 sections joined and not converted, or null. */
export function joinParameter(parameters: readonly Parameter[], name: string): string | null {
  for (const [key, value] of parameters) if (key === name) return value
  if (!parameters.some(([key]) => key.startsWith(`${name}*`))) return null
  const gathered = gather(parameters).get(name)
  return gathered === undefined || gathered.sections.length === 0 ? null : join(gathered.sections).octets
}
