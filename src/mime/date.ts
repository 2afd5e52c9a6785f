import { withoutComments } from './text.js'

/** A moment, and the zone in which it was written. */
export interface MailDate {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly ms: number
  /** Minutes east of UTC; 0 where the zone is unknown. */
  readonly offsetMinutes: number
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** RFC 5322 section 4.3, hours east of UTC. Every other zone of letters means an unknown one. */
const namedZones: ReadonlyMap<string, number> = new Map([
  ['EDT', -4],
  ['EST', -5],
  ['CDT', -5],
  ['CST', -6],
  ['MDT', -6],
  ['MST', -7],
  ['PDT', -7],
  ['PST', -8],
])

const time = String.raw`(\d{1,2}) ?[:.] ?(\d{1,2})(?: ?[:.] ?(\d{1,2})(?:[.,]\d+)?)?(?: ?([ap])\.?m\b\.?)?`
const zone = String.raw`(?:(?:gmt|utc?) ?)?([+-]\d\d:?\d\d|[a-z]+)`
/** [day-name ","] day month year hour ":" minute [":" second] zone; hyphens as IMAP writes them are taken too. */
const dateTime = new RegExp(
  String.raw`^(?:[a-z]+\.? ?,? ?)?(\d{1,2})[ -]([a-z]{3})[a-z]*\.?[ -](\d{2,4}),? ${time}(?: ?${zone})?`,
  'i',
)
/** [day-name ","] month day [","] year time zone. */
const monthFirst = new RegExp(
  String.raw`^(?:[a-z]+\.?,? )?([a-z]{3})[a-z]*\.? (\d{1,2}),? (\d{4}),? ${time}(?: ?${zone})?`,
  'i',
)
/** As C's asctime writes it: day-name month day time year. */
const ascTime = new RegExp(String.raw`^[a-z]+ ([a-z]{3})[a-z]* (\d{1,2}) ${time}(?: ${zone})? (\d{4})`, 'i')
/** RFC 3339. */
const isoTime = new RegExp(String.raw`^(\d{4})-(\d\d)-(\d\d)[t ]${time}(?: ?${zone})?`, 'i')
const MAX_LENGTH = 300

/**
 * The date-time of RFC 5322 sections 3.3 and 4.3 (two-digit years, named zones, comments), or null where it is none.
 * What other programs write is taken as well: month before day, AM and PM, dots in the time, colons in the zone, RFC
 * 3339. A missing or unknown zone is taken for UTC. A text of over 300 characters is no date.
 */
export function parseDate(text: string): MailDate | null {
  if (text.length > MAX_LENGTH) return null
  const flat = withoutComments(text)
    .replace(/[ \t\r\n]+/g, ' ')
    .trim()
  const usual = dateTime.exec(flat)
  if (usual !== null) return build(usual[3], usual[2], usual[1], usual.slice(4))
  const american = monthFirst.exec(flat)
  if (american !== null) return build(american[3], american[1], american[2], american.slice(4))
  const asc = ascTime.exec(flat)
  if (asc !== null) return build(asc[8], asc[1], asc[2], asc.slice(3))
  const iso = isoTime.exec(flat)
  return iso === null ? null : build(iso[1], months[Number(iso[2]) - 1], iso[3], iso.slice(4))
}

function build(
  yearText = '',
  monthText = '',
  dayText = '',
  [hourText = '', minuteText = '', secondText = '0', half, zone = '']: readonly (string | undefined)[],
): MailDate | null {
  const month = months.findIndex((name) => name.toLowerCase() === monthText.toLowerCase())
  let year = Number(yearText)
  if (yearText.length === 2) year += year < 50 ? 2000 : 1900
  else if (yearText.length === 3) year += 1900
  const day = Number(dayText)
  let hour = Number(hourText)
  if (half !== undefined) hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
  const minute = Number(minuteText)
  const second = Number(secondText)
  if (month === -1 || day < 1 || hour > 23 || minute > 59 || second > 60) return null
  if (new Date(Date.UTC(2000, month, day)).getUTCMonth() !== month) return null
  const local = new Date(0)
  local.setUTCFullYear(year, month, day)
  local.setUTCHours(hour, minute, second)
  const offsetMinutes = zoneMinutes(zone)
  return { ms: local.getTime() - offsetMinutes * 60_000, offsetMinutes }
}

function zoneMinutes(zone: string): number {
  if (!/^[+-]/.test(zone)) return (namedZones.get(zone.toUpperCase()) ?? 0) * 60
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return zone.startsWith('-') ? 0 - minutes : minutes
}

const two = (value: number): string => String(value).padStart(2, '0')

/** The date-time of RFC 5322 section 3.3, for example `Fri, 21 Nov 1997 09:55:06 -0600`. */
export function formatDate(ms: number, offsetMinutes = 0): string {
  const local = new Date(ms + offsetMinutes * 60_000)
  const size = Math.abs(offsetMinutes)
  const zone = `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`
  const date = `${local.getUTCDate()} ${months[local.getUTCMonth()]} ${String(local.getUTCFullYear()).padStart(4, '0')}`
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`
  return `${days[local.getUTCDay()]}, ${date} ${time} ${zone}`
}
