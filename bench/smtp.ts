import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpuOf, run, runRole, startRole, stop } from './smtp/child.js'
import type { EngineFigures } from './smtp/engine.js'
import type { Load, Loaded } from './smtp/load.js'
import { has, startHaraka, startPostfix, startSink, startTarget, type Target } from './smtp/peers.js'
import { playRole, type Sent } from './smtp/roles.js'

/**
 * SMTP against its peers, in one run: throughput and CPU a message, as ratios. What is asked for stands beside what was
 * got. Each figure is the middle one of ROUNDS rounds, in which the servers take turns, since the machine may have
 * other work. Servers discard the message, but for the last comparison. Arguments choose comparisons by name.
 */
const ROUNDS = Number(process.env.ROUNDS ?? 5)
const SECONDS = Number(process.env.SECONDS ?? 2)
/** Rounds before those that count: a JavaScript server is compiled while it serves. */
const WARM_UP = 2

interface Figure {
  readonly rate: number
  /** Microseconds of CPU a message, of the server or of the sending client. */
  readonly cpu: number
}

let failed = 0

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function show(what: string, got: number, asked: string, holds: boolean): void {
  if (!holds) failed++
  console.log(`  ${holds ? 'holds ' : 'MISSES'}  ${what}: ${got.toFixed(2)} (asked: ${asked})`)
}

const atLeast = (what: string, got: number, asked: number): void =>
  show(what, got, `at least ${asked}`, got >= asked)
const atMost = (what: string, got: number, asked: number): void =>
  show(what, got, `at most ${asked}`, got <= asked)

/** Puts the load on each server in turn, round after round; the middle figure of each, by its name. */
async function compare(
  title: string,
  targets: readonly Target[],
  measure: (target: Target) => Promise<Loaded>,
): Promise<Readonly<Record<string, Figure>>> {
  console.log(title)
  const all = new Map<string, Figure[]>(targets.map(({ name }) => [name, []]))
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const target of targets) {
      const before = target.pid === 0 ? 0 : cpuOf(target.pid)
      const { messages, seconds } = await measure(target)
      const cpu = target.pid === 0 ? Number.NaN : ((cpuOf(target.pid) - before) / messages) * 1e6
      if (round >= WARM_UP) all.get(target.name)?.push({ rate: messages / seconds, cpu })
    }
  }
  const figures: Record<string, Figure> = {}
  for (const [name, rounds] of all) {
    const figure = { rate: middle(rounds.map(({ rate }) => rate)), cpu: middle(rounds.map(({ cpu }) => cpu)) }
    figures[name] = figure
    const cpu = Number.isNaN(figure.cpu) ? '' : `, ${figure.cpu.toFixed(0)} us of CPU each`
    console.log(
      `    ${name.padEnd(12)} ${figure.rate.toFixed(figure.rate < 100 ? 1 : 0)} messages a second${cpu}`,
    )
  }
  return figures
}

function loading(options: Omit<Load, 'port' | 'seconds'>): (target: Target) => Promise<Loaded> {
  return ({ port }) => runRole<Loaded>('load', { ...options, port, seconds: SECONDS })
}

/** Postfix's smtp-source: C, so that the load is not what is measured. It is told a number, not a time. */
function sourcing(args: readonly string[]): (target: Target) => Promise<Loaded> {
  const counts = new Map<string, number>()
  return async ({ name, port }) => {
    const messages = counts.get(name) ?? 1000
    const from = performance.now()
    await run('smtp-source', ['-m', `${messages}`, ...args, `127.0.0.1:${port}`])
    const seconds = (performance.now() - from) / 1000
    counts.set(name, Math.max(50, Math.min(100_000, Math.round((messages / seconds) * SECONDS))))
    return { messages, seconds }
  }
}

const kept = { connections: 20, recipients: 1, size: 10_240, reconnect: false, tls: false } as const

