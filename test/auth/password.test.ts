import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  formatPasswordHash,
  PasswordHasher,
  parsePasswordHash,
  preparePassword,
} from '../../src/auth/index.js'
import { scramKeys } from '../../src/auth/password.js'
import { isMailError } from '../../src/core/index.js'

const cheap = { logN: 10, scramIterations: 4096 }

it('verifies the password it hashed and no other', async () => {
  const hasher = new PasswordHasher(cheap)
  const encoded = await hasher.hash('secret')
  expect(await hasher.verify('secret', encoded)).toBe('ok')
  expect(await hasher.verify('Secret', encoded)).toBe('wrong')
  expect(await hasher.verify('', encoded)).toBe('wrong')
  expect(await hasher.verify('secret', null)).toBe('wrong')
  expect(encoded).not.toBe(await hasher.hash('secret'))
  expect(encoded).toMatch(/^[\x21-\x7e]+$/)
})

it('verifies a hash of other costs', async () => {
  const encoded = await new PasswordHasher({ logN: 11, scramIterations: 5000 }).hash('secret')
  expect(parsePasswordHash(encoded)).toMatchObject({ logN: 11, r: 8, p: 1, scram: { iterations: 5000 } })
  expect(await new PasswordHasher(cheap).verify('secret', encoded)).toBe('ok')
})

it('keeps the SCRAM-SHA-256 keys of RFC 7677 section 3', async () => {
  const keys = await scramKeys('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096)
  expect(Buffer.from(keys.storedKey).toString('base64')).toBe('WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=')
  expect(Buffer.from(keys.serverKey).toString('base64')).toBe('wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=')
  const parsed = parsePasswordHash(await new PasswordHasher(cheap).hash('secret'))
  const again = await scramKeys('secret', parsed?.scram.salt as Uint8Array, 4096)
  expect(again).toEqual(parsed?.scram)
})

it('takes passwords that look the same as the same', async () => {
  const hasher = new PasswordHasher(cheap)
  const encoded = await hasher.hash('cafe\u0301 \ufb01n')
  expect(await hasher.verify('caf\u00e9\u00a0f\u00adin', encoded)).toBe('ok')
  expect(preparePassword('I\u00adX')).toBe('IX')
  expect(preparePassword('\u2168')).toBe('IX')
})

it('refuses passwords that cannot be', async () => {
  const hasher = new PasswordHasher(cheap)
  for (const password of ['', '\u00ad', 'a\0b', 'a\nb', '\u{e000}', '\ud800', 'x'.repeat(1025)]) {
    await expect(hasher.hash(password)).rejects.toMatchObject({ code: 'PASSWORD' })
    expect(await hasher.verify(password, await hasher.hash('secret'))).toBe('wrong')
  }
})

it('says unavailable of a damaged hash', async () => {
  const hasher = new PasswordHasher(cheap)
  const good = await hasher.hash('secret')
  const bad = [
    '',
    'secret',
    good.slice(0, -1),
    `${good}$`,
    good.replace('ln=10', 'ln=30'),
    good.replace('ln=10', 'ln=20'),
    good.replace('ln=10', 'ln=9'),
    good.replace('r=8', 'r=0'),
    good.replace('p=1', 'p=99'),
    good.replace('i=4096', 'i=1'),
    good.replace('i=4096', 'i=9000000'),
    good.replace('scrypt', 'bcrypt'),
    'x'.repeat(2000),
  ]
  for (const encoded of bad) expect(await hasher.verify('secret', encoded), encoded).toBe('unavailable')
})

it('reads back what it wrote, and never throws', () => {
  const octets = (minLength: number, maxLength: number) =>
    fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes))
  const hash = fc.record({
    logN: fc.integer({ min: 10, max: 15 }),
    r: fc.integer({ min: 1, max: 8 }),
    p: fc.integer({ min: 1, max: 16 }),
    salt: octets(8, 32),
    hash: octets(32, 32),
    scram: fc.record({
      salt: octets(8, 32),
      iterations: fc.integer({ min: 4096, max: 1_000_000 }),
      storedKey: octets(32, 32),
      serverKey: octets(32, 32),
    }),
  })
  fc.assert(
    fc.property(hash, (value) => {
      expect(parsePasswordHash(formatPasswordHash(value))).toEqual(value)
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parsePasswordHash(`$scrypt$${text}`)).toBeNull()
    }),
  )
})

it('runs a bounded number at once and turns away what is over the queue', async () => {
  const hasher = new PasswordHasher({ ...cheap, concurrency: 1, queue: 2 })
  const encoded = await hasher.hash('secret')
  const verdicts = await Promise.all(Array.from({ length: 5 }, () => hasher.verify('secret', encoded)))
  expect(verdicts).toEqual(['ok', 'ok', 'ok', 'unavailable', 'unavailable'])
  const hashes = await Promise.allSettled(Array.from({ length: 4 }, () => hasher.hash('secret')))
  expect(hashes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
  expect(isMailError((hashes[3] as PromiseRejectedResult).reason)).toBe(true)
  expect(await hasher.verify('secret', encoded)).toBe('ok')
})
