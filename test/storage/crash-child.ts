import { writeSync } from 'node:fs'
import { join } from 'node:path'
import type { SqlDriverName } from '../../src/storage/index.js'
import { DiskFiles } from '../../src/storage/messages/disk-files.js'
import { openStoreOn } from '../../src/storage/sql/sql-store.js'
import { stageMessage } from '../../src/testing/store-suite.js'

/**
 * The victim of the crash test: twenty writers and one that copies and expunges by thousands, each saying on standard
 * output what was acknowledged to it, until it is killed.
 */
const [folder = '', driver = 'wasm'] = process.argv.slice(2)
// Small segments, so that compaction goes on all the time.
const messages = { files: new DiskFiles(join(folder, 'messages')), segmentSize: 20_000 }
const store = await openStoreOn(messages, { path: folder, driver: driver as SqlDriverName })
const account = await store.open('user')
const inbox = await account.select('INBOX', 'write')
const sent = await account.select('Sent', 'write')
const trash = await account.select('Trash', 'write')
const start = (await inbox.snapshot()).uidNext

function say(line: string): void {
  writeSync(1, `${line}\n`)
}

async function writer(n: number): Promise<never> {
  for (let i = 0; ; i++) {
    const text = `message ${start}.${n}.${i}`
    const body = await stageMessage(store, n === 0 ? text.padEnd(300_000, '.') : text)
    const [result] = await store.apply([
      { type: 'append', body, to: [{ mailbox: inbox.id, flags: [], internalDate: 0 }] },
    ])
    if (result?.type === 'append') say(`added ${result.placed[0]?.uid} ${text}`)
    if (i % 4 !== 0 && result?.type === 'append') {
      const uid = result.placed[0]?.uid ?? 0
      say(`expunging ${uid}`)
      await store.apply([{ type: 'expunge', mailbox: inbox.id, uids: [uid] }])
      say(`expunged ${uid}`)
    }
  }
}

async function mover(): Promise<never> {
  const body = await stageMessage(store, 'one of many')
  const to = Array.from({ length: 2_000 }, () => ({ mailbox: sent.id, flags: [], internalDate: 0 }))
  for (;;) {
    await store.apply([{ type: 'append', body, to }])
    const { uids } = await sent.snapshot()
    await store.apply([{ type: 'setFlags', mailbox: sent.id, uids, mode: 'add', flags: ['\\Seen', 'kw'] }])
    await store.apply([{ type: 'move', from: sent.id, uids, to: trash.id }])
    const all = (await trash.snapshot()).uids
    await store.apply([{ type: 'expunge', mailbox: trash.id, uids: all }])
  }
}

say('ready')
await Promise.all([mover(), ...Array.from({ length: 20 }, (_, n) => writer(n))])