const ratio = (figures: Readonly<Record<string, Figure>>, other: string, of: keyof Figure): number =>
  (figures.ours?.[of] ?? Number.NaN) / (figures[other]?.[of] ?? Number.NaN)

async function main(chosen: readonly string[]): Promise<void> {
  const wanted = (name: string): boolean => chosen.length === 0 || chosen.includes(name)
  const sources = has('smtp-source') && has('smtp-sink')
  const ours = await startTarget('ours')
  const npm = await startTarget('npm')
  const haraka = await startHaraka()
  const sink = sources ? await startSink() : null
  if (sink === null)
    console.log('Without smtp-sink and smtp-source: install Debian’s postfix for those comparisons.')
  if (haraka === null)
    console.log('Without Haraka: install it somewhere and name its folder in MAILWRIGHT_HARAKA.')
  const sinks = sink === null ? [] : [sink]
  const harakas = haraka === null ? [] : [haraka]
  const all = [ours, ...sinks, npm, ...harakas]
  const againstHaraka = (figures: Readonly<Record<string, Figure>>): void => {
    if (haraka !== null) atLeast('throughput against Haraka', ratio(figures, 'Haraka', 'rate'), 3)
  }
  try {
    if (wanted('kept')) {
      const figures = await compare('20 connections, kept and pipelined, 10 KB', all, loading(kept))
      atLeast('throughput against smtp-server', ratio(figures, 'npm', 'rate'), 1)
      if (sink !== null) atMost('CPU against smtp-sink', ratio(figures, 'smtp-sink', 'cpu'), 1.1)
      againstHaraka(figures)
    }
    if (wanted('connect')) {
      const measure = sources
        ? sourcing(['-s', '20', '-l', '1024'])
        : loading({ ...kept, size: 1024, reconnect: true })
      const figures = await compare('a new connection for each message, 20 at a time, 1 KB', all, measure)
      atLeast('throughput against smtp-server', ratio(figures, 'npm', 'rate'), 5)
      if (sink !== null) atLeast('throughput against smtp-sink', ratio(figures, 'smtp-sink', 'rate'), 0.7)
      againstHaraka(figures)
    }
    if (wanted('recipients')) {
      const measure = loading({ ...kept, recipients: 20, size: 1024 })
      const figures = await compare('20 recipients, 1 KB, pipelined', all, measure)
      atLeast('throughput against smtp-server', ratio(figures, 'npm', 'rate'), 1.5)
      againstHaraka(figures)
    }
    if (wanted('large')) {
      const measure = loading({ ...kept, connections: 4, size: 10_485_760 })
      const figures = await compare('10 MB', [ours, npm], measure)
      atMost('CPU against smtp-server', ratio(figures, 'npm', 'cpu'), 0.7)
    }
    if (wanted('dots')) {
      const figures = await compare(
        '1 MiB of lines of two dots',
        [ours, npm],
        loading({ ...kept, connections: 1, size: 'dots' }),
      )
      atLeast('speed against smtp-server', 1 / ratio(figures, 'npm', 'cpu'), 50)
    }
    if (wanted('tls')) {
      const figures = await compare(
        '20 connections, kept, TLS, 10 KB',
        [ours, npm],
        loading({ ...kept, tls: true }),
      )
      atLeast('throughput against smtp-server', ratio(figures, 'npm', 'rate'), 1)
    }
    if (wanted('engine')) await measureEngine()
    if (wanted('client') && sink !== null) await compareClients(sink)
    if (wanted('idle')) await compareIdle()
    if (wanted('stored') && sources && has('postfix')) await compareStored()
  } finally {
    for (const target of all) await target.stop()
  }
}

/** The engine without a socket: what it takes beside a bare look through the same octets. */
async function measureEngine(): Promise<void> {
  console.log('the server engine alone, in process')
  const { bodies, commands } = await runRole<EngineFigures>('engine', {})
  for (const { name, engine, base } of bodies) {
    console.log(`    ${name}: ${engine.toFixed(2)} GB a second, the scan ${base.toFixed(2)}`)
    atLeast('against a scan for CRLF-dot', engine / base, 0.3)
  }
  for (const { name, engine, base } of commands) {
    console.log(`    ${name}: ${engine.toFixed(0)} ns, scan and slice of its line ${base.toFixed(0)}`)
    atMost('times scan and slice', engine / base, 10)
  }
}

