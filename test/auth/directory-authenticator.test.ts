import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { ConfigUser, Records, UserRecord } from '../../src/auth/index.js'
import {
  ConfigDirectory,
  DirectoryAuthenticator,
  DirectoryChain,
  PasswordHasher,
  parsePasswordHash,
  RecordDirectory,
  ScramSecret,
} from '../../src/auth/index.js'
import { scramKeys } from '../../src/auth/password.js'
import { MailError } from '../../src/core/index.js'
import type { AuthContext, AuthResult, Logger, ScramAttempt } from '../../src/interfaces/index.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'

class MapRecords implements Records {
  readonly map = new Map<string, string>()
  get = async (key: string) => this.map.get(key) ?? null
  put = async (key: string, value: string) => void this.map.set(key, value)
  add = async (key: string, value: string) => {
    if (this.map.has(key)) return false
    this.map.set(key, value)
    return true
  }
  delete = async (key: string) => this.map.delete(key)
  list = async () => [...this.map.keys()]
}

const hasher = new PasswordHasher({ logN: 10, scramIterations: 4096 })
const invalid = { ok: false, failure: 'invalid' }
const alice = { ok: true, user: 'alice@example.test' }

function context(remoteAddress = '192.0.2.1', signal = new AbortController().signal): AuthContext {
  return { protocol: 'imap', mechanism: 'PLAIN', remoteAddress, secure: true, signal }
}

function credentials(user: string, password: string, authorizationId = '') {
  return { user, password, authorizationId }
}

describe('DirectoryAuthenticator', () => {
  let clock: VirtualClock
  let records: MapRecords
  let directory: RecordDirectory
  let authenticator: DirectoryAuthenticator
  let log: unknown[]

  beforeEach(async () => {
    vi.restoreAllMocks()
    clock = new VirtualClock()
    records = new MapRecords()
    directory = new RecordDirectory(records, hasher)
    log = []
    await directory.add('alice@example.test', 'secret')
    authenticator = new DirectoryAuthenticator({
      directory,
      hasher,
      clock,
      logger: { log: (level, event, fields) => void log.push({ level, event, ...fields }) },
    })
  })

  /** Asks, and lets as much time pass as the answer needs. */
  async function ask(
    user: string,
    password: string,
    from?: string,
    authorizationId?: string,
  ): Promise<AuthResult> {
    const asked = authenticator.plain(credentials(user, password, authorizationId), context(from))
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(5000)
    return asked
  }

  it('takes the full address in any case', async () => {
    expect(await ask('alice@example.test', 'secret')).toEqual(alice)
    expect(await ask('Alice@EXAMPLE.Test', 'secret')).toEqual(alice)
    expect(await ask('alice', 'secret')).toEqual(invalid)
    expect(await ask('alice@example.test', 'Secret')).toEqual(invalid)
    expect(await ask('mallory@example.test', 'secret')).toEqual(invalid)
    expect(await ask('alice@example.test\0', 'secret')).toEqual(invalid)
  })

  it('lets nobody act for another', async () => {
    expect(await ask('alice@example.test', 'secret', undefined, 'ALICE@example.test')).toEqual(alice)
    expect(await ask('alice@example.test', 'secret', undefined, 'bob@example.test')).toEqual(invalid)
  })

  it('hashes once for every answer, whether the user exists or not', async () => {
    const verify = vi.spyOn(hasher, 'verify')
    const hashed = async (user: string, password: string): Promise<number> => {
      verify.mockClear()
      await ask(user, password, `203.0.113.${Math.floor(Math.random() * 250)}`)
      return verify.mock.calls.length
    }
    expect(await hashed('alice@example.test', 'wrong')).toBe(1)
    expect(await hashed('mallory@example.test', 'wrong')).toBe(1)
    expect(await hashed('alice', 'wrong')).toBe(1)
    expect(await hashed('', '')).toBe(1)
  })

  it('remembers a right password for five minutes, and a wrong one never', async () => {
    const verify = vi.spyOn(hasher, 'verify')
    await ask('alice@example.test', 'secret')
    await ask('alice@example.test', 'secret')
    expect(verify).toHaveBeenCalledTimes(1)
    await ask('alice@example.test', 'wrong')
    await ask('alice@example.test', 'wrong')
    expect(verify).toHaveBeenCalledTimes(3)
    await clock.advance(300_000)
    expect(await ask('alice@example.test', 'secret')).toEqual(alice)
    expect(verify).toHaveBeenCalledTimes(4)
  })

  it('acts upon a change at once', async () => {
    expect(await ask('alice@example.test', 'secret')).toEqual(alice)
    await directory.setPassword('alice@example.test', 'other')
    expect(await ask('alice@example.test', 'secret')).toEqual(invalid)
    expect(await ask('alice@example.test', 'other')).toEqual(alice)
    await directory.setDisabled('alice@example.test', true)
    expect(await ask('alice@example.test', 'other')).toEqual({ ok: false, failure: 'disabled' })
    expect(await ask('alice@example.test', 'wrong')).toEqual(invalid)
    await directory.remove('alice@example.test')
    expect(await ask('alice@example.test', 'other')).toEqual(invalid)
  })

  it('blocks an address after ten failures, and checks nothing any more', async () => {
    const verify = vi.spyOn(hasher, 'verify')
    const asked = Array.from({ length: 40 }, () =>
      authenticator.plain(credentials('alice@example.test', 'wrong'), context()),
    )
    const results = await Promise.all(asked)
    const failures = results.map((result) => (result.ok ? 'ok' : result.failure))
    expect(failures.filter((failure) => failure === 'invalid').length).toBeLessThanOrEqual(14)
    expect(failures.filter((failure) => failure === 'throttled').length).toBeGreaterThanOrEqual(26)
    verify.mockClear()
    expect(await ask('alice@example.test', 'secret')).toEqual({ ok: false, failure: 'throttled' })
    expect(verify).not.toHaveBeenCalled()
    expect(await ask('alice@example.test', 'secret', '203.0.113.1')).toEqual(alice)
    await clock.advance(60_000)
    expect(await ask('alice@example.test', 'secret')).toEqual(alice)
  })

  it('slows down after failures, for unknown users too, and stops when the connection is gone', async () => {
    for (const user of ['alice@example.test', 'mallory@example.test']) {
      for (let i = 0; i < 3; i++) await ask(user, 'wrong', `203.0.113.${i}`)
      const sleep = vi.spyOn(clock, 'sleep')
      await ask(user, 'wrong', '198.51.100.1')
      expect(sleep.mock.calls.map(([ms]) => ms)).toEqual([250])
      sleep.mockRestore()
    }
    const gone = new AbortController()
    const asked = authenticator.plain(credentials('mallory@example.test', 'x'), context('', gone.signal))
    gone.abort()
    expect(await asked).toEqual({ ok: false, failure: 'unavailable' })
  })

  it('says unavailable when it cannot tell, and does not count it', async () => {
    records.map.set('bob@example.test', '{"version":1}')
    const error = vi.spyOn(records, 'get')
    expect(await ask('bob@example.test', 'secret')).toEqual({ ok: false, failure: 'unavailable' })
    error.mockRejectedValue(new MailError('unavailable', 'the database is away'))
    for (let i = 0; i < 20; i++) {
      expect(await ask('alice@example.test', 'secret')).toEqual({ ok: false, failure: 'unavailable' })
    }
    error.mockRestore()
    expect(await ask('alice@example.test', 'secret')).toEqual(alice)
  })

  it('logs who and from where, and never a password', async () => {
    await ask('alice@example.test', 'secret')
    await ask('hunter2', 'hunter2')
    expect(log).toMatchObject([
      { level: 'info', event: 'auth.ok', user: 'alice@example.test', remoteAddress: '192.0.2.1' },
      { level: 'warn', event: 'auth.failed', user: '', failure: 'invalid' },
    ])
    expect(JSON.stringify(log)).not.toMatch(/secret|hunter2/)
  })
})

