import { MessageReader } from '../src/mime/index.js'

// Streams a message of 1 GB through level 2 in chunks of 64 KB; resident memory must grow by under 32 MB.

const TOTAL = 1_000_000_000
const ALLOWED = 32e6
const line = `${Buffer.alloc(57, 'octets').toString('base64')}\r\n`
const reader = new MessageReader()
let sent = 0
let decoded = 0

function pull(): void {
  for (let event = reader.next(); event !== null; event = reader.next())
    if (event.type === 'body') decoded += event.data.length
}

function send(chunk: Buffer): void {
  sent += chunk.length
  reader.receive(chunk)
  pull()
}

const template = Buffer.from(line.repeat(840))
send(
  Buffer.from(
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n',
  ),
)
for (let i = 0; i < 200; i++) send(Buffer.from(template))
globalThis.gc?.()
const before = process.memoryUsage().rss
let most = 0
const start = process.cpuUsage()
for (let i = 0; sent < TOTAL; i++) {
  send(Buffer.from(template))
  if (i % 100 === 0) most = Math.max(most, process.memoryUsage().rss - before)
}
send(Buffer.from('--b--\r\n'))
reader.end()
pull()
const { user, system } = process.cpuUsage(start)
console.log(
  `${(sent / 1e6).toFixed(0)} MB in, ${(decoded / 1e6).toFixed(0)} MB decoded, ${(sent / (user + system)).toFixed(0)} MB/s, ${(most / 1e6).toFixed(1)} MB more resident memory`,
)
process.exitCode = most < ALLOWED ? 0 : 1
