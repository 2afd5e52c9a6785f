import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const outfile = `${root}node_modules/.cache/mailwright/test-${process.pid}/cli.mjs`
let built: Promise<unknown> | null = null

/** The command as one file that Node can run, where packages are found; bundled once a process. */
export async function commandFile(): Promise<string> {
  built ??= build({
    entryPoints: [`${root}src/cli/main.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  })
  await built
  return outfile
}

export interface RunningCommand {
  readonly process: ChildProcess
  /** The `ready` line of `serve --json`. */
  readonly ready: {
    readonly listeners: readonly {
      readonly protocol: string
      readonly host: string
      readonly port: number
      readonly tls: string
    }[]
  }
  /** Lines after it, as they come. */
  readonly lines: string[]
  readonly exited: Promise<{ readonly status: number | null; readonly signal: string | null }>
}

/** Runs `mailwright serve --json` with more arguments; resolves when it is ready. */
export async function serveCommand(...args: readonly string[]): Promise<RunningCommand> {
  const child = spawn(process.execPath, [await commandFile(), 'serve', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += String(chunk)
  })
  const exited = new Promise<{ status: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (status, signal) => resolve({ status, signal }))
  })
  const lines: string[] = []
  const first = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      resolve(line)
    })
  })
  const line = await Promise.race([
    first,
    exited.then(({ status }) => {
      throw new Error(`the command ended with ${status}: ${errors}`)
    }),
  ])
  lines.shift()
  return { process: child, ready: JSON.parse(line) as RunningCommand['ready'], lines, exited }
}

/** Runs the command to its end. */
export async function runCommand(
  args: readonly string[],
  options: { readonly input?: string; readonly cwd?: string } = {},
): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [await commandFile(), ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  child.stdin.end(options.input ?? '')
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { status, stdout, stderr }
}
