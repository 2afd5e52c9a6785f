import { connect } from 'node:net'

/** What the server on loopback says to the lines, each sent after an answer to the one before. */
export async function say(port: number, ...lines: readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  let said = ''
  const left = [...lines]
  for await (const chunk of socket) {
    said += String(chunk)
    const next = left.shift()
    if (next === undefined) socket.end()
    else socket.write(`${next}\r\n`)
  }
  return said
}
