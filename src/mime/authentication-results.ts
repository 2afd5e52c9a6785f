import { skipComment, trimWhite, unquote } from './text.js'

/** One result of Authentication-Results (RFC 8601 section 2.2), for example `spf=pass smtp.mailfrom=a@b`. */
export interface AuthenticationResult {
  /** Lower case, for example `dkim`. */
  readonly method: string
  /** Lower case, for example `pass`. */
  readonly result: string
  readonly reason: string | null
  /** In order, for example `['smtp.mailfrom', 'a@b']`; names in lower case. */
  readonly properties: readonly (readonly [name: string, value: string])[]
}

export interface AuthenticationResults {
  /** The server that judged, or '' where it is missing. */
  readonly server: string
  readonly version: string | null
  readonly results: readonly AuthenticationResult[]
}

/** Reads damaged fields as well as it can. Never throws; linear time. */
export function parseAuthenticationResults(value: string): AuthenticationResults {
  const [head = [], ...rest] = sections(value)
  const results: AuthenticationResult[] = []
  // a field without a server begins with its first result
  const first = head.some(({ equals }) => equals) ? [head, ...rest] : rest
  const server = first === rest ? (head[0]?.text ?? '') : ''
  for (const tokens of first) {
    const pairs = pairsOf(tokens)
    const [methodName, result] = pairs[0] ?? ['', '']
    if (methodName === '' || result === '') continue
    const method = methodName.split('/', 1)[0]?.toLowerCase() ?? ''
    const properties: (readonly [string, string])[] = []
    let reason: string | null = null
    for (const [name, text] of pairs.slice(1)) {
      if (name.toLowerCase() === 'reason') reason ??= text
      else properties.push([name.toLowerCase(), text])
    }
    results.push({ method, result: result.toLowerCase(), reason, properties })
  }
  return { server, version: first === rest ? (head[1]?.text ?? null) : null, results }
}

interface Token {
  readonly text: string
  readonly equals: boolean
}

/** Words, quoted strings and `=`, comments left out, a list for each section between semicolons. */
function sections(value: string): Token[][] {
  const all: Token[][] = [[]]
  for (let at = 0; at < value.length; ) {
    const code = value.charCodeAt(at)
    if (code <= 0x20) at++
    else if (code === 0x28) at = skipComment(value, at)
    else if (code === 0x3b) {
      all.push([])
      at++
    } else if (code === 0x3d) {
      all.at(-1)?.push({ text: '=', equals: true })
      at++
    } else if (code === 0x22) {
      let end = at + 1
      while (end < value.length && value.charCodeAt(end) !== 0x22)
        end += value.charCodeAt(end) === 0x5c ? 2 : 1
      all.at(-1)?.push({ text: unquote(value.slice(at + 1, Math.min(end, value.length))), equals: false })
      at = end + 1
    } else {
      let end = at + 1
      while (end < value.length && !/[\s;="(]/.test(value.charAt(end))) end++
      // base64 in a value (header.b) may hold `=` at its end
      while (
        value.charAt(end) === '=' &&
        all.at(-1)?.at(-1)?.equals === true &&
        /[=\s;]/.test(`${value.charAt(end + 1)} `)
      )
        end++
      all.at(-1)?.push({ text: trimWhite(value.slice(at, end)), equals: false })
      at = end
    }
  }
  return all
}

function pairsOf(tokens: readonly Token[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 2 < tokens.length; i++) {
    if (tokens[i]?.equals === false && tokens[i + 1]?.equals === true && tokens[i + 2]?.equals === false) {
      pairs.push([tokens[i]?.text ?? '', tokens[i + 2]?.text ?? ''])
      i += 2
    }
  }
  return pairs
}
