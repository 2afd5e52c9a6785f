import { CR, LF, toLatin1 } from '../core/bytes.js'
import type { InputQueue } from '../core/input-queue.js'
import type { ClientLog } from './client-log.js'
import type { ImapLimits } from './limits.js'

/** What the reader has found. */
export type ReadResult =
  /** A whole command without its last CRLF, one octet a character; literals stand behind their `{n}` CRLF. */
  | { readonly type: 'command'; readonly text: string }
  /**
   * A literal is announced; go on with `acceptLiteral`, `refuse` or `leaveLiteral`. `size` is Infinity where it is
   * written with more than ten digits. `fits`: the limits for what is no message allow it.
   */
  | {
      readonly type: 'literal'
      readonly text: string
      readonly size: number
      readonly synchronising: boolean
      readonly fits: boolean
    }
  /** A line that is too long or ends without CR; it is passed over with what belongs to it. `text` has its beginning. */
  | { readonly type: 'fault'; readonly text: string; readonly fault: 'tooLong' | 'bareLf' }
  /** More had to be passed over than is reasonable: the connection cannot go on. */
  | { readonly type: 'flood' }

interface Announced {
  readonly size: number
  readonly synchronising: boolean
}

/** Octets of a line's beginning that are kept where the line is too long: enough for any tag and name. */
const HEAD = 512
/** Octets of a line's end that are kept where it is passed over: enough for any announcement that could be meant. */
const TAIL = 32

/**
 * Finds where commands end, before anyone parses them (RFC 3501 section 2.2.1): a command is lines and literals, and
 * a line that ends in `{n}` or `{n+}` (RFC 7888) is followed by n octets, whatever else is in it. A command that is
 * refused is passed over by the same rule, so that nothing in it is taken for a command.
 */
export class CommandReader {
  readonly #queue: InputQueue
  readonly #limits: ImapLimits
  readonly #log: ClientLog
  #text: string
  #lineOctets: number
  #literals: number
  #literalOctets: number
  #announced: Announced | null
  /** Octets of the literal being collected, or -1. */
  #collecting: number
  /** Octets to pass over, then the line after them; -1 when nothing is passed over. */
  #skipping: number
  /** Octets that may still be passed over. */
  #allowance: number
  #tail: string

  constructor(queue: InputQueue, limits: ImapLimits, log: ClientLog) {
    this.#queue = queue
    this.#limits = limits
    this.#log = log
    this.#text = ''
    this.#lineOctets = 0
    this.#literals = 0
    this.#literalOctets = 0
    this.#announced = null
    this.#collecting = -1
    this.#skipping = -1
    this.#allowance = 0
    this.#tail = ''
  }

