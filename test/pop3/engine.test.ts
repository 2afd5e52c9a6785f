import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WireEntry } from '../../src/core/index.js'
import { fromLatin1, WireLog } from '../../src/core/index.js'
import type { Pop3ServerEvent, Pop3ServerOptions } from '../../src/pop3/index.js'
import { Maildrop, Pop3ServerEngine } from '../../src/pop3/index.js'
import { agreeTo } from '../support/auth.js'

const options: Pop3ServerOptions = {
  hostname: 'mail.example.test',
  mechanisms: ['PLAIN', 'LOGIN', 'SCRAM-SHA-256'],
  startTls: true,
  allowPlaintext: true,
}

function start(given: Partial<Pop3ServerOptions> = {}): Pop3ServerEngine {
  const engine = new Pop3ServerEngine({ ...options, ...given })
  engine.next()
  engine.takeOutput()
  return engine
}

function loggedIn(maildrop = new Maildrop(7, [3, 5], [10, 20]), given: Partial<Pop3ServerOptions> = {}) {
  const engine = start(given)
  engine.receive(fromLatin1('USER a\r\nPASS b\r\n'))
  expect(engine.next()).toMatchObject({
    type: 'authenticate',
    mechanism: 'USER',
    question: { type: 'plain', credentials: { user: 'a', password: 'b' } },
  })
  const result = { ok: true, user: 'a@example.test' } as const
  engine.answerAuth(result)
  expect(engine.next()).toEqual({ type: 'login', mechanism: 'USER', user: 'a', result })
  engine.acceptLogin(maildrop)
  engine.next()
  engine.takeOutput()
  return engine
}

function output(engine: Pop3ServerEngine): string {
  return Buffer.concat(engine.takeOutput().map((chunk) => Buffer.from(chunk))).toString('latin1')
}

function say(engine: Pop3ServerEngine, text: string): string {
  engine.receive(fromLatin1(text))
  engine.next()
  return output(engine)
}