describe('SCRAM of DirectoryAuthenticator', () => {
  const throttled = { ok: false, failure: 'throttled' }
  const disabled = { ok: false, failure: 'disabled' }
  let clock: VirtualClock
  let records: MapRecords
  let directory: RecordDirectory
  let authenticator: DirectoryAuthenticator
  let log: unknown[]

  beforeEach(async () => {
    vi.restoreAllMocks()
    clock = new VirtualClock()
    records = new MapRecords()
    directory = new RecordDirectory(records, hasher)
    log = []
    await directory.add('alice@example.test', 'secret')
    const logger: Logger = { log: (level, event, fields) => void log.push({ level, event, ...fields }) }
    authenticator = new DirectoryAuthenticator({ directory, hasher, clock, logger })
  })

  function scram(user: string, from?: string, authorizationId = '', signal?: AbortSignal) {
    const asked = { ...context(from, signal), mechanism: 'SCRAM-SHA-256' }
    return authenticator.scram({ user, authorizationId }, asked)
  }

  async function attempt(...asked: Parameters<typeof scram>): Promise<ScramAttempt> {
    const begun = await scram(...asked)
    if (!('keys' in begun)) throw new Error(`refused: ${begun.failure}`)
    return begun
  }

  /** Lets as much time pass as the answer needs. */
  async function finish(begun: ScramAttempt, proved: boolean): Promise<AuthResult> {
    const finished = begun.finish(proved)
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(5000)
    return finished
  }

  it('is offered first, and has the keys that are stored with the password', async () => {
    expect(authenticator.mechanisms).toEqual(['SCRAM-SHA-256', 'PLAIN', 'LOGIN'])
    const begun = await attempt('Alice@EXAMPLE.test')
    const { salt, iterations, storedKey } = begun.keys
    expect(iterations).toBe(4096)
    expect((await scramKeys('secret', salt, iterations)).storedKey).toEqual(storedKey)
    expect(await finish(begun, true)).toEqual(alice)
    expect(log).toMatchObject([{ event: 'auth.ok', user: 'alice@example.test', mechanism: 'SCRAM-SHA-256' }])
  })

  it('tells nobody which users there are', async () => {
    const real = (await attempt('alice@example.test')).keys
    for (const user of ['mallory@example.test', 'mallory', 'alice', '\0', '@']) {
      const { keys } = await attempt(user)
      expect(keys.iterations).toBe(real.iterations)
      expect([keys.salt, keys.storedKey, keys.serverKey].map(({ length }) => length)).toEqual([16, 32, 32])
      expect((await attempt(user)).keys).toEqual(keys)
      expect(await finish(await attempt(user, '203.0.113.9'), true)).toEqual(invalid)
    }
    const [first, second] = [await attempt('mallory@example.test'), await attempt('Mallory@Example.TEST')]
    expect(first.keys).toEqual(second.keys)
    expect((await attempt('mallory@example.net')).keys.salt).not.toEqual(first.keys.salt)
    const other = new DirectoryAuthenticator({ directory, hasher, clock })
    const asked = await other.scram({ user: 'mallory@example.test', authorizationId: '' }, context())
    expect('keys' in asked && asked.keys.salt).not.toEqual(first.keys.salt)
  })

  it('lets nobody act for another', async () => {
    const self = await attempt('alice@example.test', undefined, 'ALICE@example.test')
    expect(await finish(self, true)).toEqual(alice)
    const other = await attempt('alice@example.test', undefined, 'bob@example.test')
    expect(await finish(other, true)).toEqual(invalid)
  })

  it('acts upon a change at once, also of an exchange that has begun', async () => {
    const begun = await Promise.all([1, 2, 3].map(() => attempt('alice@example.test')))
    const [before, later, last] = begun as [ScramAttempt, ScramAttempt, ScramAttempt]
    await directory.setDisabled('alice@example.test', true)
    expect(await finish(before, true)).toEqual(disabled)
    expect(await finish(await attempt('alice@example.test'), false)).toEqual(invalid)
    await directory.setDisabled('alice@example.test', false)
    await directory.setPassword('alice@example.test', 'other')
    expect(await finish(later, true)).toEqual(invalid)
    await directory.remove('alice@example.test')
    expect(await finish(last, true)).toEqual(invalid)
  })

  it('counts a wrong proof as a wrong password, and blocks after ten', async () => {
    const begun = await Promise.all(Array.from({ length: 12 }, () => attempt('alice@example.test')))
    for (const each of begun.slice(0, 10)) expect(await finish(each, false)).toEqual(invalid)
    expect(await finish(begun[10] as ScramAttempt, true)).toEqual(throttled)
    expect(await scram('alice@example.test')).toEqual(throttled)
    expect(await authenticator.plain(credentials('alice@example.test', 'secret'), context())).toEqual(
      throttled,
    )
    await clock.advance(60_000)
    expect(await finish(begun[11] as ScramAttempt, true)).toEqual(alice)
  })

  it('slows down after failures, for unknown users too, before the proof is looked at', async () => {
    for (const user of ['alice@example.test', 'mallory@example.test']) {
      const begun = await Promise.all([1, 2, 3, 4].map((n) => attempt(user, `203.0.113.${n}`)))
      const sleep = vi.spyOn(clock, 'sleep')
      for (const each of begun) await finish(each, false)
      expect(sleep.mock.calls.map(([ms]) => ms)).toEqual([250])
      sleep.mockRestore()
    }
    const gone = new AbortController()
    const begun = await attempt('mallory@example.test', '', '', gone.signal)
    const finished = begun.finish(true)
    gone.abort()
    expect(await finished).toEqual({ ok: false, failure: 'unavailable' })
  })

  it('says unavailable when it cannot tell, and does not count it', async () => {
    const unavailable = { ok: false, failure: 'unavailable' }
    records.map.set('bob@example.test', '{"version":1}')
    expect(await scram('bob@example.test')).toEqual(unavailable)
    records.map.set('bob@example.test', '{"version":1,"passwordHash":"x","disabled":false}')
    expect(await scram('bob@example.test')).toEqual(unavailable)
    const begun = await attempt('alice@example.test')
    const error = vi.spyOn(records, 'get').mockRejectedValue(new MailError('unavailable', 'away'))
    for (let i = 0; i < 20; i++) expect(await scram('alice@example.test')).toEqual(unavailable)
    expect(await finish(begun, true)).toEqual(unavailable)
    error.mockRestore()
    expect(await finish(await attempt('alice@example.test'), true)).toEqual(alice)
  })
})