  /** The next command or announcement, or null while more octets are needed. */
  read(loggedIn: boolean): ReadResult | null {
    if (this.#skipping !== -1) {
      const done = this.#skip()
      if (done !== true) return done
    }
    if (this.#collecting !== -1) {
      const octets = this.#queue.takeExact(this.#collecting)
      if (octets === null) return null
      this.#collecting = -1
      this.#log.literal(octets)
      this.#text += toLatin1(octets)
    }
    const limit = (loggedIn ? this.#limits.line : this.#limits.lineBeforeLogin) - this.#lineOctets
    const found = this.#queue.takeLine(limit)
    if (found === null) return null
    if (found === 'too-long') return this.#tooLong()
    const line = toLatin1(found)
    this.#log.commandLine(line, this.#text === '', loggedIn)
    this.#lineOctets += found.length
    const bare = found[found.length - 2] !== CR
    const announced = announcement(line)
    if (announced === null || bare) {
      const text = this.#text + line.slice(0, bare ? -1 : -2)
      this.reset()
      if (!bare) return { type: 'command', text }
      if (
        announced !== null &&
        !announced.synchronising &&
        !this.#beginSkip(announced.size, this.#limits.skipped)
      ) {
        return { type: 'flood' }
      }
      return { type: 'fault', text, fault: 'bareLf' }
    }
    this.#text += line
    this.#announced = announced
    return {
      type: 'literal',
      text: this.#text,
      ...announced,
      fits: this.#fits(announced.size, loggedIn),
    }
  }

  /** A line that belongs to no command, with its ending: of an exchange, or DONE. */
  line(limit: number): string | 'tooLong' | 'flood' | null {
    if (this.#skipping !== -1) {
      const done = this.#skip()
      if (done !== true) return done === null ? null : 'flood'
    }
    const found = this.#queue.takeLine(limit)
    if (found === null) return null
    if (found !== 'too-long') return toLatin1(found)
    this.#beginSkip(0, this.#limits.skipped)
    return 'tooLong'
  }

  /** The announced literal becomes part of the command. */
  acceptLiteral(): void {
    const size = this.#announced?.size ?? 0
    this.#announced = null
    this.#literals++
    this.#literalOctets += size
    this.#collecting = size
  }

  /** The announced literal is taken from the queue by someone else; what comes after it is read as a new line. */
  leaveLiteral(): void {
    this.reset()
  }

  /**
   * The command with the announced literal is given up. Where the client sends the literal anyway it is passed over
   * with the rest of the command; false where that would be more than `allowance` octets.
   */
  refuse(allowance: number): boolean {
    const announced = this.#announced
    this.reset()
    return announced === null || announced.synchronising || this.#beginSkip(announced.size, allowance)
  }

  /** Passes over `size` octets and the rest of the line; false where that would be more than `allowance` octets. */
  skipLiteral(size: number, allowance: number): boolean {
    return this.#beginSkip(size, allowance)
  }

  /** Forgets the command that was begun. */
  reset(): void {
    this.#text = ''
    this.#lineOctets = 0
    this.#literals = 0
    this.#literalOctets = 0
    this.#announced = null
    this.#collecting = -1
  }

  #fits(size: number, loggedIn: boolean): boolean {
    const { literal, literalBeforeLogin, literalCount, literalTotal } = this.#limits
    return (
      size <= (loggedIn ? literal : literalBeforeLogin) &&
      this.#literalOctets + size <= literalTotal &&
      this.#literals < literalCount
    )
  }

  #tooLong(): ReadResult {
    const head = this.#text === '' ? this.#queue.takeExact(HEAD) : null
    const text = head === null ? this.#text : toLatin1(head)
    this.#log.secretLine()
    this.reset()
    this.#beginSkip(0, this.#limits.skipped)
    return { type: 'fault', text, fault: 'tooLong' }
  }

  #beginSkip(size: number, allowance: number): boolean {
    if (size > allowance) return false
    this.#skipping = size
    this.#allowance = allowance - size
    this.#tail = ''
    return true
  }

  /** Passes over what is held: true at the end of the command. */
  #skip(): true | null | { readonly type: 'flood' } {
    const queue = this.#queue
    for (;;) {
      const held = Math.min(this.#skipping, queue.size)
      queue.skip(held)
      this.#skipping -= held
      if (this.#skipping > 0 || queue.size === 0) return null
      const chunk = queue.peek()
      const end = chunk.indexOf(LF) + 1
      const length = end === 0 ? chunk.length : end
      this.#tail = (this.#tail + toLatin1(chunk, Math.max(0, length - TAIL), length)).slice(-TAIL)
      this.#allowance -= length
      queue.skip(length)
      if (this.#allowance < 0) return { type: 'flood' }
      if (end === 0) continue
      const announced = announcement(this.#tail)
      this.#tail = ''
      if (announced === null || announced.synchronising) {
        this.#skipping = -1
        return true
      }
      if (!this.#beginSkip(announced.size, this.#allowance)) return { type: 'flood' }
    }
  }
}

/** The literal that the line announces at its end. */
function announcement(line: string): Announced | null {
  const end = line.endsWith('\r\n') ? line.length - 2 : line.length - 1
  if (line[end - 1] !== '}') return null
  const found = /^\{([0-9]+)(\+?)$/.exec(line.slice(Math.max(0, line.lastIndexOf('{')), end - 1))
  if (found === null) return null
  const digits = found[1] as string
  return {
    size: digits.length > 10 ? Number.POSITIVE_INFINITY : Number(digits),
    synchronising: found[2] === '',
  }
}
