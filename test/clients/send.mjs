// Sends messages with the built client: a JSON object of connection, envelopes and bodies (base64) comes in, what became
// of each recipient goes out. Each envelope goes out behind the message before it where that may be followed.
// MAILWRIGHT_DIST names another build.
import { pathToFileURL } from 'node:url'

const dist = process.env.MAILWRIGHT_DIST ?? new URL('../../dist', import.meta.url).pathname
const { connectSmtp } = await import(pathToFileURL(`${dist}/delivery/index.js`).href)

let text = ''
for await (const chunk of process.stdin) text += chunk
const { connection, messages } = JSON.parse(text)
const result = { secure: false, extensions: [], followed: 0, outcomes: [], error: null }
try {
  const session = await connectSmtp(connection)
  result.secure = session.engine.secure
  result.extensions = [...session.engine.extensions.keywords.keys()]
  const outcomes = []
  for (const [index, { envelope, body }] of messages.entries()) {
    const octets = Buffer.from(body, 'base64')
    await new Promise((resolve) => {
      const onSent = () => {
        if (index < messages.length - 1) result.followed++
        resolve()
      }
      const outcome = session.send({ size: octets.length, ...envelope }, octets, { onSent })
      outcomes.push(outcome)
      outcome.then(resolve, resolve)
    })
  }
  for (const { recipients } of await Promise.all(outcomes)) {
    result.outcomes.push(recipients.map(({ accepted, reply, stage }) => ({ accepted, stage, ...reply })))
  }
  await session.close()
} catch (error) {
  result.error = `${error.code}: ${error.message}`
}
console.log(JSON.stringify(result))
