import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClientTalk, ehlo } from './talk.js'

const runs = Number(process.env.MAILWRIGHT_FUZZ_RUNS ?? 1500)

describe('a hostile server', () => {
  const protocol = (code: string) => ({ reason: 'protocol', error: { code } })

  it('is left when its lines or replies have no end', () => {
    const line = new ClientTalk({ limits: { replyOctets: 512 } })
    for (let sent = 0; sent < 4096 && line.closed === undefined; sent += 16) line.hear('220-'.padEnd(16, 'x'))
    expect(line.closed).toMatchObject(protocol('REPLY_TOO_LONG'))
    const lines = new ClientTalk({ limits: { replyLines: 20 } })
    lines.hear('220-x\r\n'.repeat(20))
    expect(lines.closed).toBeUndefined()
    lines.hear('220-x\r\n')
    expect(lines.closed).toMatchObject(protocol('REPLY_TOO_LONG'))
  })

  it('is left when it says what is no reply', () => {
    for (const said of ['hello', '', '199 x', '600 x', '22 x', '2200 x', '220-a\r\n221 b', '220_x']) {
      const talk = new ClientTalk()
      talk.hear(`${said}\r\n`)
      expect(talk.closed).toMatchObject(protocol('REPLY'))
    }
  })

  it('is left when it replies out of turn', () => {
    const idle = new ClientTalk().begin()
    idle.hear('250 what?\r\n')
    expect(idle.closed).toMatchObject(protocol('OUT_OF_TURN'))
    const more = new ClientTalk().begin('PIPELINING')
    more.send()
    more.hear('250 ok\r\n250 ok\r\n354 go\r\n')
    more.hear('250 kept already\r\n')
    expect(more.closed).toMatchObject(protocol('OUT_OF_TURN'))
    expect(more.outcome).toBe('-451')
    for (const replies of ['354 go\r\n', '250 ok\r\n334 go\r\n', '250 ok\r\n250 ok\r\n250 ok\r\n']) {
      const talk = new ClientTalk().begin('PIPELINING')
      talk.send()
      talk.hear(replies)
      expect(talk.closed).toMatchObject(protocol('OUT_OF_TURN'))
    }
  })

  it('is left when it challenges a login without end', () => {
    const password = { user: 'u', password: 'p' }
    const token = { user: 'u', accessToken: 't' }
    for (const [mechanism, credentials] of [
      ['PLAIN', password],
      ['LOGIN', password],
      ['SCRAM-SHA-256', password],
      ['OAUTHBEARER', token],
      ['XOAUTH2', token],
    ] as const) {
      const talk = new ClientTalk({ secure: true, credentials, mechanisms: [mechanism] })
      talk.begin(`AUTH ${mechanism}`)
      for (let turn = 0; turn < 10; turn++) talk.hear('334 \r\n')
      expect(talk.closed, mechanism).toMatchObject({ reason: 'policy', error: { code: 'AUTH_FAILED' } })
    }
  })

  it('may refuse a message before its end', () => {
    const talk = new ClientTalk().begin('PIPELINING')
    talk.send()
    talk.hear('250 ok\r\n250 ok\r\n354 go\r\n')
    talk.engine.write(Buffer.from('x'))
    talk.hear('552 5.3.4 too much\r\n')
    expect(talk.outcome).toBe('-552')
    expect(talk.closed?.reason).toBe('refused')
    expect(talk.engine.write(Buffer.from('x'))).toBe(false)
  })

  it('may close at any time with 421, or without a word', () => {
    const steps = ['250 ok\r\n', '250 ok\r\n', '354 go\r\n']
    for (let step = 0; step <= steps.length; step++) {
      for (const end of ['421 4.3.2 bye\r\n', null]) {
        const talk = new ClientTalk().begin()
        talk.send()
        for (const each of steps.slice(0, step)) talk.hear(each)
        if (step === steps.length) talk.body('x')
        if (end === null) talk.engine.lost()
        else talk.hear(end)
        talk.run()
        expect(talk.outcome).toBe(end === null ? '-451' : '-421')
        expect(talk.outcomes[0]).toMatchObject({
          inDoubt: step === steps.length && end === null,
          error: { message: expect.any(String) },
        })
        expect(talk.closed?.reason).toBe(end === null ? 'lost' : 'refused')
      }
    }
  })

  it('is heard out when the connection breaks behind its last words', () => {
    const talk = new ClientTalk().begin('PIPELINING')
    talk.send()
    talk.hear('250 ok\r\n250 ok\r\n354 go\r\n')
    talk.engine.write(Buffer.from('x'))
    talk.engine.receive(Buffer.from('554 5.7.1 spam\r\n'))
    talk.engine.lost()
    talk.run()
    expect(talk.outcome).toBe('-554')
  })

  it('does not hold a session longer than RFC 5321 section 4.5.3.2 wants', () => {
    const talk = new ClientTalk()
    const waits = [talk.engine.wait]
    const hear = (text: string): void => {
      talk.hear(text)
      waits.push(talk.engine.wait)
    }
    hear('220 mx\r\n')
    hear(ehlo())
    talk.send()
    waits.push(talk.engine.wait)
    hear('250 ok\r\n')
    hear('250 ok\r\n')
    hear('354 go\r\n')
    talk.body('x')
    waits.push(talk.engine.wait)
    expect(waits.map(({ kind, ms }) => `${kind} ${ms / 1000}`)).toEqual([
      'greeting 300',
      'ehlo 300',
      'idle Infinity',
      'mail 300',
      'rcpt 300',
      'data 120',
      'idle Infinity',
      'final 600',
    ])
    talk.engine.timedOut()
    talk.run()
    expect(talk.closed).toMatchObject({ reason: 'timeout', error: { code: 'TIMEOUT' } })
    expect(talk.outcomes[0]).toMatchObject({ inDoubt: true, recipients: [{ reply: { code: 451 } }] })
  })
})

