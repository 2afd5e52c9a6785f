import { describe, expect, it } from 'vitest'
import type { WireEntry } from '../../../src/core/index.js'
import { WireLog } from '../../../src/core/index.js'
import type { ImapServerEngine, ImapServerEvent } from '../../../src/imap/index.js'
import { agree, drive, GREETING, LOGIN, LOGIN_REPLY, makeEngine } from './drive.js'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

function output(engine: ImapServerEngine): string {
  return Buffer.concat(engine.takeOutput()).toString('latin1')
}

/** An engine logged in, with nothing in its output, and the next event of `input` pending. */
function pending(input: string): { engine: ImapServerEngine; event: ImapServerEvent | null } {
  const engine = makeEngine()
  drive(engine, [LOGIN])
  engine.receive(bytes(input))
  return { engine, event: engine.next() }
}

describe('STARTTLS', () => {
  it('drops what came before the handshake and forgets the state', () => {
    const got = drive(makeEngine(), ['a STARTTLS\r\nb LOGIN fred secret\r\nc NOO', 'd CAPABILITY\r\n'])
    const capabilities =
      'IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN SASL-IR AUTH=PLAIN AUTH=LOGIN'
    expect(got.output).toBe(
      `${GREETING}a OK Begin TLS negotiation now\r\n* CAPABILITY ${capabilities}\r\nd OK Capabilities told\r\n`,
    )
    expect(got.events).toEqual([])
  })

  it('is done once, and only where it is offered', () => {
    const twice = drive(makeEngine(), ['a STARTTLS\r\n', 'b STARTTLS\r\n'])
    expect(twice.output).toMatch(/b BAD TLS cannot be started\r\n$/)
    const never = drive(makeEngine({ startTls: false }), ['a STARTTLS\r\n'])
    expect(never.output).not.toContain('STARTTLS ')
    expect(never.output).toMatch(/a BAD TLS cannot be started\r\n$/)
    expect(drive(makeEngine(), [LOGIN, 'a STARTTLS\r\n']).output).toMatch(/a BAD STARTTLS is not possible/)
  })

  it('says nothing in clear between the go-ahead and the handshake', () => {
    const engine = makeEngine()
    engine.receive(bytes('a STARTTLS\r\n'))
    expect(engine.next()).toBe(null)
    expect(engine.need).toBe('upgrade')
    output(engine)
    engine.shutdown('shutdown')
    expect(engine.next()).toEqual({ type: 'closed' })
    expect(output(engine)).toBe('')
  })
})

describe('plaintext passwords', () => {
  const options = { allowPlaintext: false }

  it('are refused without encryption (RFC 3501 section 6.2.3, RFC 5530)', () => {
    const got = drive(makeEngine(options), [
      'a LOGIN fred secret\r\nb LOGIN {4}\r\nc AUTHENTICATE PLAIN AGZyZWQAc2VjcmV0\r\nd LOGIN {4+}\r\nfred x\r\n',
    ])
    expect(got.output.split('\r\n')).toEqual([
      '* OK [CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN SASL-IR STARTTLS ' +
        'LOGINDISABLED] mail.example ready',
      'a NO [PRIVACYREQUIRED] LOGIN is disabled',
      'b NO [PRIVACYREQUIRED] LOGIN is disabled',
      'c NO [PRIVACYREQUIRED] The mechanism is not available',
      'd NO [PRIVACYREQUIRED] LOGIN is disabled',
      '',
    ])
    expect(got.events).toEqual([])
  })

  it('are taken after STARTTLS and with TLS from the start', () => {
    expect(drive(makeEngine(options), ['a STARTTLS\r\n', LOGIN]).output).toContain(LOGIN_REPLY)
    expect(drive(makeEngine({ ...options, secure: true }), [LOGIN]).output).toContain(LOGIN_REPLY)
  })

  it('are never offered where no mechanism can check one', () => {
    const got = drive(makeEngine({ mechanisms: ['X-NONE'], secure: true }), [LOGIN])
    expect(got.output).toContain('SASL-IR LOGINDISABLED] mail')
    expect(got.output).toContain('l NO [CANNOT] LOGIN is disabled')
  })
})

