import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Notify } from '../../../src/interfaces/index.js'
import type { SmtpClientOptions } from '../../../src/smtp/index.js'
import { SmtpClientSession } from '../../../src/smtp/index.js'
import { MemoryDuplex, VirtualClock } from '../../../src/testing/index.js'
import { startServer, TestDelivery } from '../harness.js'
import { ChoppedDuplex } from './chopped-duplex.js'

const runs = Number(process.env.MAILWRIGHT_ROUND_TRIPS ?? 300)

/** A client session on a server session, in memory. */
function join(
  options: Partial<SmtpClientOptions> = {},
  serverOptions: Parameters<typeof startServer>[0] = {},
  size = () => 1e9,
) {
  const delivery = new TestDelivery(5_000_000, serverOptions.features)
  const server = startServer({ limits: { messages: 1e9 }, ...serverOptions }, { delivery })
  const session = new SmtpClientSession(
    new ChoppedDuplex(server.connect(), size),
    { hostname: 'client.test', ...options },
    { clock: server.clock },
  )
  return { session, delivery, server }
}

const line = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[ -~]{0,40}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('.', '..', '...', '.x', '', ' ', 'From: a@b', 'x'.repeat(900), '. ', '\t.'),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 20 }).map((b) =>
      Buffer.from(b)
        .toString('latin1')
        .replace(/[\r\n\0]/g, '?'),
    ),
  },
  { weight: 1, arbitrary: fc.nat(3000).map((length) => '.'.repeat(length)) },
)
const short = fc.array(line, { maxLength: 12 }).map((lines) => lines.map((each) => `${each}\r\n`).join(''))
/** More than one chunk of BDAT. */
const long = fc.integer({ min: 4000, max: 9000 }).map((count) => `${'.'.repeat(97)}\r\n`.repeat(count))
const message = fc.oneof({ weight: 99, arbitrary: short }, { weight: 1, arbitrary: long })
const localPart = fc.constantFrom(
  'alice',
  'bob',
  'full',
  'postmaster',
  'nobody',
  '"ali\\ce"',
  'x.y+z',
  'jörg',
)
const recipient = fc.record(
  {
    name: localPart,
    notify: fc.constantFrom<readonly Notify[]>(['NEVER'], ['SUCCESS'], ['FAILURE', 'DELAY']),
    originalRecipient: fc.constantFrom('rfc822;a+b=c d@c.test', 'utf-8;jörg\\+=@bücher.test', 'x400;a;b'),
  },
  { requiredKeys: ['name'] },
)
const transaction = fc.record({
  from: fc.constantFrom('', 'a@c.test', '"a b"@c.test', 'x@[127.0.0.1]', 'bjørn@дом.test'),
  to: fc.array(recipient, { minLength: 1, maxLength: 5 }),
  asked: fc.record(
    {
      ret: fc.constantFrom('FULL' as const, 'HDRS' as const),
      envelopeId: fc.stringMatching(/^[ -~]{1,30}$/),
    },
    { requiredKeys: [] },
  ),
  text: message,
  lastLine: fc.constantFrom('', '', 'no end', '.'),
  binary: fc.option(fc.uint8Array({ maxLength: 400 }), { freq: 5 }),
  pieces: fc.array(fc.nat(400), { maxLength: 6 }),
  whole: fc.boolean(),
  tellSize: fc.boolean(),
  smtpUtf8: fc.boolean(),
})

const domain = 'example.test'
const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text)
/** The names that the delivery knows, as it knows them. */
const knownNames: ReadonlyMap<string, string> = new Map([
  ...['alice', 'bob', 'full', 'postmaster', 'jörg'].map((name) => [name, name] as const),
  ['"ali\\ce"', 'alice'],
])

function* cut(octets: Buffer, places: readonly number[]): Generator<Uint8Array> {
  let from = 0
  for (const place of [...places].filter((each) => each < octets.length).sort((a, b) => a - b)) {
    yield octets.subarray(from, place)
    from = place
  }
  yield octets.subarray(from)
}

async function* slowly(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await undefined
    yield chunk
  }
}

