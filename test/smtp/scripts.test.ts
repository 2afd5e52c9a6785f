import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ScriptHost } from '../../src/testing/index.js'
import { runScriptCuts } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { startServer, TestDelivery } from './harness.js'

const folder = new URL('./scripts/', import.meta.url)

/**
 * Comments of a script that the test reads: `# options: {json}`, `# messages: n` kept at the end (0 by default), and
 * `# body| text`, the lines of the last message kept.
 */
function setup(source: string): ScriptHost {
  const lines = source.split(/\r?\n/)
  const value = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# ${name}: `))?.slice(name.length + 4)
  const options = JSON.parse(value('options') ?? '{}') as TestServerOptions
  const body = lines.filter((line) => line.startsWith('# body|')).map((line) => line.slice(8))
  const delivery = new TestDelivery(options.maxMessageSize)
  const server = startServer(options, { delivery })
  return {
    ...server,
    close: async () => {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
      expect(server.errors).toEqual([])
      expect(delivery.kept.length, 'messages kept').toBe(Number(value('messages') ?? 0))
      expect(delivery.begun, 'every transaction is kept or given up').toBe(
        delivery.kept.length + delivery.aborted.length,
      )
      if (body.length > 0) {
        expect(delivery.kept.at(-1)?.body).toBe(octets(body.map((line) => `${line}\r\n`).join('')))
      }
    },
  }
}

function octets(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

describe('SMTP scripts', () => {
  for (const name of readdirSync(folder).sort()) {
    it.concurrent(name, async () => {
      const source = readFileSync(new URL(name, folder), 'utf8')
      await runScriptCuts(source, () => setup(source))
    })
  }
})