describe('Pop3ServerEngine', () => {
  it('takes a line of 255 octets, and 255 octets of argument', () => {
    const engine = start()
    engine.receive(fromLatin1(`USER a\r\nPASS ${'x'.repeat(255)}\r\n`))
    expect(engine.next()).toMatchObject({ question: { credentials: { password: 'x'.repeat(255) } } })
    expect(say(start(), `USER ${'x'.repeat(256)}\r\n`)).toBe('-ERR Line is too long\r\n')
  })

  it('drops an endless line without holding it', () => {
    const engine = start()
    for (let i = 0; i < 1000; i++) {
      engine.receive(Buffer.alloc(65_536, 0x41))
      expect(engine.next()).toBeNull()
    }
    expect(output(engine)).toBe('-ERR Line is too long\r\n')
    expect(say(engine, '\r\nUSER a\r\n')).toBe('+OK Send PASS\r\n')
  })

  it('takes a long line in an exchange, up to its own limit', () => {
    const engine = start()
    expect(say(engine, 'AUTH PLAIN\r\n')).toBe('+ \r\n')
    const long = Buffer.from(`\0a\0${'x'.repeat(9000)}`).toString('base64')
    engine.receive(fromLatin1(`${long}\r\n`))
    expect(engine.next()).toMatchObject({ type: 'authenticate', mechanism: 'PLAIN' })
    const other = start()
    say(other, 'AUTH PLAIN\r\n')
    expect(say(other, `${'A'.repeat(13_000)}\r\nUSER a\r\n`)).toBe(
      '-ERR Line is too long\r\n+OK Send PASS\r\n',
    )
  })

  it('closes after too many commands before login', () => {
    const engine = start()
    const said = say(engine, 'USER a\r\n'.repeat(101))
    expect(said).toBe(`${'+OK Send PASS\r\n'.repeat(100)}-ERR Too many commands before login\r\n`)
    expect(engine.need).toBe('closed')
  })

  it('writes a listing in slices, and lets the host write between them', () => {
    const uids = Array.from({ length: 100_000 }, (_, index) => index + 1)
    const engine = loggedIn(new Maildrop(7, uids, uids))
    engine.receive(fromLatin1('LIST\r\nUIDL\r\n'.repeat(20)))
    let most = 0
    let total = 0
    for (let event = engine.next(); event !== null; event = engine.next()) {
      expect(event.type).toBe('busy')
      most = Math.max(most, engine.outputSize)
      total += engine.outputSize
      engine.takeOutput()
    }
    expect(total + engine.outputSize).toBeGreaterThan(40_000_000)
    expect(most).toBeLessThan(100_000)
  })

  it('tells of output piling up under a flood of commands', () => {
    const engine = loggedIn()
    engine.receive(fromLatin1('CAPA\r\n'.repeat(10_000)))
    let most = 0
    for (let event = engine.next(); event !== null; event = engine.next()) {
      most = Math.max(most, engine.outputSize)
      engine.takeOutput()
    }
    expect(most).toBeLessThan(70_000)
  })

  it('has one unique-id for a message', () => {
    expect(say(loggedIn(), 'UIDL\r\n')).toBe('+OK\r\n1 7.3\r\n2 7.5\r\n.\r\n')
  })

  it('throws away what comes in clear after STLS, in the same chunk or a later one', () => {
    const engine = start()
    expect(say(engine, 'USER a\r\nSTLS\r\nCAPA\r\n')).toBe('+OK Send PASS\r\n+OK Begin TLS negotiation\r\n')
    expect(engine.need).toBe('upgrade')
    expect(say(engine, 'USER mallory\r\n')).toBe('')
    engine.upgraded('tls', null)
    expect(engine.next()).toEqual({ type: 'tls', info: null })
    expect(say(engine, 'PASS b\r\n')).toBe('-ERR Send USER first\r\n')
  })

  it('gives the pending answer before it says that it stops', () => {
    const engine = loggedIn()
    engine.receive(fromLatin1('RETR 2\r\nNOOP\r\n'))
    expect(engine.next()).toEqual({ type: 'retrieve', number: 2, uid: 5, lines: null })
    engine.acceptMessage()
    engine.body(fromLatin1('a\r\n'))
    engine.shutdown('shutdown')
    engine.body(fromLatin1('b\r\n'))
    engine.endMessage()
    expect(engine.next()).toEqual({ type: 'closed', reason: 'shutdown' })
    expect(output(engine)).toBe(
      '+OK Message follows\r\na\r\nb\r\n.\r\n-ERR [SYS/TEMP] Server is shutting down\r\n',
    )
    expect(engine.need).toBe('closed')
  })

  it('says in place of the greeting that it stops', () => {
    const engine = new Pop3ServerEngine(options)
    engine.shutdown('tooManyConnections')
    expect(engine.next()).toEqual({ type: 'closed', reason: 'shutdown' })
    expect(output(engine)).toBe('-ERR [SYS/TEMP] Too many connections, try again later\r\n')
  })

  it('never ends half a message as if it were whole', () => {
    for (const end of [
      (engine: Pop3ServerEngine) => engine.shutdown('internalError'),
      (engine: Pop3ServerEngine) => engine.breakOff(),
    ]) {
      const engine = loggedIn()
      engine.receive(fromLatin1('RETR 2\r\n'))
      engine.next()
      engine.acceptMessage()
      engine.body(fromLatin1('a\r\n'))
      end(engine)
      expect(output(engine)).toBe('+OK Message follows\r\na\r\n')
      expect(engine.need).toBe('closed')
    }
  })

  it('takes an answer to a lost connection in silence, and one out of turn not at all', () => {
    const engine = loggedIn()
    expect(() => engine.acceptUpdate()).toThrow(expect.objectContaining({ code: 'OUT_OF_TURN' }))
    expect(() => engine.body(fromLatin1('a'))).toThrow(expect.objectContaining({ code: 'OUT_OF_TURN' }))
    expect(() => engine.refuse(null, 'x')).toThrow(expect.objectContaining({ code: 'OUT_OF_TURN' }))
    engine.receive(fromLatin1('QUIT\r\n'))
    expect(engine.next()).toEqual({ type: 'update', uids: [] })
    engine.lost()
    engine.acceptUpdate()
    engine.body(fromLatin1('a'))
    engine.refuse(null, 'x')
    expect(output(engine)).toBe('')
    expect(engine.next()).toEqual({ type: 'closed', reason: 'lost' })
    expect(engine.next()).toBeNull()
  })

  it('logs no password and no payload', () => {
    const entries: WireEntry[] = []
    const engine = start({ wireLog: new WireLog((entry) => void entries.push(entry)) })
    say(engine, 'USER hunter2-not\r\nPAS hunter2\r\nhunter2\r\nAUTH PLAIN\r\naHVudGVyMg==\r\n')
    say(engine, `pass hunter2${'hunter2'.repeat(99)}\r\n`)
    const other = start({ wireLog: new WireLog((entry) => void entries.push(entry)) })
    say(other, 'USER a\r\nPASS\thunter2\r\nAUTH LOGIN aHVudGVyMg==\r\nPASS hunter2\r\n')
    const texts = entries.map(({ from, kind, text }) => `${from} ${kind} ${text}`)
    expect(texts).toContain('client line USER hunter2-not')
    expect(texts).toContain('client secret AUTH ***')
    expect(texts).toContain('client secret PAS ***')
    expect(texts).toContain('server line +OK Send PASS')
    const shown = texts.filter((text) => !text.includes('hunter2-not')).join('\n')
    expect(shown).not.toMatch(/hunter2|aHVudGVyMg/)
  })

  it('refuses options that cannot work', () => {
    expect(() => start({ hostname: 'a b' })).toThrow(expect.objectContaining({ code: 'OPTION' }))
    expect(() => start({ hostname: '<a>' })).toThrow(expect.objectContaining({ code: 'OPTION' }))
    expect(() => start({ mechanisms: ['APOP'] })).toThrow(expect.objectContaining({ code: 'OPTION' }))
    expect(() => start({ limits: { errors: -1 } })).toThrow(expect.objectContaining({ code: 'LIMIT' }))
  })
})