const words = [
  '220 mx\r\n',
  '250 ok\r\n',
  '250-mx\r\n',
  '250-PIPELINING\r\n',
  '250-CHUNKING\r\n250-SIZE 100000\r\n',
  '250 STARTTLS\r\n',
  '250 AUTH PLAIN LOGIN SCRAM-SHA-256\r\n',
  '235 ok\r\n',
  '334 \r\n',
  '334 cj14LHM9eCxpPTE=\r\n',
  '354 go\r\n',
  '421 bye\r\n',
  '450 later\r\n',
  '550 5.1.1 no\r\n',
  '504 no\r\n',
  '\r',
  '\n',
  '\0',
  '999 x\r\n',
  '250',
  'x'.repeat(5000),
]
const piece = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((b) => Buffer.from(b).toString('latin1')) },
)
const openings = [
  [],
  ['220 mx\r\n', ehlo('PIPELINING')],
  ['220 mx\r\n', ehlo('PIPELINING', 'CHUNKING', 'SIZE 100000'), '250 ok\r\n'],
  ['220 mx\r\n', ehlo(), '250 ok\r\n', '250 ok\r\n', '354 go\r\n'],
  ['220 mx\r\n', ehlo('STARTTLS')],
]

describe('any octets in any state', () => {
  it('never throw, are bounded, and every message gets one outcome', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...openings),
        fc.array(piece, { maxLength: 25 }),
        fc.record({
          lmtp: fc.boolean(),
          login: fc.boolean(),
          size: fc.boolean(),
          follow: fc.boolean(),
          secure: fc.boolean(),
          ends: fc.constantFrom('end', 'lost', 'timeout', 'shutdown'),
        }),
        (opening, pieces, { lmtp, login, size, secure, follow, ends }) => {
          const credentials = login ? { user: 'u', password: 'p' } : null
          const talk = new ClientTalk({ lmtp, credentials, secure })
          let sent = 0
          let upgrades = 0
          const act = (): void => {
            for (let turn = 0; turn < 20; turn++) {
              const { engine } = talk
              if ((follow ? engine.accepts : engine.ready) && sent < 50) {
                engine.send({ from: 'a@b.test', to: ['c@d.test', 'e@f.test'], ...(size ? { size: 6 } : {}) })
                sent++
              } else if (engine.need === 'data') {
                engine.write(Buffer.from('hello\n'))
                if (engine.need === 'data') engine.end()
              } else if (engine.need === 'upgrade' && upgrades++ < 5) engine.upgraded('tls', null)
              else break
              talk.run()
            }
          }
          for (const text of [...opening, ...pieces]) {
            talk.hear(text)
            act()
            expect(talk.engine.outputSize).toBe(0)
          }
          const { engine } = talk
          if (ends === 'end') engine.receiveEnd()
          else if (ends === 'lost') engine.lost()
          else if (ends === 'timeout') engine.timedOut()
          else engine.shutdown('shutdown')
          talk.run()
          if (engine.need === 'upgrade') engine.upgraded('tls', null)
          talk.run()
          if (engine.need !== 'closed') engine.lost()
          talk.run()
          expect(talk.events.filter(({ type }) => type === 'closed')).toHaveLength(1)
          expect(talk.closed).toBeDefined()
          expect(talk.outcomes).toHaveLength(sent)
          for (const { recipients } of talk.outcomes) expect(recipients).toHaveLength(2)
          expect(talk.output).toMatch(/^(?:[\x20-\x7e]*\r\n)*$/)
          engine.receive(Buffer.from('250 ok\r\n'))
          engine.timedOut()
          engine.shutdown('shutdown')
          engine.lost()
          expect(engine.next()).toBeNull()
          expect(engine.takeOutput()).toEqual([])
        },
      ),
      { numRuns: runs },
    )
  })
})
