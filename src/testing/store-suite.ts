import { StoreBench, type StoreTest, type StoreUnderTest, type SuiteRunner } from './store-suite/bench.js'
import { changesTests } from './store-suite/changes.js'
import { flagsTests } from './store-suite/flags.js'
import { messagesTests } from './store-suite/messages.js'
import { namesTests } from './store-suite/names.js'
import { sessionsTests } from './store-suite/sessions.js'

export type { StoreUnderTest, SuiteRunner } from './store-suite/bench.js'
export { plainFacts, readMessage, stageMessage } from './store-suite/bench.js'

/**
 * What every store must do, as tests of any runner: names, UIDs, flags, mod-sequences and tombstones, atomic applies,
 * bodies large and small, and many sessions at once.
 */
export function storeSuite(name: string, under: StoreUnderTest, { describe, it }: SuiteRunner): void {
  const test: StoreTest = (title, body) => {
    it(title, async () => {
      const store = await under.open()
      try {
        const account = await store.open('user@example.com')
        await body(new StoreBench(store, account))
        await account.close()
      } finally {
        await store.close()
      }
    })
  }
  describe(`${name}: names`, () => namesTests(test))
  describe(`${name}: messages`, () => messagesTests(test))
  describe(`${name}: flags`, () => flagsTests(test))
  describe(`${name}: changes`, () => changesTests(test))
  describe(`${name}: sessions`, () => sessionsTests(test, under))
}
