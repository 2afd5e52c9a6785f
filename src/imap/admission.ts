import type { CapabilityFacts } from './capabilities.js'
import { loginAllowed } from './capabilities.js'
import type { ReadResult } from './command-reader.js'
import type { AppendStart } from './grammar/append.js'
import { parseAppendStart } from './grammar/append.js'
import { CommandFault, Cursor, malformed } from './grammar/cursor.js'
import type { CommandHead } from './grammar/parse-command.js'
import type { ImapState } from './server-events.js'
import { commandStates } from './state.js'

/** Throws CommandFault for a command that is none, or that may not come now. */
export function admit(head: CommandHead, state: ImapState, facts: CapabilityFacts, secure: boolean): void {
  if (head.tag === null) throw malformed('Expected a tag and a command')
  const states = commandStates.get(head.name)
  if (states === undefined) throw malformed('Unknown command')
  if (!states.includes(state)) throw malformed(`${head.name} is not possible in this state`)
  if (head.name === 'LOGIN' && !loginAllowed(facts, secure)) {
    throw new CommandFault('NO', secure ? 'CANNOT' : 'PRIVACYREQUIRED', 'LOGIN is disabled')
  }
}

/**
 * What APPEND says of its message, where that is what the announced literal is; null for a literal that is to become
 * part of the command. Throws CommandFault for one that cannot be taken.
 */
export function admitLiteral(
  announced: Extract<ReadResult, { readonly type: 'literal' }>,
  head: CommandHead,
): AppendStart | null {
  if (!Number.isFinite(announced.size)) throw malformed('Expected a number')
  const { text, fits } = announced
  const message = head.name === 'APPEND' ? parseAppendStart(new Cursor(text, head.end)) : null
  if (message === null && !fits) throw new CommandFault('NO', 'TOOBIG', 'The literal is too large')
  return message
}

/** True for what a client that speaks HTTP sends first: `GET / HTTP/1.1`, `POST /x`, `Host: x`. */
export function speaksHttp(line: string): boolean {
  return /^[A-Z]+ (?:\/|\*|[a-z]+:\/\/)| HTTP\/[0-9.]+$|^Host:/.test(line)
}
