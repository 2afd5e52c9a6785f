import type { Flags } from '../../interfaces/index.js'
import { decodeUtf7 } from '../utf7.js'
import type { Cursor } from './cursor.js'
import { CommandFault, malformed } from './cursor.js'

/*
 * The productions that several commands share, RFC 3501 section 9.
 */

/** `mailbox = "INBOX" / astring`, decoded from modified UTF-7; INBOX in capitals. */
export function expectMailbox(cursor: Cursor): string {
  return decodeMailbox(cursor.expectAString())
}

/** The name, or a fault: `NO [CANNOT]` (RFC 5530 section 3), since the command itself is well formed. */
export function decodeMailbox(encoded: string): string {
  const name = decodeUtf7(encoded)
  if (name === null)
    throw new CommandFault('NO', 'CANNOT', 'The mailbox name is not canonical modified UTF-7')
  return name.length === 5 && name.toUpperCase() === 'INBOX' ? 'INBOX' : name
}

const SYSTEM_FLAGS: ReadonlyMap<string, string> = new Map(
  ['\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft'].map((flag) => [flag.toLowerCase(), flag]),
)

/**
 * One flag, system flags in their usual spelling. `\Recent` cannot be set by a client, and no flag-extension is known
 * here.
 *
 *     flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
 */
function expectFlag(cursor: Cursor): string {
  if (!cursor.take('\\')) return cursor.expectAtom()
  const flag = SYSTEM_FLAGS.get(`\\${cursor.expectAtom().toLowerCase()}`)
  if (flag === undefined) throw malformed('No such system flag')
  return flag
}

/** `flag-list = "(" [flag *(SP flag)] ")"`; each flag once, whatever its case. */
export function expectFlagList(cursor: Cursor): Flags {
  cursor.expect('(')
  if (cursor.take(')')) return []
  const flags = expectFlags(cursor)
  cursor.expect(')')
  return flags
}

/** `flag *(SP flag)` */
export function expectFlags(cursor: Cursor): Flags {
  const flags = new Map<string, string>()
  do {
    const flag = expectFlag(cursor)
    if (!flags.has(flag.toLowerCase())) flags.set(flag.toLowerCase(), flag)
  } while (cursor.take(' '))
  return [...flags.values()]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DATE = /^([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})$/
const DATE_TIME =
  /^([ 0-9][0-9])-([A-Za-z]{3})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})$/

/**
 * A day as the milliseconds of its midnight in UTC.
 *
 *     date      = date-text / DQUOTE date-text DQUOTE
 *     date-text = date-day "-" date-month "-" date-year
 */
export function expectDate(cursor: Cursor): number {
  const found = DATE.exec(cursor.expectAString())
  if (found === null) throw malformed('Expected a date')
  return dayOf(found[1] as string, found[2] as string, found[3] as string)
}

/**
 * A moment in milliseconds since 1970.
 *
 *     date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
 */
export function expectDateTime(cursor: Cursor): number {
  const [, day, month, year, hour, minute, second, sign, zoneHour, zoneMinute] =
    DATE_TIME.exec(cursor.expectString()) ?? []
  const inRange =
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) <= 60 &&
    Number(zoneHour) < 24 &&
    Number(zoneMinute) < 60
  if (!inRange) throw malformed('Expected a date and time')
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1)
  const minutes = Number(hour) * 60 + Number(minute) - zone
  return dayOf(day as string, month as string, year as string) + (minutes * 60 + Number(second)) * 1000
}

function dayOf(dayText: string, monthText: string, yearText: string): number {
  const month = MONTHS.indexOf(monthText.toLowerCase())
  const date = new Date(0)
  const day = Number(dayText)
  date.setUTCFullYear(Number(yearText), month, day)
  if (month === -1 || date.getUTCDate() !== day || date.getUTCMonth() !== month) {
    throw malformed('No such day')
  }
  return date.getTime()
}
