// While one IMAP session copies and searches 100,000 messages, how long do other sessions wait for their replies?
// Prints the percentiles of the others' delay and fails when p99 is 50 ms or more.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMailServer, type Op } from '../src/index.js'
import { factsOf } from '../src/mime/index.js'

const MESSAGES = Number(process.argv[2] ?? 100_000)
const ASKED = 50

/** A client that sends one line at a time and waits for the tagged reply. */
class Client {
  readonly #socket: Socket
  #held: string
  #number: number
  #waiting: { tag: string; resolve: (line: string) => void } | null

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1' })
    this.#held = ''
    this.#number = 0
    this.#waiting = null
    this.#socket.setNoDelay(true)
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (chunk: string) => this.#read(chunk))
  }

  async command(line: string): Promise<void> {
    const tag = `t${++this.#number}`
    const reply = await new Promise<string>((resolve) => {
      this.#waiting = { tag, resolve }
      this.#socket.write(`${tag} ${line}\r\n`)
    })
    if (!reply.startsWith(`${tag} OK`)) throw new Error(`${line}: ${reply}`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: string): void {
    const text = this.#held + chunk
    const from = text.lastIndexOf('\r\n', text.length - 3) + 2
    this.#held = text.slice(from < 2 ? 0 : from)
    const last = this.#held
    if (!last.endsWith('\r\n') || this.#waiting === null || !last.startsWith(`${this.#waiting.tag} `)) return
    const { resolve } = this.#waiting
    this.#waiting = null
    this.#held = ''
    resolve(last.trimEnd())
  }
}

const folder = mkdtempSync(join(tmpdir(), 'mailwright-bench-'))
const server = await createMailServer({
  hostname: 'localhost',
  data: join(folder, 'data'),
  listen: { imap: '127.0.0.1:0' },
  tls: false,
  domains: { 'example.test': { users: { alice: { password: 'secret' }, bob: { password: 'secret' } } } },
})
const port = server.listeners[0]?.port ?? 0
try {
  const account = await server.store.open('alice@example.test')
  const inbox = await account.find('INBOX')
  await account.create('Copy')
  for (let start = 0; start < MESSAGES; start += 1000) {
    const ops = await Promise.all(
      Array.from({ length: Math.min(1000, MESSAGES - start) }, async (_, index): Promise<Op> => {
        const message = Buffer.from(
          `Subject: message ${start + index}\r\n\r\n${'some words of text '.repeat(100)}\r\n`,
        )
        const staged = await server.store.stage(message.length)
        await staged.write(message)
        const body = await staged.seal(factsOf(message))
        return {
          type: 'append',
          body,
          to: [{ mailbox: inbox?.id ?? '', flags: [], internalDate: Date.now() }],
        }
      }),
    )
    await server.store.apply(ops)
  }
  console.log(`${MESSAGES} messages; ${process.version}`)

  const busy = new Client(port)
  await busy.command('LOGIN alice@example.test secret')
  await busy.command('SELECT INBOX')
  const others = await Promise.all(
    ['alice', 'bob', 'bob'].map(async (user) => {
      const client = new Client(port)
      await client.command(`LOGIN ${user}@example.test secret`)
      await client.command('SELECT Drafts')
      return client
    }),
  )
  let failed = false
  for (const command of [
    'COPY 1:* Copy',
    'SEARCH TEXT nowhere',
    'SEARCH SUBJECT nowhere',
    'STORE 1:* +FLAGS.SILENT (\\Flagged)',
    'FETCH 1:* (FLAGS ENVELOPE)',
    'SELECT Copy',
  ]) {
    const delays: number[] = []
    let over = false
    const ask = async (client: Client, line: string): Promise<void> => {
      while (!over) {
        const start = performance.now()
        await client.command(line)
        delays.push(performance.now() - start)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const asking = others.map((client, index) =>
      ask(client, index === 0 ? 'NOOP' : 'STATUS INBOX (MESSAGES)'),
    )
    const start = performance.now()
    await busy.command(command)
    const took = performance.now() - start
    over = true
    await Promise.all(asking)
    delays.sort((a, b) => a - b)
    const at = (share: number): number =>
      delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0
    const p99 = at(0.99)
    if (p99 >= ASKED) failed = true
    console.log(
      `${command.padEnd(38)} ${took.toFixed(0).padStart(6)} ms; others p50 ${at(0.5).toFixed(1)} p99 ${p99.toFixed(1)} max ${at(1).toFixed(1)} ms over ${delays.length} replies`,
    )
  }
  busy.close()
  for (const client of others) client.close()
  console.log(failed ? `FAILED: asked p99 under ${ASKED} ms` : `holds: p99 under ${ASKED} ms`)
  process.exitCode = failed ? 1 : 0
} finally {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
}
