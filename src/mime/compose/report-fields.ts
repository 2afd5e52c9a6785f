import { isAscii } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import { checkText } from './fold.js'
import { textField } from './words.js'

/** Address types, MTA name types and diagnostic types that may stand before a value with a semicolon. */
const typed = /^(?:rfc822|utf-8|x400|unknown|dns|smtp|lmtp|unix|x-[a-z0-9-]+)[ \t]*;/i

/** The machine's part of a report: groups of fields with an empty line between them. */
export class ReportFields {
  #text: string
  /** An address holds UTF-8, which only the types of RFC 6533 take. */
  #utf8: boolean

  constructor() {
    this.#text = ''
    this.#utf8 = false
  }

  get text(): string {
    return this.#text
  }

  get utf8(): boolean {
    return this.#utf8
  }

  /** Ends a group. */
  gap(): void {
    this.#text += '\r\n'
  }

  /** Nothing where the value is undefined. What is not ASCII becomes encoded words. */
  add(name: string, value: string | undefined): void {
    if (value !== undefined) this.#text += textField(name, value, false)
  }

  /** A value with its type before it: the one it has, else `type`. */
  addTyped(name: string, value: string | undefined, type: string): void {
    if (value !== undefined) this.add(name, typed.test(value) ? value : `${type}; ${value}`)
  }

  /** An address, of the type `rfc822` or, where it is not ASCII, `utf-8` (RFC 6533 section 3). */
  addAddress(name: string, value: string | undefined): void {
    if (value === undefined) return
    const address = checkText(value, name)
    const ascii = isAscii(address)
    if (!ascii) this.#utf8 = true
    this.#text += textField(
      name,
      typed.test(address) ? address : `${ascii ? 'rfc822' : 'utf-8'}; ${address}`,
      true,
    )
  }
}

/** UsageError `OPTION` unless `value` is one of `known`. */
export function checkWord(value: string, known: readonly string[], what: string): string {
  if (!known.includes(value)) throw new UsageError('OPTION', `${what} must be one of ${known.join(', ')}`)
  return value
}

/** status-code (RFC 3464 section 2.3.4). */
export function checkStatus(value: string): string {
  if (!/^[245]\.\d{1,3}\.\d{1,3}$/.test(value)) {
    throw new UsageError('OPTION', `${JSON.stringify(value)} is not a status code such as 5.1.1`)
  }
  return value
}
