import { describe, expect, it } from 'vitest'
import type { MessageOutcome, SmtpClientOptions, SmtpEnvelope } from '../../../src/smtp/index.js'
import { SmtpClientSession } from '../../../src/smtp/index.js'
import type { ScriptHost } from '../../../src/testing/index.js'
import { MemoryDuplex, runScript, VirtualClock } from '../../../src/testing/index.js'
import { runEverywhere, type ScriptFile, scriptFiles } from '../script-file.js'

const files = scriptFiles(new URL('./scripts/', import.meta.url))
const sides: Readonly<Record<string, string>> = { S: 'C', C: 'S' }

/** The script plays the server here: what `S:` says is sent, and what `C:` says must come. */
function asServer(source: string): string {
  return source.replace(/^([CS])([:|~!?*])/gm, (_, side: string, kind: string) => `${sides[side]}${kind}`)
}

/**
 * A client session that sends one message and says QUIT. Comments of a script: `# options: {json}`,
 * `# envelope: {json}`, `# message|` for each line of the message; at the end `# outcome: code enhanced` of the message,
 * 250 by default, or `# error: CODE` of a session that did not come to it.
 */
function setup(file: ScriptFile): () => ScriptHost {
  const options = JSON.parse(file.value('options') ?? '{}') as Partial<SmtpClientOptions>
  const envelope: SmtpEnvelope = {
    from: 'a@c.test',
    to: ['b@example.test'],
    ...(JSON.parse(file.value('envelope') ?? '{}') as Partial<SmtpEnvelope>),
  }
  const message = Buffer.from(file.text('message') ?? 'Subject: x\r\n\r\n', 'utf8')
  const error = file.value('error')
  const wanted = file.value('outcome') ?? '250'
  return () => {
    const clock = new VirtualClock()
    let session: SmtpClientSession | null = null
    let outcome: MessageOutcome | null = null
    return {
      clock,
      connect() {
        const [own, other] = MemoryDuplex.pair()
        const started = new SmtpClientSession(other, { hostname: 'client.test', ...options }, { clock })
        session = started
        void started.ready
          .then(() => started.send(envelope, message))
          .then((told) => {
            outcome = told
            return started.close()
          })
          .catch(() => undefined)
        return own
      },
      async close() {
        const ended = await session?.closed
        expect(ended?.code).toBe(error)
        const reply = outcome?.recipients[0]?.reply
        if (error === undefined) expect(`${reply?.code} ${reply?.enhanced}`).toContain(wanted)
        else expect(outcome).toBeNull()
      },
    }
  }
}

describe('SMTP client scripts', () => {
  for (const file of files) {
    it.concurrent(file.name, async () => {
      const source = asServer(file.source)
      if (file.value('whole') === undefined) await runEverywhere(file, source, setup(file))
      else await runScript(source, setup(file))
    })
  }
})