/** The sending side: our pool against nodemailer's, into smtp-sink. */
async function compareClients(sink: Target): Promise<void> {
  console.log('sending 10 KB into smtp-sink over 5 connections')
  const rounds: Record<'send-ours' | 'send-nodemailer', Sent[]> = { 'send-ours': [], 'send-nodemailer': [] }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const role of ['send-ours', 'send-nodemailer'] as const) {
      const sent = await runRole<Sent>(role, { port: sink.port, seconds: SECONDS, connections: 5 })
      if (round > 0) rounds[role].push(sent)
    }
  }
  const figure = (role: keyof typeof rounds): Figure => ({
    rate: middle(rounds[role].map(({ messages, seconds }) => messages / seconds)),
    cpu: middle(rounds[role].map(({ messages, cpu }) => (cpu / messages) * 1e6)),
  })
  const figures = { ours: figure('send-ours'), nodemailer: figure('send-nodemailer') }
  for (const [name, { rate, cpu }] of Object.entries(figures)) {
    console.log(
      `    ${name.padEnd(12)} ${rate.toFixed(0)} messages a second, ${cpu.toFixed(0)} us of CPU each`,
    )
  }
  atLeast('messages a second against nodemailer', ratio(figures, 'nodemailer', 'rate'), 3)
  atMost('CPU against nodemailer', ratio(figures, 'nodemailer', 'cpu'), 0.34)
}

/** Memory of 10,000 connections that say nothing, over that of sockets alone. */
async function compareIdle(): Promise<void> {
  const count = 10_000
  console.log(`${count} idle connections`)
  const perConnection: number[] = []
  for (const role of ['ours', 'bare'] as const) {
    const target = await startTarget(role)
    const before = await target.memory()
    const holder = await startRole('hold', { port: target.port, count })
    perConnection.push(((await target.memory()) - before) / count)
    await stop(holder.process)
    await target.stop()
  }
  const [ours = 0, bare = 0] = perConnection
  console.log(
    `    ours         ${(ours / 1024).toFixed(1)} KB each, a bare net.Server ${(bare / 1024).toFixed(1)} KB`,
  )
  atMost('KB each over a bare net.Server', (ours - bare) / 1024, 8)
}

/** Kept for good: the whole server on its database against Postfix holding its queue. */
async function compareStored(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mailwright-bench-'))
  const child = await startRole('stored', { folder })
  const ours: Target = {
    name: 'ours',
    port: (child.said as { port: number }).port,
    pid: child.process.pid as number,
    stop: () => stop(child.process),
  }
  const postfix = await startPostfix()
  try {
    const source = ['-d', '-s', '20', '-l', '10240', '-t', 'user0@example.test']
    for (const [title, measure] of [
      ['accepted for good, 20 connections, 10 KB, a reply awaited for each command', sourcing(source)],
      ['the same, pipelined', loading(kept)],
      ['the same, the next envelope behind each message', loading({ ...kept, following: true })],
    ] as const) {
      const figures = await compare(title, [ours, postfix], async (target) => {
        // Each finds a quiet disk: what the other has left to the system to be written is not its work.
        await run('sync', [])
        return measure(target)
      })
      atLeast('throughput against Postfix', ratio(figures, 'Postfix', 'rate'), 5)
    }
  } finally {
    await ours.stop()
    await postfix.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const [first, ...rest] = process.argv.slice(2)
if (first === 'role') {
  await playRole(rest[0] as string, JSON.parse(rest[1] as string) as never)
} else {
  await main(first === undefined ? [] : [first, ...rest])
  console.log(failed === 0 ? 'all holds' : `${failed} missed`)
}
