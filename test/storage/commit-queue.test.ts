import { describe, expect, it } from 'vitest'
import type { MailStore, Staged } from '../../src/interfaces/index.js'
import { openSqliteStore, type SqlDriver, sqlDrivers } from '../../src/storage/index.js'
import { plainFacts } from '../../src/testing/store-suite.js'
import { temporaryFolders } from './folders.js'

const newFolder = temporaryFolders()
const octets = Buffer.from('a message')

/** A store whose every commit takes so many milliseconds, and how many there were. */
async function open(ms: number): Promise<{ store: MailStore; inbox: string; commits: () => number }> {
  let count = 0
  const slow = (driver: SqlDriver): SqlDriver => ({
    ...driver,
    prepare: (sql) => {
      const statement = driver.prepare(sql)
      return {
        all: (...values) => statement.all(...values),
        run: (...values) => {
          if (sql === 'COMMIT') {
            count++
            for (const until = performance.now() + ms; performance.now() < until; );
          }
          return statement.run(...values)
        },
      }
    },
  })
  const store = await openSqliteStore({
    path: newFolder(),
    driver: async (file) => slow((await sqlDrivers.wasm(file)) as SqlDriver),
  })
  const account = await store.open('user')
  const inbox = await account.select('INBOX', 'write')
  return { store, inbox: inbox.id, commits: () => count }
}

async function begin(store: MailStore): Promise<Staged> {
  const staged = await store.stage(octets.length)
  await staged.write(octets)
  return staged
}

async function finish(store: MailStore, inbox: string, staged: Staged): Promise<void> {
  const body = await staged.seal(plainFacts(octets.length))
  await store.apply([{ type: 'append', body, to: [{ mailbox: inbox, flags: [], internalDate: 0 }] }])
}

/** Whether it is done sooner than any timer would fire. */
async function isAtOnce(work: Promise<void>): Promise<boolean> {
  let told = false
  const done = work.then(() => {
    told = true
  })
  await turns(4)
  const atOnce = told
  await done
  return atOnce
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a commit', () => {
  it('waits for a message on its way in, where commits are slow', async () => {
    const { store, inbox, commits } = await open(20)
    await finish(store, inbox, await begin(store))
    // It waits for a few milliseconds, which this process may be busy for; it never does where it does not wait.
    let shared = false
    for (let attempt = 0; attempt < 20 && !shared; attempt++) {
      const [one, two] = [await begin(store), await begin(store)]
      const before = commits()
      const first = finish(store, inbox, one)
      await turns(2)
      await Promise.all([first, finish(store, inbox, two)])
      shared = commits() === before + 1
    }
    expect(shared).toBe(true)
    await store.close()
  })

  it('waits for nobody for long, and for nobody twice', async () => {
    const { store, inbox } = await open(20)
    await finish(store, inbox, await begin(store))
    const neverEnds = await begin(store)
    const started = performance.now()
    await finish(store, inbox, await begin(store))
    expect(performance.now() - started).toBeLessThan(1_000)
    expect(await isAtOnce(finish(store, inbox, await begin(store)))).toBe(true)
    await neverEnds.abort()
    await store.close()
  })

  it('does not wait for the rest of a large message, nor for one that was given up', async () => {
    const { store, inbox } = await open(20)
    await finish(store, inbox, await begin(store))
    const large = await store.stage()
    await large.write(Buffer.alloc(300_000))
    await (await begin(store)).abort()
    expect(await isAtOnce(finish(store, inbox, await begin(store)))).toBe(true)
    await large.abort()
    await store.close()
  })
})
