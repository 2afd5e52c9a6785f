import { decodeUtf8, fromLatin1 } from '../../core/bytes.js'
import type { SequenceSet } from '../sequence-set.js'
import { MAX_NUMBER, parseSequenceSet } from '../sequence-set.js'

/** Why a command is not carried out; never leaves the parser but as the reply it holds. */
export class CommandFault extends Error {
  readonly status: 'NO' | 'BAD'
  /** A response code without brackets, or null. */
  readonly responseCode: string | null

  constructor(status: 'NO' | 'BAD', responseCode: string | null, message: string) {
    super(message)
    this.status = status
    this.responseCode = responseCode
  }
}

/** A fault of syntax: `BAD` and what was expected. */
export function malformed(message: string): CommandFault {
  return new CommandFault('BAD', null, message)
}

/*
 * Sticky, so that each looks only at the place it is told. Octets above 127 are no atom; in `quoted` they are taken,
 * as RFC 9051 section 9 has it (the text is UTF-8), since clients have always sent them.
 */
const ATOM = /[^\x00-\x20\x7f-\xff(){%*"\\\]]+/y
const ASTRING_CHARS = /[^\x00-\x20\x7f-\xff(){%*"\\]+/y
const LIST_CHARS = /[^\x00-\x20\x7f-\xff(){"\\]+/y
const QUOTED = /"((?:[^\0\r\n"\\]|\\["\\])*)"/y
const LITERAL = /\{([0-9]{1,10})\+?\}\r\n/y
const DIGITS = /[0-9]{1,10}/y
const SET = /[0-9*:,]+/y
const WORD = /[A-Za-z0-9.+-]+/y

/**
 * Reads one assembled command from left to right. The text holds one octet a character, literals in place behind
 * their `{n}` CRLF. `expect...` throws CommandFault where the production is not there; the others answer null or false
 * and stay where they were.
 */
export class Cursor {
  readonly text: string
  at: number

  constructor(text: string, at = 0) {
    this.text = text
    this.at = at
  }

  get atEnd(): boolean {
    return this.at === this.text.length
  }

  /** Takes that one character when it is next. */
  take(char: string): boolean {
    if (this.text[this.at] !== char) return false
    this.at++
    return true
  }

  expect(char: string): void {
    if (!this.take(char)) throw malformed(`Expected ${char === ' ' ? 'a space' : `"${char}"`}`)
  }

  expectSpace(): void {
    this.expect(' ')
  }

  expectEnd(): void {
    if (!this.atEnd) throw malformed('Unexpected text after the command')
  }

  /** A keyword in capitals, `.`, `+` and `-` included; empty when none is next. Not an `atom`: it ends before `[`. */
  word(): string {
    return (this.#match(WORD)?.[0] ?? '').toUpperCase()
  }

  /** `atom = 1*ATOM-CHAR` */
  expectAtom(): string {
    const found = this.#match(ATOM)
    if (found === null) throw malformed('Expected an atom')
    return found[0]
  }

  /** `number = 1*DIGIT`, below 2^32 */
  expectNumber(): number {
    const found = this.#match(DIGITS)
    const value = found === null ? Number.POSITIVE_INFINITY : Number(found[0])
    if (value > MAX_NUMBER) throw malformed('Expected a number')
    return value
  }

  /** `nz-number = digit-nz *DIGIT` */
  expectNonZero(): number {
    const zero = this.text[this.at] === '0'
    const value = this.expectNumber()
    if (zero) throw malformed('Expected a number that is not zero')
    return value
  }

  /** `sequence-set = (seq-number / seq-range) *("," sequence-set)` */
  expectSet(): SequenceSet {
    const start = this.at
    const set = parseSequenceSet(this.#match(SET)?.[0] ?? '')
    if (set === null) {
      this.at = start
      throw malformed('Expected a sequence set')
    }
    return set
  }

  /** `string = quoted / literal`; one octet a character. */
  string(): string | null {
    const quoted = this.#match(QUOTED)
    if (quoted !== null) {
      const inner = quoted[1] as string
      return inner.includes('\\') ? inner.replace(/\\(.)/g, '$1') : inner
    }
    const literal = this.#match(LITERAL)
    if (literal === null) return null
    const octets = this.text.slice(this.at, this.at + Number(literal[1]))
    if (octets.includes('\0')) throw malformed('A literal may not hold NUL')
    this.at += octets.length
    return octets
  }

  expectString(): string {
    const value = this.string()
    if (value === null) throw malformed('Expected a string')
    return value
  }

  /** `nstring = string / nil` */
  expectNString(): string | null {
    const value = this.string()
    if (value !== null) return value
    if (this.word() !== 'NIL') throw malformed('Expected a string or NIL')
    return null
  }

  /** `astring = 1*ASTRING-CHAR / string`; one octet a character. */
  expectAString(): string {
    const value = this.#match(ASTRING_CHARS)?.[0] ?? this.string()
    if (value === null) throw malformed('Expected an atom or a string')
    return value
  }

  /** `list-mailbox = 1*list-char / string` */
  expectListMailbox(): string {
    const value = this.#match(LIST_CHARS)?.[0] ?? this.string()
    if (value === null) throw malformed('Expected a mailbox pattern')
    return value
  }

  /** An astring that is text for people or a password: UTF-8. */
  expectUtf8(): string {
    const text = decodeUtf8(fromLatin1(this.expectAString()))
    if (text === null) throw malformed('Expected UTF-8')
    return text
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found !== null) this.at = pattern.lastIndex
    return found
  }
}
