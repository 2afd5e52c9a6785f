import { claimDataFolder } from '../../src/storage/index.js'

/** Claims a folder, says how that went, and holds it until it is killed. */
try {
  await claimDataFolder(process.argv[2] ?? '', (socket) => socket.end('hello\n'))
  process.stdout.write('claimed\n')
  setInterval(() => undefined, 1_000)
} catch (error) {
  process.stdout.write(`${(error as { kind?: string }).kind ?? String(error)}\n`)
}
