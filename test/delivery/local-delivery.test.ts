import { beforeEach, describe, expect, it, vi } from 'vitest'
import { MailError } from '../../src/core/index.js'
import type { LocalDeliveryOptions } from '../../src/delivery/index.js'
import { LocalDelivery } from '../../src/delivery/index.js'
import type {
  CommitResult,
  EnvelopeStart,
  SessionContext,
  Staged,
  Transaction,
} from '../../src/interfaces/index.js'
import { factsOf } from '../../src/mime/index.js'
import { MemoryStore } from '../../src/storage/memory/index.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'

const known = ['alice@example.test', 'bob@example.test', 'carl@example.test']
const received = Buffer.from(
  'Received: from client.test by mail.example.test; Thu, 1 Jan 2026 00:00:00 +0000\r\n',
)
const message = 'From: a@b.test\r\nSubject: hello\r\n\r\nbody\r\n'

const context: SessionContext = {
  id: 's1',
  remoteAddress: '192.0.2.1',
  remotePort: 1,
  localAddress: '192.0.2.2',
  localPort: 25,
  helo: 'client.test',
  transmission: 'ESMTP',
  tls: null,
  user: null,
  service: 'smtp',
  signal: new AbortController().signal,
}

const start: EnvelopeStart = { reversePath: 'sender@client.test', size: null, body: '7BIT', smtpUtf8: false }

function recipient(address: string) {
  const at = address.lastIndexOf('@')
  return { address, localPart: address.slice(0, at), domain: address.slice(at + 1) }
}

