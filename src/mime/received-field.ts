import { type MailDate, parseDate } from './date.js'
import { isWhite, skipComment, trimWhite, unquote } from './text.js'

/** A Received field (RFC 5321 section 4.4). A clause that is absent is null. */
export interface Received {
  /** What the client called itself. */
  readonly from: string | null
  /** The comment after `from` (and its name, where it has one): as a rule the client's name and address as the server saw them. */
  readonly fromComment: string | null
  readonly by: string | null
  readonly via: string | null
  readonly with: string | null
  readonly id: string | null
  readonly for: string | null
  readonly date: MailDate | null
}

type Clause = 'from' | 'by' | 'via' | 'with' | 'id' | 'for'

function isClause(word: string): word is Clause {
  return /^(?:from|by|via|with|id|for)$/.test(word)
}

/** Reads whatever order the clauses have; the first of each counts. Never throws; linear time. */
export function parseReceived(value: string): Received {
  const found: Record<Clause, string | null> = {
    from: null,
    by: null,
    via: null,
    with: null,
    id: null,
    for: null,
  }
  let fromComment: string | null = null
  let clause: Clause | null = null
  // `from ([192.0.2.1]) by`: a name that follows a comment is that of the next clause
  let commented = false
  let semicolon = -1
  for (let at = 0; at < value.length; ) {
    const code = value.charCodeAt(at)
    if (isWhite(code)) at++
    else if (code === 0x28) {
      const end = skipComment(value, at)
      if (clause === 'from')
        fromComment ??= trimWhite(
          unquote(value.slice(at + 1, value.charCodeAt(end - 1) === 0x29 ? end - 1 : end)),
        )
      commented = true
      at = end
    } else if (code === 0x3b) {
      semicolon = at
      at++
    } else {
      const end = wordEnd(value, at)
      const word = value.slice(at, end)
      const name = word.toLowerCase()
      if (isClause(name) && (clause === null || found[clause] !== null || commented)) clause = name
      else if (clause !== null) found[clause] ??= word.replace(/,$/, '').replace(/^<([^>]*)>$/, '$1')
      commented = false
      at = end
    }
  }
  const date = semicolon === -1 ? null : parseDate(value.slice(semicolon + 1))
  return { ...found, fromComment, date }
}

function wordEnd(value: string, from: number): number {
  let at = from + 1
  for (; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (isWhite(code) || code === 0x28 || code === 0x3b) break
  }
  return at
}
