import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalAddress, canonicalDomain } from '../../src/core/index.js'

it('brings addresses into one spelling', () => {
  expect(canonicalAddress('Alice@Example.TEST')).toBe('alice@example.test')
  expect(canonicalAddress('a@b@Example.test')).toBe('a@b@example.test')
  expect(canonicalAddress('J\u00d6RG@B\u00dcCHER.example')).toBe('j\u00f6rg@xn--bcher-kva.example')
  expect(canonicalAddress('jo\u0308rg@xn--bcher-kva.example')).toBe('j\u00f6rg@xn--bcher-kva.example')
  for (const address of [
    '',
    'a',
    '@b',
    'a@',
    'a@b.',
    'a@.b',
    'a@b..c',
    'a@b c',
    'a\0@b',
    'a\r\n@b',
    'a@[127.0.0.1]',
  ]) {
    expect(canonicalAddress(address), address).toBeNull()
  }
  expect(canonicalAddress(`${'a'.repeat(600)}@b`)).toBeNull()
  expect(canonicalDomain('x'.repeat(256))).toBeNull()
})

it('changes a canonical address no more', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('example.test', 'B\u00fccher.example'),
      (localPart, domain) => {
        const once = canonicalAddress(`${localPart}@${domain}`)
        if (once !== null) expect(canonicalAddress(once)).toBe(once)
      },
    ),
  )
})
