import { fromLatin1, toUtf8 } from '../core/bytes.js'
import { UsageError } from '../core/errors.js'
import type { MemoryDuplex } from './memory-duplex.js'
import type { Script, ScriptStep } from './script.js'
import { parseScript } from './script.js'
import type { VirtualClock } from './virtual-clock.js'

/** The server that a script talks to, made anew for every run. */
export interface ScriptHost {
  /** Opens a connection and returns the client's end. */
  connect(): MemoryDuplex
  /** The server's clock, where the script lets time pass. */
  readonly clock?: VirtualClock
  /** Called when the run is over. */
  close?(): Promise<void> | void
}

export type ScriptSetup = () => ScriptHost | Promise<ScriptHost>

/** Where the client's octets are cut into writes: offsets into all it sends, or every octet on its own. */
export type Cuts = readonly number[] | 'every octet'

/**
 * How long a server may take for one line: so many milliseconds, waited for so many times, so that a busy process, in
 * which none of its work was done meanwhile, is not taken for a silent server.
 */
const PATIENCE = { ms: 250, times: 20 }

/** What a run saw, for choosing cuts: octets the client sent, and the offsets where a line or a dot begins. */
export interface ScriptRun {
  readonly octets: number
  readonly edges: readonly number[]
}

/**
 * Runs one script. Rejects with an Error that names the line and shows what came instead, and also when the server
 * has said something at the end that no line expects.
 */
export async function runScript(
  script: Script | string,
  setup: ScriptSetup,
  cuts: Cuts = [],
): Promise<ScriptRun> {
  const { steps } = typeof script === 'string' ? parseScript(script) : script
  const host = await setup()
  const run = new Run(host, cuts)
  try {
    return await run.play(steps)
  } finally {
    run.end()
    await host.close?.()
  }
}

/**
 * Runs one script whole, octet by octet, cut in two at every place (over 4,096 octets: within 8 octets of a line's
 * or a dot's edge and at 200 random places), and at 20 random sets of cuts. `seed` makes the random ones repeatable.
 */
export async function runScriptCuts(source: string, setup: ScriptSetup, seed = 1): Promise<void> {
  const script = parseScript(source)
  const random = generator(seed)
  const { octets, edges } = await runScript(script, setup)
  const attempt = async (cuts: Cuts): Promise<void> => {
    try {
      await runScript(script, setup, cuts)
    } catch (error) {
      const where = typeof cuts === 'string' ? 'at every octet' : `at ${cuts.join(', ')}`
      throw new Error(`cut ${where}: ${(error as Error).message}`, { cause: error })
    }
  }
  await attempt('every octet')
  for (const cut of twoWayCuts(octets, edges, random)) await attempt([cut])
  for (let i = 0; i < 20; i++) {
    const cuts = new Set<number>()
    const count = 1 + Math.floor(random() * 20)
    for (let j = 0; j < count; j++) cuts.add(Math.floor(random() * octets))
    await attempt([...cuts].sort((a, b) => a - b))
  }
}

function twoWayCuts(octets: number, edges: readonly number[], random: () => number): Iterable<number> {
  const cuts = new Set<number>()
  if (octets <= 4096) {
    for (let cut = 1; cut < octets; cut++) cuts.add(cut)
    return cuts
  }
  for (const edge of edges) {
    for (let cut = Math.max(1, edge - 8); cut < Math.min(octets, edge + 8); cut++) cuts.add(cut)
  }
  for (let i = 0; i < 200; i++) cuts.add(1 + Math.floor(random() * (octets - 1)))
  return cuts
}

