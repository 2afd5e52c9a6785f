/** A subject without what replying and forwarding add (RFC 5256 section 2.1). */
export interface BaseSubject {
  /** White space runs are one space. Compare with `i;unicode-casemap` or in lower case. */
  readonly text: string
  /** Something of a reply or a forward was removed (RFC 5256, THREAD=REFERENCES step 5 A). */
  readonly isReply: boolean
}

const refwd = /(?:re|fwd?)[ \t]*/iy
const forwardHeader = '[fwd:'

/** The base subject of a decoded subject, by exactly the steps of RFC 5256 section 2.1; linear time. */
export function baseSubject(subject: string): BaseSubject {
  const text = subject.replace(/[ \t\r\n]+/g, ' ')
  let start = 0
  let end = text.length
  let isReply = false
  for (;;) {
    // (2) subj-trailer = "(fwd)" / WSP
    for (;;) {
      if (end > start && text.charCodeAt(end - 1) === 0x20) end--
      else if (end - start >= 5 && text.slice(end - 5, end).toLowerCase() === '(fwd)') {
        end -= 5
        isReply = true
      } else break
    }
    // (3) to (5) subj-leader = (*subj-blob subj-refwd) / WSP, then one subj-blob that leaves a base
    for (;;) {
      while (start < end && text.charCodeAt(start) === 0x20) start++
      let blobs = start
      let lastBlob = start
      for (let next = blobEnd(text, blobs, end); next !== -1; next = blobEnd(text, blobs, end)) {
        lastBlob = blobs
        blobs = next
      }
      const after = refwdEnd(text, blobs, end)
      if (after !== -1) {
        start = after
        isReply = true
        continue
      }
      start = blobs < end ? blobs : lastBlob
      break
    }
    // (6) subj-fwd = "[fwd:" subject "]"
    const forwarded =
      end - start > forwardHeader.length &&
      text.charCodeAt(end - 1) === 0x5d &&
      text.slice(start, start + forwardHeader.length).toLowerCase() === forwardHeader
    if (!forwarded) return { text: text.slice(start, end), isReply }
    start += forwardHeader.length
    end--
    isReply = true
  }
}

/** subj-blob = "[" *BLOBCHAR "]" *WSP: the index after it, or -1. */
function blobEnd(text: string, start: number, end: number): number {
  if (start >= end || text.charCodeAt(start) !== 0x5b) return -1
  for (let i = start + 1; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x5b) return -1
    if (code !== 0x5d) continue
    let after = i + 1
    while (after < end && text.charCodeAt(after) === 0x20) after++
    return after
  }
  return -1
}

/** subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":": the index after it, or -1. */
function refwdEnd(text: string, start: number, end: number): number {
  refwd.lastIndex = start
  if (!refwd.test(text)) return -1
  let at = refwd.lastIndex
  const blob = blobEnd(text, at, end)
  if (blob !== -1) at = blob
  return at < end && text.charCodeAt(at) === 0x3a ? at + 1 : -1
}
