import { describe, expect, it } from 'vitest'
import { SmtpClientSession } from '../../../src/smtp/index.js'
import { MemoryDuplex, VirtualClock } from '../../../src/testing/index.js'
import { ClientTalk, ehlo, envelope } from './talk.js'

const group = 'MAIL FROM:<a@c.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n'
const TAKEN = '250 ok\r\n250 ok\r\n354 go\r\n'
const next = { from: 'next@c.test', to: ['n@example.test'] }
const nextGroup = 'MAIL FROM:<next@c.test>\r\nRCPT TO:<n@example.test>\r\nDATA\r\n'

/** The first message is out whole, and the second's envelope with it. */
function following(given: Partial<typeof envelope> = next): ClientTalk {
  const talk = new ClientTalk().begin('PIPELINING')
  talk.send()
  talk.hear(TAKEN)
  talk.body('one\r\n')
  talk.send(given)
  return talk
}

const summary = (talk: ClientTalk): string[] =>
  talk.outcomes.map(({ recipients, error }) =>
    [...recipients.map(({ reply, stage }) => `${reply.code} ${stage}`), error?.code ?? 'fine'].join(', '),
  )

describe('a message behind another', () => {
  it('sends its commands in the group that ends with the message before (RFC 2920 section 3.1)', () => {
    const talk = new ClientTalk().begin('PIPELINING')
    expect(talk.send()).toBe(group)
    expect(talk.engine.accepts).toBe(false)
    talk.hear(TAKEN)
    talk.engine.write(Buffer.from('one\r\n'))
    expect(talk.engine.accepts).toBe(false)
    talk.engine.end()
    expect(talk.engine).toMatchObject({ accepts: true, ready: false })
    talk.engine.send(next)
    expect(talk.engine).toMatchObject({ accepts: false, ready: false, need: 'input' })
    expect(() => talk.engine.send(next)).toThrow(expect.objectContaining({ code: 'STATE' }))
    expect(() => talk.engine.quit()).toThrow(expect.objectContaining({ code: 'STATE' }))
    expect(talk.run()).toBe(`one\r\n.\r\n${nextGroup}`)
    talk.hear(`250 first kept\r\n${TAKEN}`)
    expect(talk.body('two')).toBe('two\r\n.\r\n')
    talk.hear('250 second kept\r\n')
    expect(talk.outcomes.map(({ recipients }) => recipients[0])).toMatchObject([
      { address: 'b@example.test', accepted: true, reply: { lines: ['first kept'] } },
      { address: 'n@example.test', accepted: true, reply: { lines: ['second kept'] } },
    ])
    const order = talk.events.slice(3).map(({ type }) => type)
    expect(order).toEqual(['body', 'sent', 'message', 'body', 'sent', 'message'])
    expect(talk.engine.ready).toBe(true)
  })

  it('hears the same for every cut of what the server says', () => {
    const text = `250 kept\r\n${TAKEN}`
    const whole = following()
    whole.hear(text)
    for (let cut = 0; cut < text.length; cut++) {
      const talk = following()
      talk.hear(text, cut === 0 ? [...text].map((_, index) => index) : [cut])
      expect(talk.events).toEqual(whole.events)
      expect(talk.engine.need).toBe('data')
    }
  })

  it('can itself be followed, without end', () => {
    const talk = following()
    for (let turn = 0; turn < 1000; turn++) {
      talk.hear(`250 kept ${turn}\r\n${TAKEN}`)
      talk.body('more\r\n')
      expect(talk.send(next)).toBe(nextGroup)
    }
    expect(talk.outcomes).toHaveLength(1000)
    expect(talk.outcomes[999]?.recipients[0]?.reply.lines).toEqual(['kept 999'])
  })

  it('goes only where commands are pipelined, and where one reply ends the message before', () => {
    const cases: readonly [ConstructorParameters<typeof ClientTalk>[0], string[]][] = [
      [{}, []],
      [{ limits: { pipelined: 1 } }, ['PIPELINING']],
      [{}, ['PIPELINING', 'CHUNKING']],
      [{ lmtp: true }, ['PIPELINING']],
    ]
    for (const [options, keywords] of cases) {
      const talk = new ClientTalk(options).begin(...keywords)
      talk.send()
      for (const reply of TAKEN.split(/(?<=\n)/)) if (talk.engine.need !== 'data') talk.hear(reply)
      talk.body('x\r\n')
      expect(talk.engine.accepts).toBe(false)
      expect(talk.events.some(({ type }) => type === 'sent')).toBe(false)
      expect(() => talk.send(next)).toThrow(expect.objectContaining({ code: 'STATE' }))
      talk.hear('250 kept\r\n')
      expect(talk.engine).toMatchObject({ ready: true, accepts: true })
    }
  })

  it('goes on whatever becomes of the one before', () => {
    for (const [said, outcome] of [
      ['250 kept', '+250'],
      ['451 later', '-451'],
      ['554 spam', '-554'],
    ]) {
      const talk = following()
      talk.hear(`${said}\r\n`)
      expect(talk.outcome).toBe(outcome)
      talk.hear(TAKEN)
      talk.body('two')
      talk.hear('250 kept\r\n')
      expect(talk.outcome).toBe('+250')
      expect(talk.send()).toBe(group)
    }
  })

  it('may be refused itself, and nothing of that is lost on the next', () => {
    const refused = following()
    refused.hear('250 kept\r\n550 not you\r\n503 what\r\n503 what\r\n')
    expect(summary(refused)).toEqual(['250 message, fine', '550 mail, fine'])
    expect(refused.send()).toBe(group)
    const nobody = following()
    nobody.hear('250 kept\r\n250 ok\r\n550 nobody\r\n')
    expect(nobody.outcomes).toHaveLength(1)
    expect(nobody.hear('354 go\r\n')).toBe('.\r\n')
    nobody.hear('554 nobody\r\n')
    expect(summary(nobody)).toEqual(['250 message, fine', '550 rcpt, fine'])
    const wrong = following({ to: ['no address'] })
    expect(wrong.output.endsWith('one\r\n.\r\n')).toBe(true)
    expect(wrong.outcomes).toHaveLength(0)
    wrong.hear('250 kept\r\n')
    expect(summary(wrong)).toEqual(['250 message, fine', '501 local, fine'])
    expect(wrong.engine.ready).toBe(true)
    const open = following()
    open.hear('250 kept\r\n250 ok\r\n550 nobody\r\n554 nobody\r\n')
    expect(open.send()).toBe(`RSET\r\n${group}`)
  })

  it('never has more commands on their way than the limit', () => {
    const talk = new ClientTalk({ limits: { pipelined: 5 } }).begin('PIPELINING')
    talk.send()
    talk.hear(TAKEN)
    talk.body('one\r\n')
    const to = Array.from({ length: 20 }, (_, index) => `u${index}@x.test`)
    let commands = talk.send({ to }).split('\r\n').length - 1
    expect(commands).toBe(4)
    for (let replies = 0; replies <= 21; replies++) {
      commands += talk.hear('250 ok\r\n').split('\r\n').length - 1
      expect(commands - replies).toBeLessThanOrEqual(5)
    }
    talk.hear('354 go\r\n')
    talk.body('two')
    talk.hear('250 kept\r\n')
    expect(talk.outcomes.at(-1)?.recipients.every(({ accepted }) => accepted)).toBe(true)
  })

  it('has not been asked about where the session ends before its turn', () => {
    const ends: readonly [string, (talk: ClientTalk) => void, string, string][] = [
      ['421', (talk) => talk.hear('421 4.3.2 bye\r\n'), '421 message, REFUSED', '451 local, REFUSED'],
      ['lost', (talk) => talk.engine.lost(), '451 message, LOST', '451 local, LOST'],
      ['closed', (talk) => talk.engine.receiveEnd(), '451 message, LOST', '451 local, LOST'],
      ['silent', (talk) => talk.engine.timedOut(), '451 message, TIMEOUT', '451 local, TIMEOUT'],
      ['nonsense', (talk) => talk.hear('what?\r\n'), '451 message, REPLY', '451 local, REPLY'],
      ['shutdown', (talk) => talk.engine.shutdown('shutdown'), '451 message, fine', '451 local, fine'],
    ]
    for (const [name, end, first, second] of ends) {
      const talk = following()
      end(talk)
      talk.run()
      expect(summary(talk), name).toEqual([first, second])
      expect(
        talk.outcomes.map(({ inDoubt }) => inDoubt),
        name,
      ).toEqual([name !== '421', false])
      expect(
        talk.events.slice(-3).map(({ type }) => type),
        name,
      ).toEqual(['message', 'message', 'closed'])
      expect(talk.engine.accepts).toBe(false)
    }
    const later = following()
    later.hear('250 kept\r\n')
    later.engine.lost()
    later.run()
    expect(summary(later)).toEqual(['250 message, fine', '451 rcpt, LOST'])
  })
})

