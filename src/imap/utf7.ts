/** Characters that stand for themselves in a mailbox name, but for `&`. */
const PLAIN = /^[\x20-\x7e]*$/

/**
 * A mailbox name in modified UTF-7 (RFC 3501 section 5.1.3): printable ASCII only. An unpaired surrogate is encoded
 * as it is, and `decodeUtf7` will not take it back.
 */
export function encodeUtf7(name: string): string {
  if (PLAIN.test(name) && !name.includes('&')) return name
  return name.replace(/&|[^\x20-\x7e]+/g, (run) => (run === '&' ? '&-' : `&${encodeRun(run)}-`))
}

function encodeRun(run: string): string {
  const octets = Buffer.from(run, 'utf16le').swap16()
  return octets.toString('base64').replace(/=+$/, '').replaceAll('/', ',')
}

/**
 * The name that `text` encodes, or null unless it is exactly what `encodeUtf7` makes of a name: no printable ASCII
 * in base64, no shift that ends where the next begins, no octet above 127, no bits left over, no unpaired surrogate.
 * One name has one spelling, so that nothing can be smuggled past a check of the other.
 */
export function decodeUtf7(text: string): string | null {
  if (!PLAIN.test(text)) return null
  if (!text.includes('&')) return text
  let malformed = false
  const name = text.replace(/&([^-]*)(-?)/g, (_, run: string, end: string) => {
    if (end === '' || !/^[A-Za-z0-9+,]*$/.test(run)) malformed = true
    return run === '' ? '&' : decodeRun(run)
  })
  return malformed || /\p{Surrogate}/u.test(name) || encodeUtf7(name) !== text ? null : name
}

function decodeRun(run: string): string {
  const octets = Buffer.from(run.replaceAll(',', '/'), 'base64')
  const whole = octets.subarray(0, octets.length & ~1)
  return whole.swap16().toString('utf16le')
}