describe('client and server', () => {
  it('agree on every message, octet by octet, and on every envelope', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(transaction, { minLength: 1, maxLength: 4 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 900, max: 90_000 })), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        async (transactions, sizes, chunking, lmtp, extended, follow) => {
          let turn = 0
          const size = (): number => sizes[turn++ % sizes.length] as number
          const features = { smtpUtf8: extended, dsn: extended, binaryMime: extended }
          const { session, delivery } = join(
            { chunking, lmtp },
            { features, ...(lmtp ? { service: 'lmtp' as const } : {}) },
            size,
          )
          await session.ready
          const expected: unknown[] = []
          const outcomes: Promise<void>[] = []
          for (const given of transactions) {
            const binary = extended ? given.binary : null
            const text = given.text + given.lastLine
            const octets = Buffer.from(binary ?? Buffer.from(text, 'latin1'))
            const from = extended || isAscii(given.from) ? given.from : ''
            const recipients = given.to
              .filter(({ name }) => extended || isAscii(name))
              .concat({ name: 'bob' })
              .map(({ name, ...rest }) => ({ ...rest, address: `${name}@${domain}`, name }))
            const smtpUtf8 = extended && given.smtpUtf8
            const body = binary === null ? '8BITMIME' : 'BINARYMIME'
            const { pieces, whole, tellSize, asked } = given
            let onSent = (): void => undefined
            const sent = new Promise<void>((resolve) => {
              onSent = resolve
            })
            const sending = session.send(
              {
                from,
                to: recipients.map(({ name: _, ...each }) => each),
                body,
                smtpUtf8,
                ...asked,
                ...(tellSize ? { size: octets.length } : {}),
              },
              whole ? octets : pieces.length % 2 === 0 ? cut(octets, pieces) : slowly(cut(octets, pieces)),
              { onSent },
            )
            // Who takes no mail says so after the message, for himself alone in LMTP and not at all in SMTP.
            const accepts = ({ name }: { name: string }): boolean =>
              knownNames.has(name) && !(lmtp && name === 'full')
            const told = sending.then((outcome) => {
              expect(outcome.error).toBeNull()
              expect(outcome.recipients.map(({ address, accepted }) => ({ address, accepted }))).toEqual(
                recipients.map((each) => ({ address: each.address, accepted: accepts(each) })),
              )
            })
            outcomes.push(told)
            await (follow ? Promise.race([sent, told]) : told)
            const taken = new Map<string, object>()
            for (const { name, notify, originalRecipient } of recipients) {
              const localPart = knownNames.get(name)
              if (localPart === undefined || taken.has(localPart)) continue
              const dsn = extended ? { notify, originalRecipient } : {}
              taken.set(localPart, { address: `${localPart}@${domain}`, localPart, domain, ...dsn })
            }
            expected.push({
              envelope: {
                reversePath: from,
                size: tellSize ? octets.length : null,
                body,
                smtpUtf8: smtpUtf8 || ![from, ...recipients.map(({ address }) => address)].every(isAscii),
                ...(extended ? asked : {}),
              },
              recipients: [...taken.values()],
              // Lines have ends, also the last.
              body: binary === null && given.lastLine !== '' ? `${text}\r\n` : octets.toString('latin1'),
            })
          }
          await Promise.all(outcomes)
          await session.close()
          const kept = delivery.kept.map(({ envelope, details, body }) => ({
            envelope,
            recipients: details,
            body,
          }))
          expect(kept).toEqual(expected)
        },
      ),
      { numRuns: runs },
    )
  })

  it('let nothing be smuggled out, at any cut', async () => {
    const inner = 'MAIL FROM:<evil@c.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\nsmuggled'
    const sequences = [
      '\n.\n',
      '\n.\r\n',
      '\r\n.\n',
      '\n\n.\r\n',
      '\r.\r',
      '\r.\r\n',
      '\r\n.\r',
      '\n.\r',
      '\r.\n',
      '\n\r.\n\r',
      '\r\n.\r\r\n',
      '\r\n.\n\r',
      '\r\r\n.\r\r\n',
      '\n..\r\n',
      '\r\n. \r\n',
      '\r\n.\0\r\n',
      '\r\n\0.\r\n',
      '\v.\v',
      '\f.\f',
      '\x85.\x85',
      '\xe2\x80\xa8.\xe2\x80\xa8',
      '\r\n.\r\n',
    ]
    for (const chunking of [false, true]) {
      const { session, delivery } = join({ chunking }, { allowNul: true })
      await session.ready
      for (const sequence of sequences) {
        const text = `Subject: x\r\n\r\nhello${sequence}${inner}\r\n`
        const octets = Buffer.from(text, 'latin1')
        const safe = text.replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n')
        for (let place = 0; place <= octets.length; place++) {
          const before = delivery.kept.length
          const outcome = await session.send(
            { from: 'a@c.test', to: ['bob@example.test'] },
            cut(octets, [place]),
          )
          expect(outcome.recipients[0]?.accepted).toBe(true)
          expect(delivery.kept).toHaveLength(before + 1)
          expect(delivery.kept.at(-1)).toMatchObject({ recipients: ['bob@example.test'], body: safe })
        }
      }
      await session.close()
    }
  })

  it('log in behind TLS', async () => {
    const credentials = { user: 'alice', password: 'secret' }
    const host = { auth: true, startTls: true, requireTls: true, service: 'submission' as const }
    const { session, delivery } = join({ startTls: 'required', credentials }, host)
    await session.ready
    const outcome = await session.send({ from: '', to: ['bob@example.test'] }, Buffer.from('x\r\n'))
    expect(outcome.recipients[0]).toMatchObject({ accepted: true, stage: 'message' })
    expect(delivery.kept[0]?.context).toMatchObject({ user: 'alice', transmission: 'ESMTPSA' })
    expect(await session.close()).toBeUndefined()
    const wrong = join({ startTls: 'required', credentials: { user: 'alice', password: 'x' } }, host).session
    await expect(wrong.ready).rejects.toMatchObject({ code: 'REFUSED', reply: { code: 535 } })
    expect(await wrong.closed).toMatchObject({ code: 'REFUSED' })
  })
})

