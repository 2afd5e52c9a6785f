const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i

/** Milliseconds since 1970 of a date-time (RFC 3339 section 5.6), or null for anything else. */
export function parseDateTime(text: string): number | null {
  if (!DATE_TIME.test(text)) return null
  const time = Date.parse(text.toUpperCase())
  return Number.isNaN(time) ? null : time
}