describe('ScramSecret', () => {
  it('makes the same of a name each time, and something else of another', () => {
    const secret = new ScramSecret(Buffer.alloc(16, 1))
    expect(secret.saltOf('a')).toEqual(new ScramSecret(Buffer.alloc(16, 1)).saltOf('a'))
    expect(secret.saltOf('a')).not.toEqual(secret.saltOf('b'))
    expect(secret.saltOf('a')).not.toEqual(new ScramSecret().saltOf('a'))
    expect(secret.keysOfNobody('a', 5000)).toMatchObject({ salt: secret.saltOf('a'), iterations: 5000 })
    const tooShort = expect.objectContaining({ code: 'SECRET' })
    expect(() => new ScramSecret(Buffer.alloc(15))).toThrow(tooShort)
  })

  it('is kept', async () => {
    const kept = new MapRecords()
    const made = await Promise.all([ScramSecret.of(kept), ScramSecret.of(kept)])
    const salts = [...made, await ScramSecret.of(kept)].map((secret) => secret.saltOf('a').toString('hex'))
    expect(new Set(salts).size).toBe(1)
  })

  it('gives a configured user the same salt at each start', async () => {
    const secret = new ScramSecret()
    const saltOf = async (given?: ScramSecret) => {
      const config = await ConfigDirectory.create(
        [{ address: 'a@example.test', password: 'x' }],
        hasher,
        given,
      )
      const { passwordHash } = (await config.find('a@example.test')) as UserRecord
      return parsePasswordHash(passwordHash)?.scram.salt
    }
    expect(await saltOf(secret)).toEqual(secret.saltOf('a@example.test'))
    expect(await saltOf()).not.toEqual(await saltOf())
  })
})