/** Numbers in [0, 1) that depend on the seed alone (xorshift32). */
function generator(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** A server's lines as one client sees them. */
class Client {
  readonly duplex: MemoryDuplex
  /** Every line since the client last sent anything; `lines` are those that no step has used. */
  seen: string[]
  readonly lines: string[]
  ended: boolean
  #carry: Buffer
  #arrived: (() => void) | null

  constructor(duplex: MemoryDuplex) {
    this.duplex = duplex
    this.seen = []
    this.lines = []
    this.ended = false
    this.#carry = Buffer.alloc(0)
    this.#arrived = null
    void this.#collect()
  }

  get rest(): string {
    return toUtf8(this.#carry)
  }

  async #collect(): Promise<void> {
    for (;;) {
      const chunk = await this.duplex.read().catch(() => null)
      if (chunk === null) {
        this.ended = true
      } else {
        this.#carry = this.#carry.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#carry, chunk])
        let from = 0
        for (let lf = this.#carry.indexOf(10); lf !== -1; lf = this.#carry.indexOf(10, from)) {
          const line = toUtf8(this.#carry, from, lf).replace(/\r$/, '')
          this.lines.push(line)
          this.seen.push(line)
          from = lf + 1
        }
        this.#carry = this.#carry.subarray(from)
      }
      this.#arrived?.()
      if (this.ended) return
    }
  }

  /** The next line, or undefined when the server has closed or says nothing for too long. */
  async nextLine(): Promise<string | undefined> {
    for (let waits = 0; this.lines.length === 0 && !this.ended && waits < PATIENCE.times; ) {
      if (!(await this.#arrival())) waits++
    }
    return this.lines.shift()
  }

  /** False where the server says nothing for too long and has not closed. */
  async closes(): Promise<boolean> {
    for (let waits = 0; !this.ended && waits < PATIENCE.times; ) if (!(await this.#arrival())) waits++
    return this.ended
  }

  /** Whether anything has come within one wait. */
  async #arrival(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const came = await new Promise<boolean>((resolve) => {
      this.#arrived = () => resolve(true)
      timer = setTimeout(() => resolve(false), PATIENCE.ms)
    })
    clearTimeout(timer)
    this.#arrived = null
    return came
  }
}

class Run {
  readonly #host: ScriptHost
  readonly #cuts: Cuts
  readonly #clients: Map<number, Client>
  readonly #captured: Map<string, string>
  readonly #edges: number[]
  #current: Client
  #pending: string
  #sent: number
  #skipping: boolean

  constructor(host: ScriptHost, cuts: Cuts) {
    this.#host = host
    this.#cuts = cuts
    this.#current = new Client(host.connect())
    this.#clients = new Map([[1, this.#current]])
    this.#captured = new Map()
    this.#edges = []
    this.#pending = ''
    this.#sent = 0
    this.#skipping = false
  }

  async play(steps: readonly ScriptStep[]): Promise<ScriptRun> {
    for (const step of steps) {
      if (step.type !== 'send') await this.#flush()
      await this.#step(step)
    }
    await this.#flush()
    await this.#quiet()
    for (const [number, client] of this.#clients) {
      const left = [...client.lines, client.rest].filter((line) => line !== '')
      if (left.length > 0 && !this.#skipping) {
        throw new Error(
          `at the end of the script session ${number} has more from the server:\n${left.join('\n')}`,
        )
      }
    }
    return { octets: this.#sent, edges: this.#edges }
  }

  end(): void {
    for (const client of this.#clients.values()) client.duplex.destroy()
  }

  async #step(step: ScriptStep): Promise<void> {
    switch (step.type) {
      case 'send':
        this.#pending += this.#substitute(step.text)
        return
      case 'continuation': {
        const line = await this.#current.nextLine()
        if (!line?.startsWith('+')) throw this.#unexpected(step, 'a continuation request', line)
        return
      }
      case 'expect': {
        const pattern = this.#pattern(step.text)
        await this.#expect(step, step.text, (line) => this.#matches(pattern, line))
        return
      }
      case 'match':
        await this.#expect(step, String(step.pattern), (line) => step.pattern.test(line))
        return
      case 'unordered': {
        const left = [...step.texts]
        while (left.length > 0) {
          await this.#expect(step, `one of\n${left.join('\n')}`, (line) => {
            const found = left.findIndex((text) => this.#matches(this.#pattern(text), line))
            if (found !== -1) left.splice(found, 1)
            return found !== -1
          })
        }
        return
      }
      case 'skip':
        this.#skipping = true
        return
      case 'absent': {
        await this.#quiet()
        const found = this.#current.seen.find((line) => step.pattern.test(line))
        if (found !== undefined) throw new Error(`line ${step.line}: this must not appear: ${found}`)
        return
      }
      case 'session': {
        const client = this.#clients.get(step.number) ?? new Client(this.#host.connect())
        this.#clients.set(step.number, client)
        this.#current = client
        return
      }
      case 'tls':
        await this.#current.duplex.upgrade('tls')
        return
      case 'eof':
        await this.#current.duplex.end()
        return
      case 'closed':
        if (!(await this.#current.closes())) {
          throw new Error(`line ${step.line}: the server has not closed the connection`)
        }
        return
      case 'advance':
        if (this.#host.clock === undefined) {
          throw new UsageError('SCRIPT', `line ${step.line}: this host has no clock to move`)
        }
        await this.#host.clock.advance(step.ms)
        return
    }
  }

  async #expect(step: ScriptStep, wanted: string, test: (line: string) => boolean): Promise<void> {
    for (;;) {
      const line = await this.#current.nextLine()
      if (line === undefined) throw this.#unexpected(step, wanted, line)
      if (test(line)) break
      if (!this.#skipping) throw this.#unexpected(step, wanted, line)
    }
    this.#skipping = false
  }

  #unexpected(step: ScriptStep, wanted: string, line: string | undefined): Error {
    const state = this.#current.ended ? 'the server closed the connection' : 'the server said nothing'
    const rest = this.#current.lines.length === 0 ? '' : `\nthen: ${this.#current.lines.join('\n      ')}`
    return new Error(`line ${step.line}: expected ${wanted}\n     got ${line ?? state}${rest}`)
  }

  /** A line of the server as a pattern: everything literal but the `$name`s. */
  #pattern(text: string): { readonly source: string; readonly names: readonly string[] } {
    const names: string[] = []
    const source = text
      .split(/(\$[a-z][A-Za-z0-9]*)/)
      .map((piece, index) => {
        if (index % 2 === 0) return escapeRegExp(piece)
        const name = piece.slice(1)
        const known = this.#captured.get(name)
        if (known !== undefined) return escapeRegExp(known)
        names.push(name)
        return '(\\S+)'
      })
      .join('')
    return { source, names }
  }

  #matches(pattern: { readonly source: string; readonly names: readonly string[] }, line: string): boolean {
    const found = new RegExp(`^${pattern.source}$`).exec(line)
    if (found === null) return false
    pattern.names.forEach((name, index) => {
      this.#captured.set(name, found[index + 1] as string)
    })
    return true
  }

  #substitute(text: string): string {
    return text.replace(/\$([a-z][A-Za-z0-9]*)/g, (whole, name: string) => this.#captured.get(name) ?? whole)
  }

  /** Sends what the steps have gathered, cut as asked; after each piece the server acts on it first. */
  async #flush(): Promise<void> {
    const text = this.#pending
    if (text === '') return
    this.#pending = ''
    this.#current.seen = []
    const octets = fromLatin1(text)
    const start = this.#sent
    this.#sent += octets.length
    for (let i = 0; i < octets.length; i++)
      if (octets[i] === 10 || octets[i] === 46) this.#edges.push(start + i + 1)
    let from = 0
    for (const cut of this.#cutsWithin(start, octets.length)) {
      await this.#write(octets.subarray(from, cut))
      from = cut
    }
    await this.#write(octets.subarray(from))
  }

  *#cutsWithin(start: number, length: number): Iterable<number> {
    if (this.#cuts === 'every octet') {
      for (let cut = 1; cut < length; cut++) yield cut
      return
    }
    for (const cut of this.#cuts) if (cut > start && cut < start + length) yield cut - start
  }

  async #write(octets: Buffer): Promise<void> {
    const { duplex } = this.#current
    if (duplex.closed) return
    await duplex.write([octets])
    await duplex.peer.settled()
  }

  /** Every session has acted on what it was sent, and what others did has reached it. */
  async #quiet(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      for (const client of this.#clients.values()) await client.duplex.peer.settled()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
