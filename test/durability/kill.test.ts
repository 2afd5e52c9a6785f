import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSqliteStore } from '../../src/storage/index.js'
import { type RunningCommand, serveCommand } from '../support/command.js'

/** How often the server is killed; more in the long run before a release. */
const KILLS = Number(process.env.MAILWRIGHT_KILLS ?? 3)
const SENDERS = 20
const USERS = ['alice', 'bob']

let folder: string
let config: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailwright-kill-'))
  config = join(folder, 'mailwright.json')
  const users = Object.fromEntries(USERS.map((name) => [name, { password: 'secret' }]))
  await writeFile(
    config,
    JSON.stringify({
      hostname: 'localhost',
      data: 'data',
      listen: { smtp: '127.0.0.1:0' },
      tls: false,
      domains: { 'example.test': { users } },
    }),
  )
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Sends messages of its own until the connection breaks; `acknowledged` gets each that was answered 250. */
async function sendUntilDead(port: number, sender: string, acknowledged: Map<string, Buffer>): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  const replies = lines(socket)
  const say = async (text: string | Buffer, count = 1): Promise<string> => {
    socket.write(text)
    let last = ''
    for (let i = 0; i < count; i++) last = (await replies.next()).value ?? ''
    return last
  }
  try {
    await replies.next()
    await say('HELO sender.example.test\r\n')
    for (let number = 0; ; number++) {
      if (number % 50 === 49) {
        socket.end('QUIT\r\n')
        while (!(await replies.next()).done);
        return sendUntilDead(port, `${sender}-${number}`, acknowledged)
      }
      const id = `${sender}-${number}`
      const size = [10, 3_000, 200_000][number % 3] as number
      const body = Buffer.from(
        `Message-ID: <${id}@example.test>\r\n\r\n${`${id} `.repeat(Math.ceil(size / 20))}\r\n`,
      )
      const rcpts = USERS.map((name) => `RCPT TO:<${name}@example.test>\r\n`).join('')
      const ready = await say(`MAIL FROM:<${sender}@example.test>\r\n${rcpts}DATA\r\n`, USERS.length + 2)
      if (!ready.startsWith('354')) return
      const answer = await say(Buffer.concat([body, Buffer.from('.\r\n')]))
      if (!answer.startsWith('250')) return
      acknowledged.set(id, body)
    }
  } finally {
    socket.destroy()
  }
}

async function* lines(socket: Socket): AsyncGenerator<string, undefined> {
  let held = ''
  try {
    for await (const chunk of socket) {
      held += String(chunk)
      const parts = held.split('\r\n')
      held = parts.pop() ?? ''
      yield* parts
    }
  } catch {
    return undefined
  }
  return undefined
}

async function check(acknowledged: ReadonlyMap<string, Buffer>, checked: Set<string>): Promise<void> {
  const store = await openSqliteStore({ path: join(folder, 'data') })
  expect(await store.check(true)).toEqual([])
  for (const name of USERS) {
    const account = await store.open(`${name}@example.test`)
    const mailbox = await account.select('INBOX', 'read')
    const { uids } = await mailbox.snapshot()
    expect(new Set(uids).size).toBe(uids.length)
    const found = new Set<string>()
    for await (const block of mailbox.messages(uids, { bodyUpTo: 1_000_000 })) {
      for (const { body } of block) {
        const text = Buffer.from(body ?? [])
        const id = /Message-ID: <(.*)@example\.test>/.exec(text.toString('latin1'))?.[1] ?? ''
        const sent = acknowledged.get(id)
        found.add(id)
        if (sent !== undefined) expect(text.subarray(text.length - sent.length).equals(sent)).toBe(true)
      }
    }
    expect([...acknowledged.keys()].filter((id) => !found.has(id) && !checked.has(`${name} ${id}`))).toEqual(
      [],
    )
    // What has been seen is removed, so that the next check is of what came since.
    if (uids.length > 0) await store.apply([{ type: 'expunge', mailbox: mailbox.id, uids }])
    for (const id of found) checked.add(`${name} ${id}`)
    await mailbox.close()
    await account.close()
  }
  await store.close()
}

it(
  `keeps every message it has answered 250, killed ${KILLS} times under ${SENDERS} senders`,
  async () => {
    const acknowledged = new Map<string, Buffer>()
    const checked = new Set<string>()
    for (let kill = 0; kill < KILLS; kill++) {
      const server: RunningCommand = await serveCommand('--config', config, '--log', 'error')
      const port = server.ready.listeners[0]?.port ?? 0
      const senders = Array.from({ length: SENDERS }, (_, index) =>
        sendUntilDead(port, `k${kill}s${index}`, acknowledged).catch(() => undefined),
      )
      // A slow machine has not acknowledged anything yet, of which a kill could take something.
      const { size } = acknowledged
      await expect.poll(() => acknowledged.size, { timeout: 10_000, interval: 5 }).toBeGreaterThan(size)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 450))
      server.process.kill('SIGKILL')
      await once(server.process, 'exit')
      await Promise.all(senders)
      await check(acknowledged, checked)
    }
    expect(acknowledged.size).toBeGreaterThan(KILLS * 3)
    console.log(`${KILLS} kills, ${acknowledged.size} messages acknowledged and found`)
  },
  60_000 + KILLS * 10_000,
)
