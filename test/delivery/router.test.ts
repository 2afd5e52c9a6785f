import { describe, expect, it } from 'vitest'
import { DeliveredToScanner } from '../../src/delivery/delivered-to-scanner.js'
import type { RoutingOptions, UserLookup } from '../../src/delivery/index.js'
import { Router } from '../../src/delivery/index.js'

const known = [
  'alice@example.test',
  'bob@example.test',
  'carl@other.test',
  'a+b@example.test',
  '+x@example.test',
]

const users: UserLookup = {
  find: async (address) => (known.includes(address) ? { address } : null),
  first: async (domain) => known.find((address) => address.endsWith(`@${domain}`)) ?? null,
}

const base: RoutingOptions = { domains: ['Example.test', 'other.test'] }

async function mayBe(user: string, sender: string, options: Partial<RoutingOptions> = {}) {
  const at = sender.lastIndexOf('@')
  const recipient = { address: sender, localPart: sender.slice(0, at), domain: sender.slice(at + 1) }
  return new Router({ ...base, ...options }, users).owns(recipient, user)
}

async function route(localPart: string, domain = 'example.test', options: Partial<RoutingOptions> = {}) {
  const recipient = { address: `${localPart}@${domain}`, localPart, domain }
  const found = await new Router({ ...base, ...options }, users).route(recipient)
  return found.type === 'users' ? [...found.users].sort().join(' ') : found.type
}

describe('Router.owns', () => {
  const alice = 'alice@example.test'
  const bob = 'bob@example.test'
  const options: Partial<RoutingOptions> = {
    aliases: {
      'bob@example.test': alice,
      'info@example.test': 'team@example.test',
      'team@example.test': [alice, 'carl@other.test'],
      'desk@example.test': bob,
      'loop@example.test': 'loop@example.test',
    },
    catchAll: { 'example.test': alice, 'other.test': alice },
    postmaster: alice,
  }

  it.each([
    ['alice@example.test'],
    ['Alice@Example.Test'],
    ['alice+lists@example.test'],
    ['info@example.test'],
    ['INFO+x@example.test'],
    ['team@example.test'],
    // Its mail is alice's, since it leads to the alias that bob has.
    ['desk@example.test'],
  ])('alice may send as %s', async (sender) => {
    expect(await mayBe(alice, sender, options)).toBe(true)
  })

  it.each([
    // Another user, though an alias of that name leads to her.
    ['bob@example.test'],
    ['bob+x@example.test'],
    ['carl@other.test'],
    ['a+b@example.test'],
    // The catch-all's.
    ['nobody@example.test'],
    ['nobody@other.test'],
    ['postmaster@example.test'],
    ['loop@example.test'],
    ['alice@elsewhere.test'],
    ['alice@[127.0.0.1]'],
    ['alice\0@example.test'],
  ])('alice may not send as %j', async (sender) => {
    expect(await mayBe(alice, sender, options)).toBe(false)
  })

  it('a user may send as himself, where an alias takes his mail too', async () => {
    expect(await mayBe(bob, 'bob@example.test', options)).toBe(true)
    expect(await mayBe(bob, 'bob+x@example.test', options)).toBe(true)
    expect(await mayBe(bob, 'desk@example.test', options)).toBe(false)
    expect(await mayBe('carl@other.test', 'info@example.test', options)).toBe(true)
    expect(await mayBe(bob, 'alice@example.test', options)).toBe(false)
    expect(await mayBe(bob, 'bob+x@example.test', { ...options, detailSeparator: '' })).toBe(false)
    const named = { aliases: { 'postmaster@example.test': bob } }
    expect(await mayBe(bob, 'postmaster@example.test', named)).toBe(true)
  })
})

