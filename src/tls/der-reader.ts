/** One element of DER (X.690): its tag's octet, its content, and all of it. */
export interface DerElement {
  readonly tag: number
  readonly content: Buffer
  readonly whole: Buffer
}

/** The elements that stand one after the other in `octets`, or null where those are no DER. Tags have one octet. */
export function readElements(octets: Buffer): DerElement[] | null {
  const elements: DerElement[] = []
  let at = 0
  while (at < octets.length) {
    const tag = octets[at] as number
    let length = octets[at + 1] ?? 0x80
    let start = at + 2
    if (length >= 0x80) {
      const count = length & 0x7f
      if (count === 0 || count > 4 || start + count > octets.length) return null
      length = octets.readUIntBE(start, count)
      start += count
    }
    const end = start + length
    if (end > octets.length || (tag & 0x1f) === 0x1f) return null
    elements.push({ tag, content: octets.subarray(start, end), whole: octets.subarray(at, end) })
    at = end
  }
  return elements
}
