import { expect, test } from 'vitest'
import { MemoryStore } from '../../../src/storage/memory/index.js'
import { TestClient } from './client.js'
import { imapHost } from './host.js'
import { seed } from './mail.js'

/** A client that keeps its own list of messages from what it is told, as RFC 3501 section 7.4.1 expects it to. */
class Mirror {
  readonly client: TestClient
  /** UIDs by sequence number; null where the UID is not known yet. */
  readonly uids: (number | null)[]

  constructor(client: TestClient) {
    this.client = client
    this.uids = []
  }

  async command(text: string): Promise<string> {
    const said = await this.client.command(text)
    for (const line of said.split('\r\n')) this.#hear(line)
    return said
  }

  #hear(line: string): void {
    const found = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(?:.*\bUID (\d+))?/.exec(line)
    if (found === null) return
    const number = Number(found[1])
    if (found[2] === 'EXISTS') {
      expect(number).toBeGreaterThanOrEqual(this.uids.length)
      while (this.uids.length < number) this.uids.push(null)
      return
    }
    expect(number).toBeLessThanOrEqual(this.uids.length)
    if (found[2] === 'EXPUNGE') this.uids.splice(number - 1, 1)
    else if (found[3] !== undefined) {
      const uid = Number(found[3])
      expect(this.uids[number - 1] ?? uid).toBe(uid)
      this.uids[number - 1] = uid
    }
  }
}

/** Numbers that depend on the seed alone. */
function generator(seedValue: number): (below: number) => number {
  let state = seedValue
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % below
  }
}

const message = 'Subject: x\r\n\r\nx\r\n'

test.each([1, 2, 3, 4, 5, 6])('sessions at work on one mailbox never lose count (%i)', async (number) => {
  const random = generator(number)
  const store = new MemoryStore()
  await seed(store, 'mary')
  const host = imapHost(store)
  const mirrors = Array.from({ length: 3 }, () => new Mirror(new TestClient(host.connect())))
  for (const mirror of mirrors) {
    await mirror.command('LOGIN mary mary')
    await mirror.command('SELECT INBOX')
  }
  const act = async (mirror: Mirror): Promise<void> => {
    const seq = random(mirror.uids.length) + 1
    const commands = [
      'NOOP',
      'EXPUNGE',
      'UID SEARCH ALL',
      `APPEND INBOX {${message.length}+}\r\n${message}`,
      'FETCH 1:* (UID FLAGS)',
      `FETCH ${seq} (UID BODY.PEEK[TEXT])`,
      `STORE ${seq} +FLAGS (\\Deleted)`,
      `STORE ${seq} -FLAGS.SILENT (\\Deleted)`,
      `STORE ${seq} FLAGS (\\Seen k${random(4)})`,
      `COPY ${seq} INBOX`,
      `UID MOVE ${mirror.uids[seq - 1] ?? 1} INBOX`,
    ]
    await mirror.command(commands[random(commands.length)] as string)
  }
  for (let step = 0; step < 60; step++) await Promise.all(mirrors.map(act))
  const pictures = []
  for (const mirror of mirrors) await mirror.command('NOOP')
  for (const mirror of mirrors) {
    await mirror.command('NOOP')
    const said = await mirror.command('UID FETCH 1:* FLAGS')
    pictures.push(said.replaceAll(/ ?\\Recent/g, '').replace(/t\d+ OK .*/, ''))
    expect(mirror.uids).not.toContain(null)
  }
  expect(pictures[1]).toBe(pictures[0])
  expect(pictures[2]).toBe(pictures[0])
  await host.close?.()
})
