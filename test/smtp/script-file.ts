import { readdirSync, readFileSync } from 'node:fs'
import type { ScriptSetup } from '../../src/testing/index.js'
import { runScript, runScriptCuts } from '../../src/testing/index.js'
import { parseScript } from '../../src/testing/script.js'

/** A script with the comments that its test reads. */
export interface ScriptFile {
  readonly name: string
  /** The lines, repetitions written out, without those for LMTP alone. */
  readonly source: string
  /** The same for a session of LMTP, without those for SMTP alone. */
  readonly lmtpSource: string
  /** What follows `# name: ` in it. */
  value(name: string): string | undefined
  /** What follows `# name| ` in each line that begins so, with CRLF; null where there is none. */
  text(name: string): string | null
}

/**
 * The scripts of a folder. A line `smtp text` or `lmtp text` is for a session of that kind alone. Before a script is read, a line `100* text` becomes a hundred lines, in which `%n` is the
 * number of the line, and `{x*100}` within a line a hundred times `x`.
 */
export function scriptFiles(folder: URL): ScriptFile[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => scriptFile(name, readFileSync(new URL(name, folder), 'utf8')))
}

export function scriptFile(name: string, text: string): ScriptFile {
  const lines = linesOf(text, 'smtp')
  return {
    name,
    source: lines.join('\n'),
    lmtpSource: linesOf(text, 'lmtp').join('\n'),
    value: (key) => lines.find((line) => line.startsWith(`# ${key}: `))?.slice(key.length + 4),
    text(key) {
      const found = lines.filter((line) => line.startsWith(`# ${key}|`))
      return found.length === 0 ? null : found.map((line) => `${line.slice(key.length + 4)}\r\n`).join('')
    },
  }
}

function linesOf(text: string, kind: 'smtp' | 'lmtp'): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, only, rest] = /^(smtp|lmtp) (.*)$/.exec(line) ?? []
    return only === undefined || only === kind ? expand(rest ?? line) : []
  })
}

function expand(line: string): string[] {
  const repeated = line.replace(/\{([^{}*]+)\*(\d+)\}/g, (_, text: string, count: string) =>
    text.repeat(Number(count)),
  )
  const [, count, rest = ''] = /^(\d+)\* (.*)$/.exec(repeated) ?? []
  if (count === undefined) return [repeated]
  return Array.from({ length: Number(count) }, (_, index) => rest.replaceAll('%n', String(index + 1)))
}

/**
 * Runs a script whole, octet by octet and cut everywhere; one that is too long for that says `# cuts: n`, and is run
 * whole, octet by octet, and n times at up to 20 random places. One that says `# cuts: none` is run whole alone.
 */
export async function runEverywhere(file: ScriptFile, source: string, setup: ScriptSetup): Promise<void> {
  const cuts = file.value('cuts')
  if (cuts === undefined) {
    await runScriptCuts(source, setup)
    return
  }
  const script = parseScript(source)
  const { octets } = await runScript(script, setup)
  if (cuts === 'none') return
  await runScript(script, setup, 'every octet')
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state
  }
  for (let i = 0; i < Number(cuts); i++) {
    const places = Array.from({ length: 1 + (i % 20) }, () => random() % octets)
    await runScript(
      script,
      setup,
      [...new Set(places)].sort((a, b) => a - b),
    )
  }
}
