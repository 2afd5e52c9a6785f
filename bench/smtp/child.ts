import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'

/** Clock ticks a second in /proc, on every Linux there is. */
const TICKS = 100

/**
 * glibc gives memory at the end of its heap back and takes it again, or does not, as it happens to lie: which costs a
 * process that reads a lot as much again, for as long as it lives. No Node.js server here does.
 */
export const environment = { ...process.env, MALLOC_TRIM_THRESHOLD_: '268435456' }

/** Another process of this bundle, which plays `role`; it says one line of JSON when it is ready. */
export async function startRole(
  role: string,
  options: object,
): Promise<{ process: ChildProcess; said: unknown }> {
  const file = process.argv[1] as string
  const child = spawn(process.execPath, ['--expose-gc', file, 'role', role, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  })
  return { process: child, said: JSON.parse(await nextLine(child)) }
}

/** The next line that a child prints. */
export async function nextLine(child: ChildProcess): Promise<string> {
  let text = ''
  for (;;) {
    const chunk = child.stdout?.read() as Buffer | null
    if (chunk !== null && chunk !== undefined) text += chunk.toString()
    else if (child.exitCode !== null) throw new Error(`the child ended: ${text}`)
    else await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'readable'), once(child, 'exit')])
    if (text.endsWith('\n')) return text
  }
}

/** Runs a role to its end; what it says. */
export async function runRole<T>(role: string, options: object): Promise<T> {
  const { process: child, said } = await startRole(role, options)
  child.stdin?.end()
  if (child.exitCode === null) await once(child, 'exit')
  return said as T
}

/** Runs a command to its end. */
export async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let error = ''
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk.toString()
  })
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`${command}: ${error}`)
}

/** Seconds of CPU that a process has used so far. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Octets that a process holds in memory of its own. */
export function residentOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return Number(kilobytes) * 1024
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export async function untilListening(port: number, seconds = 20): Promise<void> {
  const until = Date.now() + seconds * 1000
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const there = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (there) return
    if (Date.now() > until) throw new Error(`nothing listens at port ${port}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