describe('an ask', () => {
  it('holds back everything after it until it is answered', () => {
    const { engine, event } = pending('a NOOP\r\nb LOGOUT\r\n')
    expect(event).toMatchObject({ type: 'command', tag: 'a' })
    expect(engine.need).toBe('answer')
    expect(engine.next()).toBe(null)
    expect(output(engine)).toBe('')
    engine.respond('* 1 EXISTS\r\n')
    engine.complete('OK', 'ALERT', 'Done')
    expect(engine.next()).toEqual({ type: 'closed' })
    expect(output(engine)).toBe('* 1 EXISTS\r\na OK [ALERT] Done\r\n* BYE Logging out\r\nb OK Logged out\r\n')
    expect(engine.need).toBe('closed')
  })

  it('takes no answer but its own', () => {
    const { engine } = pending('a NOOP\r\n')
    const turn = expect.objectContaining({ code: 'TURN' })
    expect(() => engine.acceptAppend()).toThrow(turn)
    expect(() => engine.idling()).toThrow(turn)
    engine.complete('OK', null, 'x')
    expect(() => engine.complete('OK', null, 'x')).toThrow(turn)
    expect(() => engine.upgraded('tls', null)).toThrow(turn)
  })

  it('ends the session when the session enters logout', () => {
    const { engine } = pending('a NOOP\r\n')
    engine.enter('logout')
    engine.complete('NO', null, 'x')
    expect(engine.next()).toEqual({ type: 'closed' })
  })

  it('is not needed for that during IDLE', () => {
    const { engine } = pending('a IDLE\r\nDONE\r\n')
    engine.idling()
    engine.respond('* BYE Gone\r\n')
    engine.enter('logout')
    expect(engine.next()).toEqual({ type: 'closed' })
    expect(output(engine)).toBe('+ idling\r\n* BYE Gone\r\n')
  })
})

describe('shutdown', () => {
  it('waits for the answer that is pending', () => {
    const { engine } = pending('a NOOP\r\nb NOOP\r\n')
    engine.shutdown('shutdown')
    expect(engine.next()).toBe(null)
    engine.complete('OK', null, 'Done')
    expect(output(engine)).toBe('a OK Done\r\n* BYE [UNAVAILABLE] Server is shutting down\r\n')
    expect(engine.next()).toEqual({ type: 'closed' })
  })

  it('does not wait after an internal error, whose answer will never come', () => {
    const { engine } = pending('a NOOP\r\n')
    engine.shutdown('internalError')
    expect(engine.next()).toEqual({ type: 'closed' })
    expect(output(engine)).toBe('* BYE [SERVERBUG] Internal error\r\n')
    engine.complete('OK', null, 'late')
    expect(output(engine)).toBe('')
  })

  it('stands in place of the greeting', () => {
    const engine = makeEngine()
    engine.shutdown('tooManyConnections')
    expect(engine.next()).toEqual({ type: 'closed' })
    expect(output(engine)).toBe('* BYE [LIMIT] Too many connections\r\n')
  })

  it('ends IDLE, and does not begin one', () => {
    const { engine } = pending('a IDLE\r\n')
    engine.idling()
    engine.next()
    engine.respond('* 2 EXISTS\r\n')
    engine.shutdown('shutdown')
    expect(engine.next()).toEqual({ type: 'closed' })
    expect(output(engine)).toMatch(/^\+ idling\r\n\* 2 EXISTS\r\n\* BYE/)
    const other = pending('a IDLE\r\n').engine
    other.shutdown('shutdown')
    other.idling()
    expect(output(other)).toMatch(/^\* BYE/)
  })

  it('within a message tells that the message is void', () => {
    for (const end of ['shutdown', 'lost', 'timedOut'] as const) {
      const { engine } = pending('a APPEND INBOX {10+}\r\nabc')
      engine.acceptAppend()
      expect(engine.next()).toMatchObject({ type: 'appendData' })
      if (end === 'shutdown') engine.shutdown('shutdown')
      else engine[end]()
      expect(engine.next()).toEqual({ type: 'appendAbort' })
      expect(engine.next()).toEqual({ type: 'closed' })
      expect(engine.next()).toBe(null)
      expect(engine.need).toBe('closed')
    }
  })

  it('while a message is announced voids it too', () => {
    const { engine } = pending('a APPEND INBOX {10}\r\n')
    engine.shutdown('shutdown')
    engine.acceptAppend()
    expect(engine.next()).toEqual({ type: 'appendAbort' })
    expect(output(engine)).toMatch(/^\* BYE/)
  })

  it('says nothing within a literal of a message', () => {
    const { engine } = pending('a NOOP\r\n')
    engine.respond('* 1 FETCH (BODY[] {100}\r\n')
    engine.respondBytes(bytes('x'.repeat(60)))
    engine.shutdown('internalError')
    expect(output(engine)).toBe(`* 1 FETCH (BODY[] {100}\r\n${'x'.repeat(60)}`)
    const whole = pending('a NOOP\r\n').engine
    whole.respond('* 1 FETCH (BODY[] {3}\r\n')
    whole.respondBytes(bytes('abc'))
    whole.shutdown('internalError')
    expect(output(whole)).toMatch(/\* BYE \[SERVERBUG\]/)
  })
})

