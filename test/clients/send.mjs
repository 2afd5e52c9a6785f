// Sends one message with the built client: a JSON object of connection, envelope and body (base64) comes in, what became of
// each recipient goes out. MAILWRIGHT_DIST names another build.
import { pathToFileURL } from 'node:url'

const dist = process.env.MAILWRIGHT_DIST ?? new URL('../../dist', import.meta.url).pathname
const { connectSmtp } = await import(pathToFileURL(`${dist}/delivery/index.js`).href)

let text = ''
for await (const chunk of process.stdin) text += chunk
const { connection, messages } = JSON.parse(text)
const result = { secure: false, extensions: [], outcomes: [], error: null }
try {
  const session = await connectSmtp(connection)
  result.secure = session.engine.secure
  result.extensions = [...session.engine.extensions.keywords.keys()]
  for (const { envelope, body } of messages) {
    const octets = Buffer.from(body, 'base64')
    const { recipients } = await session.send({ size: octets.length, ...envelope }, octets)
    result.outcomes.push(recipients.map(({ accepted, reply, stage }) => ({ accepted, stage, ...reply })))
  }
  await session.close()
} catch (error) {
  result.error = `${error.code}: ${error.message}`
}
console.log(JSON.stringify(result))
