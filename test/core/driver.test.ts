import { expect, it } from 'vitest'
import { fromLatin1, toLatin1 } from '../../src/core/index.js'
import { MemoryDuplex, VirtualClock } from '../../src/testing/index.js'
import { serveEcho } from '../support/echo.js'

async function readAll(duplex: MemoryDuplex): Promise<string> {
  let text = ''
  for (;;) {
    const chunk = await duplex.read().catch(() => null)
    if (chunk === null) return text
    text += toLatin1(chunk)
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

function start() {
  const [client, server] = MemoryDuplex.pair()
  const clock = new VirtualClock()
  const errors: unknown[] = []
  const echo = serveEcho(server, clock, (error) => errors.push(error))
  return { client, server, clock, errors, ...echo }
}

it('answers a pipelined group in one write', async () => {
  const { client, done } = start()
  void client.write([fromLatin1('one\r\ntwo\r\nthree\r\n')])
  const chunk = await client.read()
  expect(toLatin1(chunk as Uint8Array)).toBe('one\r\ntwo\r\nthree\r\n')
  await client.end()
  await done
})

it('answers what came before the half-close, then ends', async () => {
  const { client, done } = start()
  void client.write([fromLatin1('one\r\n')])
  await client.end()
  expect(await readAll(client)).toBe('one\r\n')
  await done
})

it('writes what is ready when an answer is pending for a turn', async () => {
  const { client, clock, done } = start()
  void client.write([fromLatin1('one\r\nslow\r\nthree\r\n')])
  expect(toLatin1((await client.read()) as Uint8Array)).toBe('one\r\n')
  await clock.advance(10_000)
  expect(toLatin1((await client.read()) as Uint8Array)).toBe('slow\r\nthree\r\n')
  client.destroy()
  await done
})

it('times a command out however slowly its octets trickle in', async () => {
  const { client, clock, done } = start()
  for (let i = 0; i < 5; i++) {
    void client.write([fromLatin1('x')])
    await turn()
    await clock.advance(10_000)
  }
  await clock.advance(9_999)
  expect(client.closed).toBe(false)
  await clock.advance(1)
  expect(await readAll(client)).toBe('TIMEOUT\r\n')
  await done
})

it('does not count the time of an answer against the peer', async () => {
  const { client, engine, clock, done } = start()
  engine.wait = { kind: 'command', ms: 5_000 }
  void client.write([fromLatin1('slow one\r\n')])
  await turn()
  await clock.advance(10_000)
  expect(toLatin1((await client.read()) as Uint8Array)).toBe('slow one\r\n')
  client.destroy()
  await done
})

it('holds a body to its minimum rate', async () => {
  const { client, engine, clock, done } = start()
  engine.wait = { kind: 'data', ms: 1_000, minRate: 100 }
  for (let i = 0; i < 20; i++) {
    void client.write([Buffer.alloc(10, 'x')])
    await turn()
    await clock.advance(200)
  }
  expect(await readAll(client)).toBe('TIMEOUT\r\n')
  expect(clock.now() - Date.UTC(2026, 0, 1)).toBeLessThan(4_001)
  await done
})

it('drops a peer that never reads', async () => {
  const { client, clock, engine, done } = start()
  engine.bytes(Buffer.alloc(100_000))
  void client.write([fromLatin1('x\r\n')])
  await turn()
  await clock.advance(300_000)
  await done
  expect(client.closed).toBe(true)
})

it('aborts the work on an answer when the connection is lost', async () => {
  const { client, driver, engine, done } = start()
  void client.write([fromLatin1('slow\r\n')])
  await turn()
  client.destroy()
  await done
  expect(driver.signal.aborted).toBe(true)
  expect(engine.calls).toContain('lost')
})

it('tells of a lost connection to who asks for the signal only afterwards', async () => {
  const { client, driver, done } = start()
  client.destroy()
  await done
  expect(driver.signal.aborted).toBe(true)
})

it('writes for all connections once a turn, however their answers came about', async () => {
  const pairs = [start(), start()]
  const written: string[] = []
  for (const { server } of pairs) {
    const write = server.write.bind(server)
    server.write = (chunks) => {
      written.push(chunks.map((chunk) => toLatin1(chunk)).join(''))
      return write(chunks)
    }
  }
  for (const { client } of pairs) void client.write([fromLatin1('one\r\n')])
  await Promise.resolve()
  for (const { client } of pairs) void client.write([fromLatin1('two\r\nslow\r\n')])
  await turn()
  await turn()
  expect(written).toEqual(['one\r\ntwo\r\n', 'one\r\ntwo\r\n'])
  for (const { client } of pairs) client.destroy()
  await Promise.all(pairs.map(({ done }) => done))
})

it.each(['fail', 'reject'])('ends the session, and only it, when the handler breaks by %s', async (line) => {
  const { client, errors, done } = start()
  void client.write([fromLatin1(`one\r\n${line}\r\ntwo\r\n`)])
  expect(await readAll(client)).toBe('one\r\nABORT internalError\r\n')
  await done
  expect(errors).toHaveLength(1)
})

it('discards what was sent in clear before TLS', async () => {
  const { client, done } = start()
  void client.write([fromLatin1('TLS\r\ninjected\r\n')])
  expect(toLatin1((await client.read()) as Uint8Array)).toBe('TLS\r\n')
  void client.write([fromLatin1('more\r\n')])
  await client.upgrade('tls')
  void client.write([fromLatin1('inside\r\n')])
  expect(toLatin1((await client.read()) as Uint8Array)).toBe('inside\r\n')
  client.destroy()
  await done
})

it('gives a pending answer before it shuts down', async () => {
  const { client, clock, driver, done } = start()
  void client.write([fromLatin1('slow\r\n')])
  await turn()
  driver.shutdown('shutdown')
  await clock.advance(10_000)
  expect(await readAll(client)).toBe('slow\r\nABORT shutdown\r\n')
  await done
})
