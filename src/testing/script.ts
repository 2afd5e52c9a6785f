import { UsageError } from '../core/errors.js'

/** One step of a script; `line` is where it stands, for messages. */
export type ScriptStep =
  /** Octets to send, one a character, `$name` not yet replaced. Steps that follow each other are one write. */
  | { readonly type: 'send'; readonly line: number; readonly text: string }
  /** Waits for a line that begins with `+` before the octets of a literal. */
  | { readonly type: 'continuation'; readonly line: number }
  | { readonly type: 'expect'; readonly line: number; readonly text: string }
  | { readonly type: 'match'; readonly line: number; readonly pattern: RegExp }
  | { readonly type: 'unordered'; readonly line: number; readonly texts: readonly string[] }
  | { readonly type: 'skip'; readonly line: number }
  | { readonly type: 'absent'; readonly line: number; readonly pattern: RegExp }
  | { readonly type: 'session'; readonly line: number; readonly number: number }
  | { readonly type: 'tls' | 'eof' | 'closed'; readonly line: number }
  | { readonly type: 'advance'; readonly line: number; readonly ms: number }

/** A conversation between clients and a server, and what must be said in it. */
export interface Script {
  readonly steps: readonly ScriptStep[]
}

const LITERAL = /\{<<([A-Z]+)(\+?)\}$/

/**
 * Reads the script language that docs/testing.md describes. Throws UsageError `SCRIPT` with the line number for a
 * line it does not know.
 */
export function parseScript(source: string): Script {
  const lines = source.split(/\r?\n/)
  const steps: ScriptStep[] = []
  let at = 0

  /** The lines up to the end mark, and what follows the mark on its line. */
  const literal = (mark: string, from: number): { body: string; rest: string } => {
    const body: string[] = []
    for (;;) {
      const line = lines[at++]
      if (line === undefined) throw new UsageError('SCRIPT', `line ${from}: no ${mark} ends this literal`)
      if (line.startsWith(mark))
        return { body: body.map((text) => `${text}\r\n`).join(''), rest: line.slice(mark.length) }
      body.push(line)
    }
  }

  const client = (text: string, line: number): void => {
    const found = LITERAL.exec(text)
    if (found === null) {
      steps.push({ type: 'send', line, text: `${octetsOf(text)}\r\n` })
      return
    }
    const { body, rest } = literal(found[1] as string, line)
    const size = Buffer.byteLength(body, 'utf8')
    const head = `${octetsOf(text.slice(0, found.index))}{${size}${found[2]}}\r\n`
    steps.push({ type: 'send', line, text: head })
    if (found[2] === '') steps.push({ type: 'continuation', line })
    steps.push({ type: 'send', line, text: toOctets(body) })
    client(rest, line)
  }

  const server = (text: string, line: number): void => {
    const found = LITERAL.exec(text)
    if (found === null) {
      steps.push({ type: 'expect', line, text })
      return
    }
    const { body, rest } = literal(found[1] as string, line)
    const size = Buffer.byteLength(body, 'utf8')
    steps.push({ type: 'expect', line, text: `${text.slice(0, found.index)}{${size}}` })
    for (const each of body.split('\r\n').slice(0, -1)) steps.push({ type: 'expect', line, text: each })
    server(rest, line)
  }

  while (at < lines.length) {
    const text = lines[at++] as string
    const line = at
    const kind = text.slice(0, 2)
    const rest = text.slice(text[2] === ' ' ? 3 : 2)
    if (text.trim() === '' || text.startsWith('#')) continue
    if (kind === 'C:') client(rest, line)
    else if (kind === 'C|') steps.push({ type: 'send', line, text: octetsOf(rest) })
    else if (kind === 'S:') server(rest, line)
    else if (kind === 'S~') steps.push({ type: 'match', line, pattern: new RegExp(`^(?:${rest})$`) })
    else if (kind === 'S?') {
      const last = steps.at(-1)
      if (last?.type === 'unordered') steps[steps.length - 1] = { ...last, texts: [...last.texts, rest] }
      else steps.push({ type: 'unordered', line, texts: [rest] })
    } else if (kind === 'S*') steps.push({ type: 'skip', line })
    else if (kind === 'S!') steps.push({ type: 'absent', line, pattern: new RegExp(rest) })
    else if (/^@[1-9]$/.test(text.trim()))
      steps.push({ type: 'session', line, number: Number(text.trim()[1]) })
    else if (text.trim() === 'TLS') steps.push({ type: 'tls', line })
    else if (text.trim() === 'EOF') steps.push({ type: 'eof', line })
    else if (text.trim() === 'CLOSED') steps.push({ type: 'closed', line })
    else if (/^\+\d+s$/.test(text.trim())) {
      steps.push({ type: 'advance', line, ms: Number(text.trim().slice(1, -1)) * 1000 })
    } else throw new UsageError('SCRIPT', `line ${line}: not a line of a script: ${text}`)
  }
  return { steps }
}

function toOctets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** The octets of a client line: UTF-8, with `\r \n \0 \\ \xNN` for what cannot be typed. */
function octetsOf(text: string): string {
  return toOctets(text).replace(/\\(r|n|0|\\|x[0-9a-fA-F]{2})/g, (_, code: string) => {
    if (code === 'r') return '\r'
    if (code === 'n') return '\n'
    if (code === '0') return '\0'
    if (code === '\\') return '\\'
    return String.fromCharCode(Number.parseInt(code.slice(1), 16))
  })
}
