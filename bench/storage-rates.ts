import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore, type SqlDriverName } from '../src/storage/index.js'
import { plainFacts } from '../src/testing/store-suite.js'

/** Durable appends a second by writers at once, and memory while a message of 100 MB passes through. */
const [driver] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'mailwright-bench-'))
const store = await openSqliteStore({
  path: folder,
  limits: { messageSize: 200 * 1024 * 1024 },
  ...(driver === undefined ? {} : { driver: driver as SqlDriverName }),
})
const account = await store.open('one')
const inbox = await account.select('INBOX', 'write')
console.log(`Node ${process.version}, SQLite through "${store.driver}"`)

async function append(octets: Buffer): Promise<void> {
  const staged = await store.stage(octets.length)
  await staged.write(octets)
  const body = await staged.seal(plainFacts(octets.length))
  await store.apply([{ type: 'append', body, to: [{ mailbox: inbox.id, flags: [], internalDate: 0 }] }])
}

for (const [writers, size] of [
  [1, 10_000],
  [20, 10_000],
  [100, 10_000],
  [20, 100_000],
] as const) {
  const octets = Buffer.alloc(size, 'mail ')
  const until = performance.now() + 3_000
  let count = 0
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() < until) {
        await append(octets)
        count++
      }
    }),
  )
  console.log(`${writers} writers of ${size} octets: ${(count / 3).toFixed(0)} messages a second`)
}

const chunk = Buffer.alloc(64 * 1024, 'x')
const total = 1_600 * chunk.length
globalThis.gc?.()
const before = process.memoryUsage()
let most = 0
const look = (): void => {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  most = Math.max(most, heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers)
}
const writing = performance.now()
const staged = await store.stage(total)
for (let i = 0; i < 1_600; i++) {
  await staged.write(Buffer.from(chunk))
  if (i % 50 === 0) look()
}
const body = await staged.seal(plainFacts(total))
const [result] = await store.apply([
  { type: 'append', body, to: [{ mailbox: inbox.id, flags: [], internalDate: 0 }] },
])
const wrote = total / 1e6 / ((performance.now() - writing) / 1000)
const reading = performance.now()
let octets = 0
for await (const piece of inbox.read(result?.type === 'append' ? (result.placed[0]?.uid ?? 0) : 0)) {
  octets += piece.length
  if (octets % (50 * 262_144) === 0) look()
}
const read = octets / 1e6 / ((performance.now() - reading) / 1000)
console.log(
  `100 MB: written at ${wrote.toFixed(0)} MB/s, read at ${read.toFixed(0)} MB/s, at most ${(most / 1e6).toFixed(1)} MB more memory`,
)
await store.close()
rmSync(folder, { recursive: true, force: true })
process.exitCode = octets === total && most < 64e6 ? 0 : 1