describe('Router', () => {
  it('finds users by address in any case', async () => {
    expect(await route('alice')).toBe('alice@example.test')
    expect(await route('ALICE', 'EXAMPLE.TEST')).toBe('alice@example.test')
    expect(await route('carl', 'other.test')).toBe('carl@other.test')
    expect(await route('carl')).toBe('unknown')
    expect(await route('alice', 'other.test')).toBe('unknown')
  })

  it.each([
    ['alice%elsewhere.test', 'example.test', 'unknown'],
    ['elsewhere.test!alice', 'example.test', 'unknown'],
    ['alice@elsewhere.test', 'example.test', 'unknown'],
    ['@elsewhere.test:alice', 'example.test', 'unknown'],
    ['alice@example.test', 'elsewhere.test', 'foreign'],
    ['alice%example.test', 'elsewhere.test', 'foreign'],
    ['alice', 'example.test.', 'foreign'],
    ['alice', '.example.test', 'foreign'],
    ['alice', 'sub.example.test', 'foreign'],
    ['alice', 'xexample.test', 'foreign'],
    ['alice', '[127.0.0.1]', 'foreign'],
    ['alice', '[IPv6:::1]', 'foreign'],
    ['alice', 'example.test@elsewhere.test', 'foreign'],
    ['alice', '__proto__', 'foreign'],
    ['__proto__', 'example.test', 'unknown'],
    ['alice\0', 'example.test', 'unknown'],
    ['', 'example.test', 'unknown'],
    ['x'.repeat(5000), 'example.test', 'unknown'],
  ])('never relays %j at %j', async (localPart, domain, expected) => {
    expect(await route(localPart, domain)).toBe(expected)
  })

  it('ignores a detail, unless somebody is named with it', async () => {
    expect(await route('alice+lists')).toBe('alice@example.test')
    expect(await route('Alice+A+B')).toBe('alice@example.test')
    expect(await route('alice+')).toBe('alice@example.test')
    expect(await route('a+b')).toBe('a+b@example.test')
    expect(await route('+x')).toBe('+x@example.test')
    expect(await route('+alice')).toBe('unknown')
    expect(await route('alice-lists', undefined, { detailSeparator: '-' })).toBe('alice@example.test')
    expect(await route('alice+lists', undefined, { detailSeparator: '' })).toBe('unknown')
  })

  it('follows aliases, through each other and round in circles', async () => {
    const aliases = {
      'Sales@example.test': ['alice@example.test', 'BOB@example.test', 'more@example.test'],
      'more@example.test': 'carl@other.test',
      'loop1@example.test': 'loop2@example.test',
      'loop2@example.test': ['loop1@example.test'],
      'bob@example.test': ['bob@example.test', 'carl@other.test'],
      'gone@example.test': ['nobody@example.test', 'alice+gone@example.test'],
      'constructor@example.test': 'alice@example.test',
    }
    expect(await route('sales', undefined, { aliases })).toBe(
      'alice@example.test bob@example.test carl@other.test',
    )
    expect(await route('sales+x', undefined, { aliases })).toContain('carl@other.test')
    expect(await route('loop1', undefined, { aliases })).toBe('unknown')
    expect(await route('bob', undefined, { aliases })).toBe('bob@example.test carl@other.test')
    expect(await route('gone', undefined, { aliases })).toBe('alice@example.test')
    expect(await route('constructor', undefined, { aliases })).toBe('alice@example.test')
    expect(await route('toString', undefined, { aliases })).toBe('unknown')
  })

  it('hears postmaster of every domain, and of none', async () => {
    expect(await route('postmaster')).toBe('alice@example.test')
    expect(await route('PostMaster', 'other.test')).toBe('carl@other.test')
    expect(await route('Postmaster', '')).toBe('alice@example.test')
    expect(await route('postmaster+x')).toBe('alice@example.test')
    expect(await route('postmaster', 'empty.test', { domains: ['empty.test', 'other.test'] })).toBe(
      'carl@other.test',
    )
    expect(await route('postmaster', 'elsewhere.test')).toBe('foreign')
    expect(await route('postmaster', 'other.test', { postmaster: 'bob@example.test' })).toBe(
      'bob@example.test',
    )
    const aliases = { 'postmaster@other.test': 'bob@example.test', 'team@example.test': ['bob@example.test'] }
    expect(await route('postmaster', 'other.test', { aliases })).toBe('bob@example.test')
    expect(await route('postmaster', '', { aliases, postmaster: 'team@example.test' })).toBe(
      'bob@example.test',
    )
  })

  it('gives what nobody is named by to the catch-all', async () => {
    const catchAll = { 'other.test': 'team@example.test', 'example.test': 'void@other.test' }
    const aliases = { 'team@example.test': ['bob@example.test'], 'void@other.test': 'void2@example.test' }
    expect(await route('anyone', 'other.test', { catchAll, aliases })).toBe('bob@example.test')
    expect(await route('carl', 'other.test', { catchAll, aliases })).toBe('carl@other.test')
    expect(await route('a%b', 'other.test', { catchAll, aliases })).toBe('bob@example.test')
    expect(await route('anyone', 'example.test', { catchAll, aliases })).toBe('unknown')
    expect(await route('postmaster', 'other.test', { catchAll, aliases })).toBe('carl@other.test')
  })

  it.each([
    [{ domains: [] }, /at least one local domain/],
    [{ domains: ['a b'] }, /not a domain name/],
    [{ aliases: { alice: 'bob@example.test' } }, /full address/],
    [{ aliases: { 'alice@elsewhere.test': 'bob@example.test' } }, /not in a local domain/],
    [{ aliases: { 'sales@example.test': 'bob@elsewhere.test' } }, /mail is not sent out/],
    [{ aliases: { 'sales@example.test': [] } }, /leads nowhere/],
    [{ catchAll: { 'elsewhere.test': 'bob@example.test' } }, /not a local one/],
    [{ catchAll: { 'example.test': 'bob@elsewhere.test' } }, /mail is not sent out/],
    [{ postmaster: 'root@elsewhere.test' }, /mail is not sent out/],
    [{ detailSeparator: '@' }, /separator/],
    [
      { aliases: { 'a@other.test': Array.from({ length: 10_001 }, (_, i) => `u${i}@other.test`) } },
      /too many/,
    ],
  ] as [Partial<RoutingOptions>, RegExp][])('refuses %j', (options, message) => {
    expect(() => new Router({ ...base, ...options }, users)).toThrow(message)
  })
})

describe('DeliveredToScanner', () => {
  const header =
    'From: a\r\nDELIVERED-TO : <Alice@Example.test>\r\nX: y\r\ndelivered-to:bob@example.test \r\n\r\n'
  const body = 'Delivered-To: carl@other.test\r\n'

  it.each([1, 2, 7, 1000])('reads the header in pieces of %i', (size) => {
    const scanner = new DeliveredToScanner()
    const octets = Buffer.from(header + body)
    for (let at = 0; at < octets.length; at += size) scanner.write(octets.subarray(at, at + size))
    expect(scanner.has('alice@example.test')).toBe(true)
    expect(scanner.has('bob@example.test')).toBe(true)
    expect(scanner.has('carl@other.test')).toBe(false)
  })

  it('holds a bounded part of an endless header', () => {
    const scanner = new DeliveredToScanner()
    for (let i = 0; i < 1000; i++) scanner.write(Buffer.from(`Delivered-To: u${i}@example.test\n`))
    expect(scanner.has('u99@example.test')).toBe(true)
    expect(scanner.has('u100@example.test')).toBe(false)
    for (let i = 0; i < 100; i++) scanner.write(Buffer.alloc(65_536, 0x64))
  })
})
