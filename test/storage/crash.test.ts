import { type ChildProcess, spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { openSqliteStore, type SqlDriverName } from '../../src/storage/index.js'
import { readMessage } from '../../src/testing/store-suite.js'
import { bundle } from './bundle.js'
import { availableDrivers } from './drivers.js'
import { temporaryFolders } from './folders.js'
import { expectSound } from './invariants.js'

const newFolder = temporaryFolders()
/** More in CI. */
const rounds = Number(process.env.MAILWRIGHT_CRASH_ROUNDS ?? 3)

/** Runs the child until it is killed; every whole line it said. */
async function runAndKill(script: string, folder: string, driver: SqlDriverName): Promise<readonly string[]> {
  const child: ChildProcess = spawn(process.execPath, [script, folder, driver], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  let complaints = ''
  let killing = false
  child.stderr?.on('data', (data: Buffer) => {
    complaints += data.toString()
  })
  child.stdout?.on('data', (data: Buffer) => {
    said += data.toString()
    if (killing || !said.includes('\nadded ')) return
    killing = true
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 450)
  })
  await new Promise((resolve) => child.on('close', resolve))
  expect(complaints).toBe('')
  return said.split('\n').slice(0, -1)
}

describe.each(availableDrivers)('killed under %s', (driver) => {
  it('every acknowledged message is there, every acknowledged expunge stays, and nothing is left over', {
    timeout: 60_000 + rounds * 5_000,
  }, async () => {
    const script = await bundle('crash-child.ts')
    const folder = newFolder()
    const there = new Map<number, string>()
    const perhapsGone = new Set<number>()
    for (let round = 0; round < rounds; round++) {
      for (const line of await runAndKill(script, folder, driver)) {
        const [verb, uid, ...text] = line.split(' ')
        if (verb === 'added') there.set(Number(uid), text.join(' '))
        if (verb === 'expunging') perhapsGone.add(Number(uid))
        if (verb === 'expunged') there.delete(Number(uid))
      }
      const store = await openSqliteStore({ path: folder, driver })
      expect(await store.check(true)).toEqual([])
      const account = await store.open('user')
      const inbox = await account.select('INBOX', 'write')
      const uids = new Set((await inbox.snapshot()).uids)
      for (const [uid, text] of there) {
        if (!uids.has(uid)) {
          expect(perhapsGone).toContain(uid)
          there.delete(uid)
          continue
        }
        const [whole] = (await readMessage(inbox, uid)).toString().split(/\.{2,}$/)
        expect(whole).toBe(text)
      }
      const { messages } = await account.status('Sent')
      expect(messages % 2_000).toBe(0)
      await new Promise((resolve) => setTimeout(resolve, 100))
      await store.close()
      await expectSound(folder)
    }
    expect(there.size).toBeGreaterThan(0)
  })
})