describe('any octets', () => {
  const words = [
    'USER',
    'PASS',
    'STAT',
    'LIST',
    'RETR',
    'DELE',
    'NOOP',
    'RSET',
    'QUIT',
    'TOP',
    'UIDL',
    'CAPA',
    'STLS',
  ]
  const line = fc
    .tuple(
      fc.constantFrom(...words, 'AUTH', 'AUTH PLAIN', 'AUTH LOGIN', 'AUTH SCRAM-SHA-256', '*', '=', ''),
      fc.constantFrom(
        ...[
          '',
          ' ',
          ' 1',
          ' 2 0',
          ' a',
          ' -1',
          ' AGEAYg==',
          ' biwsbj11LHI9eA==',
          '\0',
          '\r',
          'x'.repeat(300),
        ],
      ),
      fc.constantFrom('\r\n', '\r\n', '\n', ''),
    )
    .map((parts) => fromLatin1(parts.join('')))
  const octets = fc.oneof(
    line,
    line,
    line,
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  )

  it('never throw, never hang, never go past the limits', () => {
    fc.assert(
      fc.property(
        fc.array(octets, { maxLength: 60 }),
        fc.boolean(),
        fc.infiniteStream(fc.nat(5)),
        (chunks, ends, choices) => {
          const engine = new Pop3ServerEngine(options)
          let steps = 0
          const answer = (event: Pop3ServerEvent): void => {
            const { type } = event
            const { value: choice } = choices.next()
            if (choice === 0) engine.refuse('SYS/TEMP', 'not now')
            else if (type === 'authenticate') engine.answerAuth(agreeTo(event.question))
            else if (type === 'login' && choice === 1) engine.refuseLogin('invalid')
            else if (type === 'login') engine.acceptLogin(new Maildrop(1, [1, 2], [10, 20]))
            else if (type === 'update') engine.acceptUpdate()
            else {
              engine.acceptMessage()
              engine.body(fromLatin1('.\r\n'))
              if (choice === 1) engine.breakOff()
              else engine.endMessage()
            }
          }
          const pump = (): void => {
            for (;;) {
              const event = engine.next()
              if (event === null && engine.need === 'upgrade') engine.upgraded('tls', null)
              else if (event === null) return
              else if (engine.need === 'answer' && event.type !== 'busy') answer(event)
              expect(++steps).toBeLessThan(2000)
            }
          }
          for (const chunk of chunks) {
            engine.receive(chunk)
            pump()
          }
          if (ends) engine.receiveEnd()
          pump()
          expect(['input', 'closed']).toContain(engine.need)
          if (ends) expect(engine.need).toBe('closed')
          const said = output(engine)
          expect(said === '' || said.endsWith('\r\n')).toBe(true)
          expect(said.split('\r\n').every((each) => each.length <= 510)).toBe(true)
          expect(said.length).toBeLessThan(100_000)
        },
      ),
      { numRuns: 500 },
    )
  })
})