describe('LocalDelivery', () => {
  let store: MemoryStore
  let clock: VirtualClock

  beforeEach(() => {
    vi.restoreAllMocks()
    store = new MemoryStore()
    clock = new VirtualClock()
  })

  async function begin(
    options: Partial<LocalDeliveryOptions> = {},
    given: Partial<EnvelopeStart & SessionContext> = {},
  ) {
    const delivery = new LocalDelivery({
      routing: { domains: ['example.test'], aliases: { 'all@example.test': known } },
      users: {
        find: async (address) => (known.includes(address) ? { address } : null),
        first: async () => known[0] as string,
      },
      store,
      clock,
      ...options,
    })
    return delivery.begin({ ...start, ...given }, { ...context, ...given })
  }

  async function transaction(
    to: readonly string[],
    options: Partial<LocalDeliveryOptions> = {},
  ): Promise<Transaction> {
    const begun = (await begin(options)) as Transaction
    for (const address of to) expect(await begun.recipient(recipient(address)), address).toBeUndefined()
    expect(await begun.ready()).toBeUndefined()
    return begun
  }

  async function send(to: readonly string[], text = message): Promise<CommitResult> {
    const begun = await transaction(to)
    await begun.write(Buffer.from(text))
    return begun.commit(received)
  }

  /** The octets of every message in the user's INBOX. */
  async function inbox(user: string): Promise<string[]> {
    const account = await store.open(user)
    const mailbox = await account.select('INBOX', 'read')
    const texts: string[] = []
    for (const uid of (await mailbox.snapshot()).uids) {
      const chunks: Uint8Array[] = []
      for await (const chunk of mailbox.read(uid)) chunks.push(chunk)
      texts.push(Buffer.concat(chunks).toString())
    }
    return texts
  }

  const code = (result: CommitResult): number => ('reply' in result ? result.reply.code : 0)

  it('puts the trace fields before the message, with facts that fit the whole', async () => {
    const result = await send(['alice@example.test'])
    expect(result).toMatchObject({ reply: { code: 250, enhanced: '2.0.0' } })
    const expected = `Return-Path: <sender@client.test>\r\nDelivered-To: alice@example.test\r\n${received}${message}`
    expect(await inbox('alice@example.test')).toEqual([expected])
    const mailbox = await (await store.open('alice@example.test')).select('INBOX', 'read')
    for await (const [info] of mailbox.messages([1], { facts: true })) {
      expect(info?.size).toBe(expected.length)
      expect(info?.internalDate).toBe(clock.now())
      expect(info?.facts).toEqual(factsOf(Buffer.from(expected)))
    }
  })

  it('delivers one copy to a mailbox, whatever names it', async () => {
    expect(code(await send(['alice@example.test', 'ALICE+x@example.test', 'all@example.test']))).toBe(250)
    const texts = await Promise.all(known.map(inbox))
    expect(texts.map((each) => each.length)).toEqual([1, 1, 1])
    expect(texts[0]).toEqual(texts[1])
    expect(texts[0]?.[0]).not.toContain('Delivered-To')
  })

  it('answers only when the store has it for good', async () => {
    const apply = store.apply.bind(store)
    let finish: () => void = () => undefined
    vi.spyOn(store, 'apply').mockImplementation(async (ops) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return apply(ops)
    })
    let answered = false
    const sent = send(['alice@example.test']).then((result) => {
      answered = true
      return result
    })
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(answered).toBe(false)
    finish()
    expect(code(await sent)).toBe(250)
  })

  it('refuses who is not here, and everything that is elsewhere', async () => {
    const stranger = (await begin()) as Transaction
    expect(await stranger.recipient(recipient('eve@example.test'))).toMatchObject({
      code: 550,
      enhanced: '5.1.1',
    })
    for (const address of [
      'a@elsewhere.test',
      'alice@[127.0.0.1]',
      'alice@example.test.',
      'alice@example.test@x.test',
    ]) {
      expect(await stranger.recipient(recipient(address))).toMatchObject({ code: 550, enhanced: '5.7.1' })
    }
    const alice = (await begin({}, { user: 'alice@example.test', service: 'submission' })) as Transaction
    const refused = await alice.recipient(recipient('a@elsewhere.test'))
    expect(refused).toMatchObject({ code: 550, enhanced: '5.7.1' })
    expect(refused?.lines[0]).toMatch(/outbound delivery is not available/)
  })

  it('takes mail from the null reverse-path', async () => {
    const begun = (await begin({}, { reversePath: '' })) as Transaction
    await begun.recipient(recipient('bob@example.test'))
    await begun.ready()
    expect(code(await begun.commit(received))).toBe(250)
    expect((await inbox('bob@example.test'))[0]).toMatch(/^Return-Path: <>\r\n/)
    await expect(begin({}, { reversePath: 'a\r\nB: c' })).rejects.toMatchObject({ code: 'ENVELOPE' })
  })

  it('refuses a message that is too large, as announced and as sent', async () => {
    expect(await begin({ maxMessageSize: 100 }, { size: 101 })).toMatchObject({
      code: 552,
      enhanced: '5.3.4',
    })
    const begun = await transaction(['alice@example.test'], { maxMessageSize: 100 })
    for (let i = 0; i < 50; i++) await begun.write(Buffer.from(message))
    expect(await begun.commit(received)).toMatchObject({ reply: { code: 552, enhanced: '5.3.4' } })
    expect(await inbox('alice@example.test')).toEqual([])
  })

  it('refuses what has been delivered here before', async () => {
    const again = `Delivered-To: <Alice@example.test>\r\n${message}`
    expect(await send(['alice@example.test'], again)).toMatchObject({
      reply: { code: 554, enhanced: '5.4.6' },
    })
    expect(code(await send(['bob@example.test'], again))).toBe(250)
    expect(await inbox('alice@example.test')).toEqual([])
  })

  it.each([
    ['open', 'unavailable', 451],
    ['stage', 'diskFull', 452],
    ['apply', 'diskFull', 452],
    ['apply', 'overQuota', 452],
    ['apply', 'closed', 421],
  ] as const)('tells a failure of %s (%s) as %i and keeps nothing', async (method, kind, expected) => {
    const begun = (await begin()) as Transaction
    if (method !== 'open') await begun.recipient(recipient('alice@example.test'))
    vi.spyOn(store, method).mockRejectedValueOnce(new MailError(kind, 'not now'))
    const atRcpt = await begun.recipient(recipient('bob@example.test'))
    if (method === 'open') {
      expect(atRcpt?.code).toBe(expected)
      return
    }
    const atData = await begun.ready()
    if (method === 'stage') {
      expect(atData?.code).toBe(expected)
      return
    }
    await begun.write(Buffer.from(message))
    expect(code(await begun.commit(received))).toBe(expected)
    expect(await inbox('alice@example.test')).toEqual([])
    expect(await inbox('bob@example.test')).toEqual([])
  })

  it('delivers nothing for a recipient it refused, not even to some of an alias', async () => {
    const begun = (await begin()) as Transaction
    await begun.recipient(recipient('bob@example.test'))
    const open = store.open.bind(store)
    vi.spyOn(store, 'open').mockImplementation(async (user) => {
      if (user === 'alice@example.test') throw new MailError('unavailable', 'not now')
      return open(user)
    })
    expect(await begun.recipient(recipient('all@example.test'))).toMatchObject({ code: 451 })
    await begun.ready()
    await begun.write(Buffer.from(message))
    expect(code(await begun.commit(received))).toBe(250)
    vi.restoreAllMocks()
    expect(await Promise.all(known.map(inbox))).toMatchObject([[], [expect.anything()], []])
  })

  it('discards the message when it cannot be appended', async () => {
    const discarded = vi.fn()
    staging((staged) => {
      const seal = staged.seal.bind(staged)
      vi.spyOn(staged, 'seal').mockImplementation(async (facts, prefix) => {
        const body = await seal(facts, prefix)
        vi.spyOn(body, 'discard').mockImplementation(async () => discarded())
        return body
      })
    })
    vi.spyOn(store, 'apply').mockRejectedValueOnce(new Error('a bug'))
    expect(code(await send(['alice@example.test']))).toBe(451)
    expect(discarded).toHaveBeenCalledTimes(1)
  })

  it.each(['throws', 'rejects'])('drops the rest when a write %s, and says so at the end', async (how) => {
    const calls: string[] = []
    staging((staged) => {
      vi.spyOn(staged, 'write').mockImplementation(() => {
        calls.push('write')
        const error = new MailError('diskFull', 'no space')
        if (how === 'throws') throw error
        return Promise.reject(error)
      })
      vi.spyOn(staged, 'abort').mockImplementation(async () => void calls.push('abort'))
    })
    const begun = await transaction(['alice@example.test'])
    await begun.write(Buffer.from(message))
    await begun.write(Buffer.from(message))
    expect(await begun.commit(received)).toMatchObject({ reply: { code: 452, enhanced: '4.3.1' } })
    expect(calls).toEqual(['write', 'abort'])
  })

  it('passes the back pressure of the store on', async () => {
    let drained: () => void = () => undefined
    staging((staged) => {
      vi.spyOn(staged, 'write').mockImplementation(
        () =>
          new Promise<void>((resolve) => {
            drained = resolve
          }),
      )
    })
    const begun = await transaction(['alice@example.test'])
    let taken = false
    const writing = Promise.resolve(begun.write(Buffer.from(message))).then(() => {
      taken = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(taken).toBe(false)
    drained()
    await writing
  })

  it('leaves nothing behind when the transaction is given up, at whatever moment', async () => {
    const aborted = vi.fn()
    staging((staged) => void vi.spyOn(staged, 'abort').mockImplementation(async () => aborted()))
    await ((await begin()) as Transaction).abort('reset')
    expect(aborted).toHaveBeenCalledTimes(0)
    const begun = await transaction(['alice@example.test'])
    await begun.write(Buffer.from(message))
    await begun.abort('lost')
    expect(aborted).toHaveBeenCalledTimes(1)
    const early = (await begin()) as Transaction
    const ready = early.ready()
    await early.abort('shutdown')
    await ready
    expect(aborted).toHaveBeenCalledTimes(2)
    expect(await inbox('alice@example.test')).toEqual([])
  })

  /** Calls `change` with everything that is staged. */
  function staging(change: (staged: Staged) => void): void {
    const stage = store.stage.bind(store)
    vi.spyOn(store, 'stage').mockImplementation(async (sizeHint) => {
      const staged = await stage(sizeHint)
      change(staged)
      return staged
    })
  }
})