describe('SmtpClientSession', () => {
  /** A session whose server is played by hand. */
  async function played() {
    const [client, server] = MemoryDuplex.pair()
    const session = new SmtpClientSession(client, { hostname: 'client.test' }, { clock: new VirtualClock() })
    const say = (text: string) => void server.write([Buffer.from(text)])
    const hear = async (expected: string) => {
      let heard = ''
      while (heard.length < expected.length) heard += String(await server.read())
      expect(heard).toBe(expected)
    }
    say('220 mx\r\n')
    await hear('EHLO client.test\r\n')
    say(ehlo('PIPELINING'))
    await session.ready
    return { session, say, hear }
  }

  /** A message whose end is out, and one behind it. */
  async function two(signals: { first?: AbortSignal; second?: AbortSignal } = {}) {
    const talk = await played()
    const { session } = talk
    let second: ReturnType<typeof session.send> | undefined
    const first = session.send(envelope, Buffer.from('one\r\n'), {
      ...(signals.first === undefined ? {} : { signal: signals.first }),
      onSent: () => {
        second = session.send(
          next,
          (function* () {
            yield Buffer.from('two\r\n')
          })(),
          signals.second === undefined ? {} : { signal: signals.second },
        )
      },
    })
    await talk.hear(group)
    talk.say(TAKEN)
    await talk.hear(`one\r\n.\r\n${nextGroup}`)
    return { ...talk, first, second: second as ReturnType<typeof session.send> }
  }

  it('sends a message behind another, and settles each by itself', async () => {
    const { session, say, hear, first, second } = await two()
    await expect(session.send(next, Buffer.from('three'))).rejects.toMatchObject({ code: 'STATE' })
    say('554 no\r\n')
    expect((await first).recipients[0]).toMatchObject({ accepted: false, reply: { code: 554 } })
    say(TAKEN)
    await hear('two\r\n.\r\n')
    say('250 kept\r\n')
    expect((await second).recipients[0]).toMatchObject({ address: 'n@example.test', accepted: true })
    expect(session.engine.ready).toBe(true)
  })

  it('gives up the one behind at once, and the connection when the one before is done with', async () => {
    const abort = new AbortController()
    const { session, say, first, second } = await two({ second: abort.signal })
    abort.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    expect(session.over).toBe(false)
    say('250 kept\r\n')
    expect((await first).recipients[0]?.accepted).toBe(true)
    expect(await session.closed).toMatchObject({ code: 'LOST' })
  })

  it('has not asked for the one behind when the one before is given up', async () => {
    const abort = new AbortController()
    const { session, first, second } = await two({ first: abort.signal })
    abort.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    expect(await second).toMatchObject({
      inDoubt: false,
      error: { code: 'LOST' },
      recipients: [{ stage: 'local' }],
    })
    expect(session.over).toBe(true)
  })

  it('tells nobody of a message that nothing may follow', async () => {
    const { session, say, hear } = await played()
    let sent = 0
    const sending = session.send(envelope, Buffer.from('x'), { onSent: () => sent++ })
    await hear(group)
    say('250 ok\r\n550 nobody\r\n554 nobody\r\n')
    expect((await sending).recipients[0]?.accepted).toBe(false)
    expect(sent).toBe(0)
  })
})
