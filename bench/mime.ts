import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parsers } from './mime/parsers.js'
import {
  buildWorkload,
  pack,
  unpack,
  type WorkloadName,
  workloadNames,
  workloadTitles,
} from './mime/workloads.js'

// Compares message parsers by processor time: npm run bench:mime [-- W1,W5 [rounds [parser,parser]]]
// Each parser is a process of its own, rounds are interleaved, medians are compared. W7 reads MAILWRIGHT_CORPUS.

interface Measured {
  /** Processor seconds of all passes. */
  readonly cpu: number
  readonly passes: number
  /** Octets of decoded leaf bodies, line ends left out. */
  readonly content: number
}

/** Processor seconds a worker measures at least, and the wall clock after which a parser has not finished. */
const MEASURE = 1
const GIVE_UP = 90
const OURS = 'level 2'
const STRUCTURE = 'level 1'

/** What is asked: times GMime, times the better of postal-mime and mailparser, times the best JavaScript peer. */
const asked: Readonly<Record<WorkloadName, readonly [number, number, number]>> = {
  W1: [2, 10, 2],
  W2: [0.5, 3, 2.5],
  W3: [1.5, 10, 6],
  W4: [0.45, 4, 4],
  W5: [4, 12, 3],
  W6: [3, 6, 4],
  W7: [1, 10, 4],
}

async function worker(name: string, file: string): Promise<void> {
  const parse = parsers[name]
  if (parse === undefined) throw new Error(`no parser "${name}"`)
  const messages = unpack(readFileSync(file))
  let content = 0
  const count = (leaf: string | Uint8Array): void => {
    const octets = typeof leaf === 'string' ? Buffer.from(leaf) : leaf
    content += octets.length
    for (const octet of octets) if (octet === 10 || octet === 13) content--
  }
  for (const message of messages) await parse(message, count)
  let size = 0
  const add = (leaf: string | Uint8Array): void => {
    size += leaf.length
  }
  globalThis.gc?.()
  const start = process.cpuUsage()
  let passes = 0
  let cpu = 0
  do {
    for (const message of messages) await parse(message, add)
    passes++
    const { user, system } = process.cpuUsage(start)
    cpu = (user + system) / 1e6
  } while (cpu < MEASURE)
  console.log(JSON.stringify({ cpu, passes, content, size }))
}

function run(command: string, args: readonly string[]): Measured | null {
  const { status, stdout } = spawnSync(command, args, { timeout: GIVE_UP * 1_000, encoding: 'utf8' })
  const line = stdout.trim().split('\n').at(-1) ?? ''
  return status === 0 && line.startsWith('{') ? (JSON.parse(line) as Measured) : null
}

/** The GMime program, compiled where its library is installed, else null. */
function compileGmime(folder: string): string | null {
  const flags = spawnSync('pkg-config', ['--cflags', '--libs', 'gmime-3.0'], { encoding: 'utf8' })
  if (flags.status !== 0) return null
  const source = fileURLToPath(new URL('../../../../bench/mime/gmime.c', import.meta.url))
  const program = join(folder, 'gmime')
  const { status } = spawnSync('cc', ['-O2', '-o', program, source, ...flags.stdout.trim().split(/\s+/)])
  return status === 0 ? program : null
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

interface Row {
  readonly name: string
  /** MB of message a processor second, each round; empty for a parser that does not finish. */
  readonly rates: number[]
  content: number
}

function measure(workload: WorkloadName, folder: string, rounds: number, names: readonly string[]): Row[] {
  const messages = buildWorkload(workload, process.env.MAILWRIGHT_CORPUS ?? '')
  const megabytes = messages.reduce((sum, message) => sum + message.length, 0) / 1e6
  const file = join(folder, workload)
  writeFileSync(file, pack(messages))
  const gmime = names.includes('GMime') ? compileGmime(folder) : null
  const rows: Row[] = names
    .filter((name) => name !== 'GMime' || gmime !== null)
    .map((name) => ({ name, rates: [], content: -1 }))
  const failed = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    for (const row of rows) {
      if (failed.has(row.name)) continue
      const measured =
        row.name === 'GMime'
          ? run(gmime ?? '', [file, String(MEASURE)])
          : run(process.execPath, ['--expose-gc', process.argv[1] ?? '', 'worker', row.name, file])
      if (measured === null) failed.add(row.name)
      else {
        row.rates.push((megabytes * measured.passes) / measured.cpu)
        row.content = measured.content
      }
    }
  }
  rmSync(file)
  console.log(
    `\n${workload}  ${workloadTitles[workload]}: ${messages.length} messages, ${megabytes.toFixed(1)} MB`,
  )
  return rows
}

/** Prints the table of a workload; false where counts differ that have to be equal. */
function report(workload: WorkloadName, rows: readonly Row[]): boolean {
  const ours = rows.find(({ name }) => name === OURS)
  const rate = (name: string): number => median(rows.find((row) => row.name === name)?.rates ?? [])
  const mine = rate(OURS)
  let equal = true
  for (const { name, rates, content } of rows) {
    if (rates.length === 0) {
      console.log(`  ${name.padEnd(20)} does not finish`)
      continue
    }
    const differs = name !== STRUCTURE && ours !== undefined && content !== ours.content
    if (differs && workload !== 'W7') equal = false
    const note = differs ? `  content ${content}, not ${ours.content}` : ''
    const own = median(rates)
    console.log(
      `  ${name.padEnd(20)} ${own.toFixed(own < 10 ? 1 : 0).padStart(6)} MB/s  ${(mine / own).toFixed(2).padStart(7)} x${note}`,
    )
  }
  const best = (names: readonly string[]): number =>
    Math.max(...names.map(rate).filter((value) => !Number.isNaN(value)))
  const peers = rows.map(({ name }) => name).filter((name) => !name.startsWith('level') && name !== 'GMime')
  const got = [rate('GMime'), best(['postal-mime', 'mailparser']), best(peers)].map((peer) => mine / peer)
  const text = got
    .map((ratio) => (Number.isFinite(ratio) && ratio > 0 ? ratio.toFixed(2) : 'none'))
    .join(' / ')
  console.log(`  asked ${asked[workload].join(' / ')}, got ${text}`)
  const structure = rate(STRUCTURE) / rate('level 3')
  if (!Number.isNaN(structure)) console.log(`  level 1 is ${structure.toFixed(2)} times as fast as level 3`)
  return equal
}

const [first, ...rest] = process.argv.slice(2)
if (first === 'worker') await worker(rest[0] ?? '', rest[1] ?? '')
else {
  const chosen = first === undefined ? workloadNames : (first.split(',') as WorkloadName[])
  const rounds = Number(rest[0] ?? 3)
  const names = rest[1]?.split(',') ?? [...Object.keys(parsers), 'GMime']
  const folder = mkdtempSync(join(tmpdir(), 'mailwright-mime-'))
  let equal = true
  for (const workload of chosen) {
    if (workload === 'W7' && process.env.MAILWRIGHT_CORPUS === undefined) {
      console.log('\nW7  needs MAILWRIGHT_CORPUS, the folder of the corpus')
      continue
    }
    equal = report(workload, measure(workload, folder, rounds, names)) && equal
  }
  rmSync(folder, { recursive: true })
  if (!equal) console.log('\nparsers differ in what they decoded')
  process.exitCode = equal ? 0 : 1
}
