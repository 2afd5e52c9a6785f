import type { Flags } from '../../interfaces/index.js'
import type { Cursor } from './cursor.js'
import { malformed } from './cursor.js'
import { expectDateTime, expectFlagList, expectMailbox } from './values.js'

/** The beginning of APPEND, up to where its message begins. */
export interface AppendStart {
  readonly mailbox: string
  readonly flags: Flags
  readonly internalDate: number | null
}

/**
 * The place before the mailbox of APPEND is where the command's name ends. Null when the text ends where the literal
 * of the mailbox is announced, and the message is still to come.
 *
 *     append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
 */
export function parseAppendStart(cursor: Cursor): AppendStart | null {
  cursor.expectSpace()
  if (atLastLiteral(cursor)) return null
  const mailbox = expectMailbox(cursor)
  cursor.expectSpace()
  const flags = cursor.text[cursor.at] === '(' ? expectListThenSpace(cursor) : []
  const dated = cursor.text[cursor.at] === '"'
  const internalDate = dated ? expectDateTime(cursor) : null
  if (dated) cursor.expectSpace()
  if (!atLastLiteral(cursor)) throw malformed('Expected a literal')
  return { mailbox, flags, internalDate }
}

function expectListThenSpace(cursor: Cursor): Flags {
  const flags = expectFlagList(cursor)
  cursor.expectSpace()
  return flags
}

/** True when all that is left is the announcement of a literal. */
function atLastLiteral(cursor: Cursor): boolean {
  return (
    /^\{[0-9]+\+?\}\r\n$/.test(cursor.text.slice(cursor.at, cursor.at + 32)) &&
    cursor.text.length - cursor.at <= 32
  )
}
