import { describe, expect, it } from 'vitest'
import { cuts, drive, GREETING, LOGIN, LOGIN_REPLY, makeEngine } from './drive.js'

/** What comes after the greeting. */
function toStranger(input: string, chunks: readonly string[] = [input]): string {
  return drive(makeEngine(), chunks).output.slice(GREETING.length)
}

/** What comes after login. */
function toUser(input: string, limits = {}): string {
  const { output } = drive(makeEngine({ limits }), [LOGIN, input])
  return output.slice(GREETING.length + LOGIN_REPLY.length)
}

const NOOP = 'n NOOP\r\n'
const DONE = 'n OK Done\r\n'

describe('the length of a command', () => {
  it('is 8 KB before login, whatever the cuts', () => {
    const line = (length: number): string => `a ID ("x" "${'y'.repeat(length - 15)}")\r\n`
    expect(line(8192)).toHaveLength(8192)
    expect(toStranger(line(8192) + NOOP)).toBe(`a BAD An ID field is too long\r\n${DONE}`)
    for (const size of [8193, 30_000]) {
      const input = line(size) + NOOP
      expect(toStranger(input)).toBe(`a BAD The command is too long\r\n${DONE}`)
      expect(toStranger(input, [...input])).toBe(`a BAD The command is too long\r\n${DONE}`)
    }
  })

  it('is 64 KB after login', () => {
    const set = (octets: number): string => `a UID FETCH ${'1,'.repeat(octets / 2)}1 FLAGS\r\n${NOOP}`
    expect(toUser(`s SELECT x\r\n${set(18_000)}`)).toBe(`s OK Done\r\na OK Done\r\n${DONE}`)
    expect(toUser(set(66_000))).toBe(`a BAD The command is too long\r\n${DONE}`)
  })

  it('counts the lines of a command together', () => {
    const lines = `a LOGIN {3+}\r\nabc ${'x'.repeat(8_180)}\r\n`
    expect(toStranger(lines + NOOP)).toBe(`a BAD The command is too long\r\n${DONE}`)
  })

  it('is kept where the line announces a literal, which is passed over', () => {
    const long = `a LIST "" ${'x'.repeat(70_000)}`
    expect(toUser(`${long} {10+}\r\nz LOGOUT\r\n\r\n${NOOP}`)).toBe(
      `a BAD The command is too long\r\n${DONE}`,
    )
    expect(toUser(`${long} {10}\r\n${NOOP}`)).toBe(`a BAD The command is too long\r\n${DONE}`)
    expect(toUser(`${long} {2000000+}\r\n`)).toMatch(/too long\r\n\* BYE \[TOOBIG\]/)
  })

  it('ends the session when the line never ends', () => {
    const endless = ['x'.repeat(600_000), 'x'.repeat(600_000), NOOP]
    const { output, need } = drive(makeEngine(), [LOGIN, ...endless])
    expect(output).toMatch(
      /\* BAD The command is too long\r\n\* BYE \[TOOBIG\] The command is too large\r\n$/,
    )
    expect(need).toBe('closed')
  })
})

describe('a literal that is no message', () => {
  it('is 4 KB before login: NO where the client waits, BYE where it does not', () => {
    expect(toStranger(`a LOGIN {4097}\r\n${NOOP}`)).toBe(`a NO [TOOBIG] The literal is too large\r\n${DONE}`)
    expect(toStranger(`a LOGIN {4097+}\r\n${NOOP}`)).toBe(
      'a NO [TOOBIG] The literal is too large\r\n* BYE [TOOBIG] The literal is too large\r\n',
    )
    expect(toStranger('a LOGIN {4096}\r\n')).toBe('+ Ready for the literal\r\n')
    expect(toStranger(`a LOGIN {4294967295}\r\n${NOOP}`)).toBe(
      `a NO [TOOBIG] The literal is too large\r\n${DONE}`,
    )
    expect(toStranger(`a LOGIN {99999999999999999999}\r\n${NOOP}`)).toBe(`a BAD Expected a number\r\n${DONE}`)
    expect(toStranger('a LOGIN {99999999999999999999+}\r\n')).toMatch(/\* BYE \[TOOBIG\]/)
  })

  it('is 100 KB after login, and one that does not wait is skipped', () => {
    const refused = 'a NO [TOOBIG] The literal is too large\r\n'
    const octets = 'z LOGOUT\r\n'.repeat(10_241)
    for (const chunks of [[octets], octets.match(/.{1,7}/gs) as string[]]) {
      const got = drive(makeEngine(), [LOGIN, `a CREATE {102410+}\r\n`, ...chunks, `\r\n${NOOP}`])
      expect(got.output).toBe(GREETING + LOGIN_REPLY + refused + DONE)
    }
    expect(toUser(`a CREATE {102400}\r\n`)).toBe('+ Ready for the literal\r\n')
    expect(toUser(`a CREATE {2000000+}\r\n`)).toBe(`${refused}* BYE [TOOBIG] The literal is too large\r\n`)
  })

  it('is one of 1,000', () => {
    const many = (count: number): string => `a LIST "" ${'{1+}\r\nx '.repeat(count)}\r\n${NOOP}`
    expect(toUser(many(1_000))).toBe(`a BAD Unexpected text after the command\r\n${DONE}`)
    expect(toUser(many(1_001))).toBe(`a NO [TOOBIG] The literal is too large\r\n${DONE}`)
    expect(toUser(many(200_000))).toMatch(/^a NO \[TOOBIG\] The literal is too large\r\n\* BYE \[TOOBIG\]/)
  })

  it('is one of 1 MB in all', () => {
    const some = (count: number): string =>
      `a LIST ${`{100000+}\r\n${'x'.repeat(100_000)} `.repeat(count)}\r\n${NOOP}`
    expect(toUser(some(10))).toBe(`a BAD Unexpected text after the command\r\n${DONE}`)
    expect(toUser(some(11))).toBe(`a NO [TOOBIG] The literal is too large\r\n${DONE}`)
  })
})

