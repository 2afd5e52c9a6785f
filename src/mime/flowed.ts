/**
 * The text of a format=flowed body (RFC 3676) with its flowed lines joined, quote marks kept at the front of each
 * paragraph (`> `), space-stuffing undone. `delSp`: the space that marks a flowed line is dropped as it is joined. Lines
 * end as they did, with CRLF or LF. Linear time.
 */
export function unflow(text: string, delSp = false): string {
  const out: string[] = []
  let depth = -1
  let open = false
  let lineBreak = '\n'
  let at = 0
  while (at < text.length) {
    let end = text.indexOf('\n', at)
    if (end === -1) end = text.length
    const lineEnd = end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end
    lineBreak = lineEnd < end ? '\r\n' : '\n'
    let start = at
    while (start < lineEnd && text.charCodeAt(start) === 0x3e) start++
    const quoted = start - at
    if (start < lineEnd && text.charCodeAt(start) === 0x20) start++
    const line = text.slice(start, lineEnd)
    // "-- " begins a signature and is never flowed (RFC 3676 section 4.3)
    const signature = line === '-- '
    const flowed = line.endsWith(' ') && !signature
    if (open && (quoted !== depth || signature)) {
      out.push(lineBreak)
      open = false
    }
    if (!open && quoted > 0) out.push(`${'>'.repeat(quoted)} `)
    out.push(flowed && delSp ? line.slice(0, -1) : line)
    if (!flowed && end < text.length) out.push(lineBreak)
    open = flowed
    depth = quoted
    at = end + 1
  }
  if (open && text.endsWith('\n')) out.push(lineBreak)
  return out.join('')
}
