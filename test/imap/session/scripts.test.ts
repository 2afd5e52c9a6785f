import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'vitest'
import type { MailStore } from '../../../src/interfaces/index.js'
import { MemoryStore, openSqliteStore } from '../../../src/storage/index.js'
import { runScript, runScriptCuts } from '../../../src/testing/index.js'
import { imapHost } from './host.js'
import { seed } from './mail.js'

const folder = new URL('../scripts/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')

/** The user `mary` has the four messages of mail.ts; every other user begins with nothing. */
async function host(store: MailStore) {
  await seed(store, 'mary')
  return imapHost(store)
}

const inMemory = () => host(new MemoryStore())
const inSqlite = async () => host(await openSqliteStore({ path: ':memory:' }))

describe('IMAP scripts', () => {
  test.each(names)('%s', async (name) => {
    await runScript(read(name), inMemory)
    await runScript(read(name), inMemory, 'every octet')
  })

  test.each(names)('%s over SQLite', async (name) => {
    await runScript(read(name), inSqlite)
  })

  test.each([
    'rfc3501-6.2.2-authenticate.txt',
    'rfc7677-3-authenticate-scram.txt',
    'rfc7628-4-authenticate-bearer.txt',
    'rfc2177-3-idle-without-mailbox.txt',
    'rfc3501-6.4.6-store.txt',
  ])('%s however it is cut', (name) => runScriptCuts(read(name), inMemory))
})
