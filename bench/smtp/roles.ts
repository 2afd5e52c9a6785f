import { once } from 'node:events'
import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { SmtpClient } from '../../src/delivery/index.js'
import { measureEngine } from './engine.js'
import { load } from './load.js'
import { serveBare, serveNpm, serveOurs, serveStored } from './servers.js'

/** What a sending client has done. */
export interface Sent {
  readonly messages: number
  readonly seconds: number
  /** Seconds of CPU. */
  readonly cpu: number
}

interface Sending {
  readonly port: number
  readonly seconds: number
  readonly connections: number
}

const text = `Subject: load\r\n\r\n${`${'x'.repeat(76)}\r\n`.repeat(130)}`
const from = 'sender@client.test'
const to = 'user@example.test'

/** The first second is for the compiler, and is not counted. */
const WARM_UP = 1000

async function send({ seconds, connections }: Sending, one: () => Promise<unknown>): Promise<Sent> {
  const work = async (until: number): Promise<number> => {
    let messages = 0
    for (; performance.now() < until; messages++) await one()
    return messages
  }
  const all = (ms: number): Promise<number[]> => {
    const until = performance.now() + ms
    return Promise.all(Array.from({ length: connections * 2 }, () => work(until)))
  }
  await all(WARM_UP)
  const before = process.cpuUsage()
  const start = performance.now()
  const messages = (await all(seconds * 1000)).reduce((sum, each) => sum + each, 0)
  const { user, system } = process.cpuUsage(before)
  return { messages, seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
}

async function sendOurs(options: Sending): Promise<Sent> {
  const { port, connections } = options
  const client = new SmtpClient({
    host: '127.0.0.1',
    port,
    hostname: 'client.test',
    tls: 'none',
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
  })
  const message = Buffer.from(text)
  const sent = await send(options, async () => {
    const { recipients } = await client.send({ from, to: [to] }, message)
    if (recipients[0]?.accepted !== true) throw new Error(`refused: ${recipients[0]?.reply.lines[0]}`)
  })
  await client.close()
  return sent
}

async function sendNodemailer(options: Sending): Promise<Sent> {
  const { port, connections } = options
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    name: 'client.test',
    ignoreTLS: true,
    pool: true,
    maxConnections: connections,
    maxMessages: Number.POSITIVE_INFINITY,
  })
  const message = Buffer.from(text)
  const sent = await send(options, () => transport.sendMail({ envelope: { from, to: [to] }, raw: message }))
  transport.close()
  return sent
}

/** Opens connections, waits for each greeting, and holds them until its own input ends. */
async function hold({ port, count }: { port: number; count: number }): Promise<unknown> {
  for (let opened = 0; opened < count; opened += 200) {
    await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        await once(socket, 'data')
      }),
    )
  }
  return { count }
}

function memory(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage.rss()
}

/** A server tells its port, and later, for each line it is sent, how much memory it holds. */
async function serve(start: () => Promise<number>): Promise<void> {
  console.log(JSON.stringify({ port: await start() }))
  process.stdin.on('data', () => console.log(JSON.stringify({ rss: memory() })))
  process.stdin.on('end', () => process.exit(0))
}

/** Plays one role in a process of its own. */
export async function playRole(role: string, options: never): Promise<void> {
  switch (role) {
    case 'ours':
      return serve(serveOurs)
    case 'npm':
      return serve(serveNpm)
    case 'bare':
      return serve(serveBare)
    case 'stored':
      return serve(() => serveStored((options as { folder: string }).folder))
    case 'load':
      console.log(JSON.stringify(await load(options)))
      return process.exit(0)
    case 'send-ours':
      console.log(JSON.stringify(await sendOurs(options)))
      return process.exit(0)
    case 'send-nodemailer':
      console.log(JSON.stringify(await sendNodemailer(options)))
      return process.exit(0)
    case 'engine':
      console.log(JSON.stringify(measureEngine()))
      return process.exit(0)
    case 'hold':
      console.log(JSON.stringify(await hold(options)))
      process.stdin.resume()
      process.stdin.on('end', () => process.exit(0))
      return
    default:
      throw new Error(`no role ${role}`)
  }
}
