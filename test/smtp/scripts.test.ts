import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ScriptHost } from '../../src/testing/index.js'
import { runScriptCuts } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { startServer, TestDelivery } from './harness.js'

const folder = new URL('./scripts/', import.meta.url)

/**
 * Comments of a script that the test reads: `# options: {json}`, `# messages: n` kept at the end (0 by default), and
 * `# body| text`, the lines of the last message kept. `# also in LMTP`: it is run once more as an LMTP session.
 */
function setup(source: string, service?: 'lmtp'): ScriptHost {
  const lines = source.split(/\r?\n/)
  const value = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`# ${name}: `))?.slice(name.length + 4)
  const given = JSON.parse(value('options') ?? '{}') as TestServerOptions
  const options = service === undefined ? given : { ...given, service }
  const body = lines.filter((line) => line.startsWith('# body|')).map((line) => line.slice(8))
  const delivery = new TestDelivery(options.maxMessageSize, options.features)
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

/** The same session where LHLO stands for HELO and EHLO; its answer has more than one line. */
function inLmtp(source: string): string {
  return source
    .replace(/^(C: *)EHLO\b/gim, '$1LHLO')
    .replace(/^(C: *)HELO\b(.*\n(?:(?!S).*\n)*)S[~:] 250.*$/gim, '$1LHLO$2S*\nS~ 250 LIMITS.*')
    .replace(/^(C: *)HELO\b/gim, '$1LHLO')
    .replace(/^S: 250 2\.0\.0 Kept$/gm, 'S~ 250 2\\.0\\.0 Kept.*')
    .replace(/\bESMTP\b/g, 'LMTP')
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
    const source = readFileSync(new URL(name, folder), 'utf8')
    if (!/^# also in LMTP$/m.test(source)) continue
    it.concurrent(`${name} in LMTP`, async () => {
      await runScriptCuts(inLmtp(source), () => setup(source, 'lmtp'))
    })
  }
})
