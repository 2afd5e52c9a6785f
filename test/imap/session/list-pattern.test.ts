import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ListPattern } from '../../../src/imap/session/list-pattern.js'

const matches = (pattern: string, name: string): boolean => new ListPattern(pattern, '/').matches(name)

/** What RFC 3501 section 6.3.8 says, as a regular expression. */
function naive(pattern: string, name: string): boolean {
  const source = [...pattern].map((char) => (char === '*' ? '[^]*' : char === '%' ? '[^/]*' : `[${char}]`))
  return new RegExp(`^${source.join('')}$`).test(name)
}

describe('ListPattern', () => {
  test.each([
    ['*', 'a/b', true],
    ['%', 'a', true],
    ['%', 'a/b', false],
    ['a/%', 'a/b', true],
    ['a/%', 'a', false],
    ['a%', 'a/b', false],
    ['a*', 'a/b', true],
    ['%/b', 'a/b', true],
    ['%%', 'abc', true],
    ['%*', 'a/b', true],
    ['*%', 'a/b/c', true],
    ['a*c%e', 'abcde', true],
    ['', 'a', false],
    ['inbox', 'INBOX', true],
    ['InB%', 'INBOX', true],
    ['inbox/%', 'INBOX/x', true],
    ['inboxes', 'INBOXES', false],
    ['sent', 'Sent', false],
  ])('%s and %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected)
  })

  test('agrees with a regular expression', () => {
    const text = (letters: string) =>
      fc.array(fc.constantFrom(...letters), { maxLength: 12 }).map((chars) => chars.join(''))
    fc.assert(
      fc.property(text('ab/*%'), text('ab/'), (pattern, name) => {
        expect(matches(pattern, name)).toBe(naive(pattern, name))
      }),
      { numRuns: 2000 },
    )
  })

  test('takes no longer for patterns that make others backtrack', () => {
    const started = performance.now()
    expect(matches(`${'*a%'.repeat(80)}b`, 'a'.repeat(255))).toBe(false)
    expect(matches(`${'*a'.repeat(30_000)}b`, 'a'.repeat(255))).toBe(false)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})