describe('a message', () => {
  it('that was refused and comes all the same is consumed up to 100 MB', () => {
    expect(toUser('a APPEND no {104857601+}\r\n')).toBe(
      'a NO [TRYCREATE] None\r\n* BYE [TOOBIG] The message is too large\r\n',
    )
    expect(toUser(`a APPEND no {300000+}\r\n${'x'.repeat(300_000)}\r\n${NOOP}`)).toBe(
      `a NO [TRYCREATE] None\r\n${DONE}`,
    )
    const malformed = `a APPEND INBOX x {3000000+}\r\n${'x'.repeat(3_000_000)}\r\n${NOOP}`
    expect(toUser(malformed)).toBe(`a BAD Expected a literal\r\n${DONE}`)
  })

  it('of more octets than a number can say is no message', () => {
    expect(toUser(`a APPEND INBOX {99999999999}\r\n${NOOP}`)).toBe(`a BAD Expected a number\r\n${DONE}`)
    expect(toUser('a APPEND INBOX {99999999999+}\r\n')).toMatch(
      /^a BAD Expected a number\r\n\* BYE \[TOOBIG\]/,
    )
  })
})

describe('bad commands', () => {
  it('end the session after 20 in a row once logged in', () => {
    const bad = 'a X\r\n'
    expect(toUser(bad.repeat(19) + NOOP + bad.repeat(19) + NOOP)).toMatch(/n OK Done\r\n$/)
    expect(toUser(bad.repeat(25))).toBe(
      `${'a BAD Unknown command\r\n'.repeat(20)}* BYE Too many bad commands\r\n`,
    )
  })

  it('are counted where the session says so too', () => {
    const got = drive(makeEngine({ limits: { errors: 2 } }), [LOGIN, NOOP, NOOP, NOOP], (engine, event) => {
      if (event.type !== 'command') return
      if (event.command.name === 'LOGIN') engine.enter('authenticated')
      engine.complete(event.command.name === 'LOGIN' ? 'OK' : 'BAD', null, 'x')
    })
    expect(got.output).toMatch(/n BAD x\r\nn BAD x\r\n\* BYE Too many bad commands\r\n$/)
  })
})

describe('the lines of an exchange and of IDLE', () => {
  it('are bounded', () => {
    const long = `${'A'.repeat(13_000)}\r\n`
    for (const chunks of [[long], [...long]]) {
      const got = drive(makeEngine(), ['a AUTHENTICATE PLAIN\r\n', ...chunks, NOOP])
      expect(got.output).toBe(`${GREETING}+ \r\na BAD The line is too long\r\n${DONE}`)
      const idle = drive(makeEngine(), [LOGIN, 'a IDLE\r\n', ...chunks, NOOP])
      expect(idle.output).toBe(`${GREETING}${LOGIN_REPLY}+ idling\r\na BAD Expected DONE\r\n${DONE}`)
    }
    expect(drive(makeEngine(), ['a AUTHENTICATE PLAIN\r\n', 'A'.repeat(2_000_000)]).output).toBe(
      `${GREETING}+ \r\na BAD The line is too long\r\n* BYE [TOOBIG] The command is too large\r\n`,
    )
  })
})

it('a host may set them, within reason', () => {
  expect(toUser(`a CREATE {5000}\r\n`, { literal: 4_999 })).toMatch(/^a NO \[TOOBIG\]/)
  expect(() => makeEngine({ limits: { line: 10 } })).toThrow(expect.objectContaining({ code: 'LIMIT' }))
})

it('a refused command is passed over at every cut', () => {
  const input = `a CREATE {5000+}\r\n${'z LOGOUT\r\n'.repeat(500)} {12+}\r\nz LOGOUT\r\n..\r\nn NOOP\r\n`
  for (const chunks of cuts(input).filter((_, i) => i < 40 || i % 97 === 0 || i > input.length - 40)) {
    const got = drive(makeEngine({ limits: { literal: 4096 } }), [LOGIN, ...chunks])
    expect(got.output).toBe(`${GREETING}${LOGIN_REPLY}a NO [TOOBIG] The literal is too large\r\n${DONE}`)
  }
})