describe('the end of the connection', () => {
  it('lets what was received be answered first', () => {
    const engine = makeEngine()
    engine.receive(bytes(`${LOGIN}a NOOP\r\nb NO`))
    engine.receiveEnd()
    const got = drive(engine, [])
    expect(got.output).toBe(`${GREETING}${LOGIN_REPLY}a OK Done\r\n`)
    expect(got.events.map((event) => event.type)).toEqual(['command', 'command', 'closed'])
    expect(got.need).toBe('closed')
  })

  it('in the middle of a message voids it', () => {
    for (const part of ['abc', 'abcd', 'abcd\r']) {
      const engine = makeEngine()
      engine.receive(bytes(`${LOGIN}a APPEND INBOX {4+}\r\n${part}`))
      engine.receiveEnd()
      const types = drive(engine, []).events.map((event) => event.type)
      expect(types).toEqual(['command', 'append', 'appendData', 'appendAbort', 'closed'])
    }
  })

  it('voids a pending answer', () => {
    const { engine } = pending('a NOOP\r\n')
    engine.lost()
    engine.respond('* 1 EXISTS\r\n')
    engine.complete('OK', null, 'late')
    engine.acceptAppend()
    engine.idling()
    expect(engine.next()).toEqual({ type: 'closed' })
    expect(engine.outputSize).toBe(0)
  })
})

describe('waits', () => {
  it('before login there is one, whatever is sent', () => {
    const engine = makeEngine()
    const first = engine.wait
    drive(engine, ['a NOOP\r\n', 'b LOGIN {3}\r\n', 'x'])
    expect(engine.wait).toBe(first)
    expect(first).toEqual({ kind: 'login', ms: 60_000 })
    engine.timedOut()
    expect(output(engine)).toBe('* BYE Idle for too long\r\n')
  })

  it('after login there is one a command, which octets do not prolong', () => {
    const engine = makeEngine()
    drive(engine, [LOGIN])
    const first = engine.wait
    expect(first).toEqual({ kind: 'command', ms: 1_800_000 })
    drive(engine, ['a NO', 'O'])
    expect(engine.wait).toBe(first)
    drive(engine, ['P\r\n'])
    expect(engine.wait).toEqual(first)
    expect(engine.wait).not.toBe(first)
  })

  it('literals and messages have a rate, IDLE has its own', () => {
    const engine = makeEngine()
    drive(engine, [LOGIN, 'a CREATE {3}\r\n'])
    expect(engine.wait).toEqual({ kind: 'literal', ms: 300_000, minRate: 500 })
    drive(engine, ['abc\r\na APPEND INBOX {3}\r\n'])
    expect(engine.wait).toEqual({ kind: 'append', ms: 300_000, minRate: 500 })
    drive(engine, ['abc\r\n'])
    expect(engine.wait.kind).toBe('command')
    drive(engine, ['a IDLE\r\n'])
    expect(engine.wait).toEqual({ kind: 'idle', ms: 1_800_000 })
  })
})

describe('the wire log', () => {
  function logged(input: readonly string[], bodies = true): string {
    const entries: WireEntry[] = []
    const wireLog = new WireLog((entry) => entries.push(entry), { bodies })
    drive(makeEngine({ wireLog }), input)
    return entries.map(({ from, text }) => `${from === 'client' ? 'C' : 'S'} ${text}`).join('\n')
  }

  it('never shows a password', () => {
    const base64 = Buffer.from('\0fred\0hunter2').toString('base64')
    for (const input of [
      'a LOGIN fred hunter2\r\n',
      'a LOGIN {4+}\r\nfred {7+}\r\nhunter2\r\n',
      'a LOGIN {4+}\r\nfred "hunter2"\r\n',
      'a  LOGIN fred hunter2\r\n',
      'LOGIN fred hunter2\r\n',
      'hunter2\r\n',
      'a PASS hunter2\r\n',
      'a LOGIN fred hunter2\n',
      `a LOGIN fred hunter2${'x'.repeat(9_000)}\r\n`,
      `a AUTHENTICATE PLAIN ${base64}\r\n`,
      `a AUTHENTICATE PLAIN\r\n${base64}\r\n`,
      `a authenticate "PLAIN" ${base64}\r\n`,
    ]) {
      for (const chunks of [[input], [...input]]) {
        const text = logged(chunks)
        expect(text).not.toContain('hunter2')
        expect(text).not.toContain(base64)
        expect(text).toContain('C ')
      }
    }
  })

  it('shows the rest', () => {
    const text = logged([
      `${LOGIN}a APPEND INBOX {3+}\r\nabc\r\nb CREATE {3+}\r\nx\r\n\r\nc IDLE\r\nDONE\r\n`,
    ])
    expect(text.split('\n').filter((line) => line.startsWith('C'))).toEqual([
      'C l LOGIN ***',
      'C a APPEND INBOX {3+}',
      'C abc',
      'C ',
      'C b CREATE {3+}',
      'C x',
      'C ',
      'C c IDLE',
      'C DONE',
    ])
  })
})

it('the view of a message is the memory that was received', () => {
  const chunk = bytes('a APPEND INBOX {3+}\r\nabc\r\n')
  const engine = makeEngine()
  drive(engine, [LOGIN])
  engine.receive(chunk)
  engine.next()
  engine.acceptAppend()
  const event = engine.next()
  expect(event?.type === 'appendData' && event.chunk.buffer === chunk.buffer).toBe(true)
  drive(engine, [], agree)
})