describe('SmtpClientSession', () => {
  const envelope = { from: 'a@c.test', to: ['bob@example.test'] }

  it('closes the connection when a source fails or the host gives up, and leaves nothing behind', async () => {
    const failing = join()
    await failing.session.ready
    const broken = (async function* () {
      yield Buffer.from('half')
      throw new Error('the disk is gone')
    })()
    await expect(failing.session.send(envelope, broken)).rejects.toThrow('the disk is gone')
    expect(failing.session.over).toBe(true)
    const aborting = join()
    await aborting.session.ready
    const abort = new AbortController()
    let released = false
    const endless = (async function* () {
      try {
        for (;;) {
          yield Buffer.alloc(1000, 'x\r\n')
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        released = true
      }
    })()
    const sending = aborting.session.send(envelope, endless, { signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 20)
    await expect(sending).rejects.toThrow('enough')
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(released).toBe(true)
    await expect(aborting.session.send(envelope, Buffer.from('x'), { signal: abort.signal })).rejects.toThrow(
      'enough',
    )
    for (const { delivery } of [failing, aborting]) {
      expect(delivery.kept).toHaveLength(0)
      expect(delivery.aborted).toEqual(['lost'])
    }
  })

  it('says so where a source gives text in place of octets', async () => {
    const { session, delivery } = join()
    await session.ready
    const text = ['Subject: x\r\n'] as unknown as Uint8Array[]
    await expect(session.send(envelope, text)).rejects.toMatchObject({
      code: 'BODY',
      message: expect.stringContaining('not of type string'),
    })
    expect(session.over).toBe(true)
    expect(delivery.kept).toHaveLength(0)
  })

  it('reads no faster than the peer takes', async () => {
    const { session, delivery } = join()
    await session.ready
    let held = false
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const begin = delivery.begin.bind(delivery)
    delivery.begin = async (start, context) => {
      const begun = await begin(start, context)
      if ('code' in begun) return begun
      const write = begun.write.bind(begun)
      begun.write = async (chunk) => {
        held = true
        await gate
        await write(chunk)
      }
      return begun
    }
    let pulled = 0
    const source = (function* () {
      for (; pulled < 4000; pulled++) yield Buffer.alloc(999, 'x\r\n')
    })()
    const sending = session.send(envelope, source)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(held).toBe(true)
    expect(pulled).toBeLessThan(2000)
    release()
    expect((await sending).recipients[0]?.accepted).toBe(true)
    expect(delivery.kept[0]?.body).toHaveLength(3_996_000)
    await session.close()
  })

  it('hears a server that refuses a message before its end', async () => {
    const [client, server] = MemoryDuplex.pair()
    const session = new SmtpClientSession(client, { hostname: 'client.test' })
    const say = (text: string) => void server.write([Buffer.from(text)])
    say('220 mx\r\n')
    await server.read()
    say('250-mx\r\n250 PIPELINING\r\n')
    await session.ready
    let stopped = false
    const endless = (async function* () {
      try {
        for (;;) {
          yield Buffer.from('x\r\n')
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        stopped = true
      }
    })()
    const sending = session.send(envelope, endless)
    await server.read()
    say('250 ok\r\n250 ok\r\n354 go\r\n')
    await server.read()
    say('552 5.3.4 too much\r\n')
    expect((await sending).recipients[0]).toMatchObject({ accepted: false, reply: { code: 552 } })
    await session.close()
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(stopped).toBe(true)
  })

  it('gives a peer three minutes to take a block of data (RFC 5321 section 4.5.3.2.5)', async () => {
    const [client, server] = MemoryDuplex.pair()
    const clock = new VirtualClock()
    const session = new SmtpClientSession(client, { hostname: 'client.test', startTls: 'none' }, { clock })
    const say = (text: string) => void server.write([Buffer.from(text)])
    say('220 mx\r\n')
    await server.read()
    say('250-mx\r\n250 PIPELINING\r\n')
    await session.ready
    const sending = session.send(envelope, Buffer.alloc(5_000_000, 'x\r\n'))
    await server.read()
    say('250 ok\r\n250 ok\r\n354 go\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await clock.advance(179_000)
    expect(session.over).toBe(false)
    await clock.advance(2000)
    expect((await sending).recipients[0]).toMatchObject({ accepted: false, reply: { code: 451 } })
    expect((await session.closed)?.code).toBe('LOST')
  })

  it('sends one message at a time', async () => {
    const { session } = join()
    await session.ready
    const first = session.send(envelope, Buffer.from('x'))
    await expect(session.send(envelope, Buffer.from('x'))).rejects.toMatchObject({ code: 'STATE' })
    await first
    session.destroy()
    expect(await session.closed).toMatchObject({ code: 'LOST' })
    await expect(session.send(envelope, Buffer.from('x'))).rejects.toMatchObject({ code: 'STATE' })
  })
})