describe('directories', () => {
  const users: readonly ConfigUser[] = [
    { address: 'Bob@Example.test', password: 'b' },
    { address: 'alice@example.test', password: 'a' },
  ]

  it('reads users from the configuration', async () => {
    const config = await ConfigDirectory.create(users, hasher)
    const bob = await config.find('bob@example.test')
    expect(await hasher.verify('b', bob?.passwordHash as string)).toBe('ok')
    expect(await config.first('example.test')).toBe('bob@example.test')
    expect(await config.first('test')).toBeNull()
    const again = await ConfigDirectory.create(
      [{ address: 'bob@example.test', passwordHash: bob?.passwordHash as string }],
      hasher,
    )
    expect(await again.find('bob@example.test')).toEqual(bob)
  })

  it.each([
    [[{ address: 'bob', password: 'b' }], 'USER'],
    [[{ address: 'bob@example.test', password: '' }], 'PASSWORD'],
    [[{ address: 'bob@example.test', passwordHash: 'b' }], 'USER'],
    [[...users, { address: 'bob@example.test', password: 'b' }], 'USER'],
  ] as [ConfigUser[], string][])('refuses %j', async (given, code) => {
    await expect(ConfigDirectory.create(given, hasher)).rejects.toMatchObject({ code })
  })

  it('prefers the earlier directory', async () => {
    const database = new RecordDirectory(new MapRecords(), hasher)
    await database.add('alice@example.test', 'database')
    await database.add('zoe@example.test', 'z')
    await database.add('carl@other.test', 'c')
    const chain = new DirectoryChain([await ConfigDirectory.create(users, hasher), database])
    const found = await chain.find('alice@example.test')
    expect(await hasher.verify('a', found?.passwordHash as string)).toBe('ok')
    expect((await chain.find('zoe@example.test'))?.address).toBe('zoe@example.test')
    expect(await chain.find('__proto__@example.test')).toBeNull()
    expect(await chain.first('other.test')).toBe('carl@other.test')
    expect(await chain.first('nowhere.test')).toBeNull()
  })

  it('keeps users as records', async () => {
    const database = new RecordDirectory(new MapRecords(), hasher)
    await database.add('Zoe@Example.test', 'z')
    await database.add('carl@example.test', 'c')
    expect(await database.list()).toEqual(['carl@example.test', 'zoe@example.test'])
    expect(await database.first('example.test')).toBe('carl@example.test')
    await expect(database.add('zoe@example.TEST', 'y')).rejects.toMatchObject({ kind: 'exists' })
    const twice = await Promise.allSettled(['1', '2'].map((each) => database.add('eva@example.test', each)))
    expect(twice.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(database.add('zoe', 'y')).rejects.toMatchObject({ code: 'USER' })
    await expect(database.setPassword('eve@example.test', 'y')).rejects.toMatchObject({ kind: 'notFound' })
    await expect(database.remove('eve@example.test')).rejects.toMatchObject({ kind: 'notFound' })
  })
})
