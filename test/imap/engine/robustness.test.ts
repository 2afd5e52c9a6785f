import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exampleFinal, exampleFirst } from '../../support/auth.js'
import { drive, LOGIN, makeEngine } from './drive.js'

const mechanisms = ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']

/** What brings the engine into each of its states. */
const states: readonly string[] = [
  '',
  LOGIN,
  `${LOGIN}s SELECT INBOX\r\n`,
  `${LOGIN}i IDLE\r\n`,
  'a AUTHENTICATE PLAIN\r\n',
  `a AUTHENTICATE SCRAM-SHA-256 ${exampleFirst}\r\n`,
  `a AUTHENTICATE SCRAM-SHA-256 ${exampleFirst}\r\n${exampleFinal}\r\n`,
  `${LOGIN}a APPEND INBOX {20}\r\nabc`,
  `${LOGIN}a APPEND INBOX {3+}\r\nabc`,
  `${LOGIN}a APPEND no {30+}\r\n`,
  `${LOGIN}a CREATE {7+}\r\nab`,
  `${LOGIN}a CREATE {200000+}\r\nab`,
  `${LOGIN}a X${'y'.repeat(70_000)}`,
]

/** Octets that look like IMAP more often than not. */
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((octets) => Buffer.from(octets).toString('latin1')),
  fc
    .array(
      fc.constantFrom(
        ...[
          'a ',
          'b ',
          '* ',
          '+ ',
          'NOOP',
          'LOGIN ',
          'UID ',
          'FETCH ',
          'SEARCH ',
          'STORE ',
          'APPEND ',
          'INBOX ',
          'IDLE',
        ],
        ...[
          'DONE',
          'STARTTLS',
          'LOGOUT',
          'AUTHENTICATE PLAIN',
          ' =',
          'ID ',
          'NIL',
          'LIST ',
          '"" ',
          '%',
          '(',
          ')',
          '{3}',
        ],
        ...[
          '{3+}',
          '{0+}',
          '{99999+}',
          '\r\n',
          '\r\n',
          '\r\n',
          '\n',
          '\r',
          '"',
          '\\',
          '\0',
          '\xff',
          '1:*',
          ',',
          '[',
          ']',
        ],
        ...['BODY', '<0.1>', '\\Seen', 'OR ', 'NOT ', 'HEADER.FIELDS ', '*', '&', '&-', 'x'.repeat(5000)],
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
)

describe('any octets in any state', () => {
  it('throw nothing, and cut anywhere come to the same', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...states),
        fc.array(noise, { maxLength: 8 }),
        fc.nat(),
        (state, parts, seed) => {
          const input = parts.join('')
          const whole = drive(makeEngine({ mechanisms }), [state, input])
          const at = seed % (input.length + 1)
          const cut = drive(makeEngine({ mechanisms }), [state, input.slice(0, at), input.slice(at)])
          const asked = input.toUpperCase().includes('STARTTLS')
          if (!asked) expect(cut).toEqual(whole)
          const small = input.length > 2_000 ? input.slice(0, 2_000) : input
          const bytewise = drive(makeEngine({ mechanisms }), [state, ...small])
          if (!asked && small === input) expect(bytewise).toEqual(whole)
          for (const line of whole.output.split('\r\n'))
            expect(line).toMatch(/^(?:[^ ]+ (?:OK|NO|BAD|BYE|CAPABILITY) .*|\+ .*|)$/)
        },
      ),
      { numRuns: 1_500 },
    )
  })
})

describe('floods take time in proportion', () => {
  const flood = (unit: string, count: number, chunked = false): { ms: number; output: string } => {
    const input = unit.repeat(count)
    const chunks = chunked ? [...input] : [input]
    const engine = makeEngine({ limits: { errors: 1000 } })
    drive(engine, [LOGIN, 's SELECT INBOX\r\n'])
    const start = performance.now()
    const { output } = drive(engine, chunks)
    return { ms: performance.now() - start, output }
  }

  it('10,000 NOOPs in a write are answered in order', () => {
    const { ms, output } = flood('a NOOP\r\n', 10_000)
    expect(output).toBe('a OK Done\r\n'.repeat(10_000))
    expect(ms).toBeLessThan(2_000)
  })

  it.each([
    ['small literals', 'a CREATE {1+}\r\nx\r\n', 5_000, false],
    ['octets one by one', 'a SEARCH ALL\r\n', 3_000, true],
    ['a literal octet by octet', `a CREATE {50000+}\r\n${'x'.repeat(50_000)}\r\n`, 2, true],
    ['a line octet by octet', `a UID FETCH ${'1,'.repeat(9_000)}1 FLAGS\r\n`, 2, true],
    [
      'many literals in a command',
      `a LIST "" ${'{1000+}\r\n'.concat('x'.repeat(1000), ' ').repeat(900)}\r\n`,
      3,
      false,
    ],
    ['capabilities', 'a CAPABILITY\r\n', 5_000, false],
  ])('%s', (_, unit, count, chunked) => {
    flood(unit, 1, chunked)
    const { ms } = flood(unit, count, chunked)
    expect(ms).toBeLessThan(3_000)
  })
})
