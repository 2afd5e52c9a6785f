import { describe, expect, it } from 'vitest'
import type { ScriptHost } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { SlowDelivery, startServer, TestDelivery } from './harness.js'
import { runEverywhere, type ScriptFile, scriptFiles } from './script-file.js'

const files = scriptFiles(new URL('./scripts/', import.meta.url))
const clientFiles = scriptFiles(new URL('./client/scripts/', import.meta.url))

/** Lines of the list that are no conversation; see scripts/README.md. */
const elsewhere: readonly number[] = [96]

/** Comments of a script that the test reads: see scripts/README.md. */
function setup(file: ScriptFile, service?: 'lmtp'): () => ScriptHost {
  const given = JSON.parse(file.value('options') ?? '{}') as TestServerOptions
  const options = service === undefined ? given : { ...given, service }
  const slow = /^# slow delivery$/m.test(file.source)
  const messages = Number(file.value('messages') ?? 0)
  const recipients = file.value('recipients')
  const text = file.text('body')
  const body = text === null ? null : octets(text)
  return () => {
    const delivery = new (slow ? SlowDelivery : TestDelivery)(options.maxMessageSize, options.features)
    const server = startServer(options, { delivery })
    return {
      ...server,
      close: async () => {
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
        expect(server.errors).toEqual([])
        expect(delivery.kept.length, 'messages kept').toBe(messages)
        expect(delivery.begun, 'every transaction is kept or given up').toBe(
          delivery.kept.length + delivery.aborted.length,
        )
        const last = delivery.kept.at(-1)
        if (recipients !== undefined) expect(last?.recipients.length).toBe(Number(recipients))
        if (body !== null && last?.body !== body) expect(last?.body).toBe(body)
        if (delivery instanceof SlowDelivery) expect(delivery.mostAtOnce, 'writes at the same time').toBe(1)
      },
    }
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
  for (const file of files) {
    it.concurrent(file.name, async () => {
      await runEverywhere(file, file.source, setup(file))
    })
    if (!/^# also in LMTP$/m.test(file.source)) continue
    it.concurrent(`${file.name} in LMTP`, async () => {
      await runEverywhere(file, inLmtp(file.source), setup(file, 'lmtp'))
    })
  }

  it('there is one for every line of the list', () => {
    const found = [...files, ...clientFiles].flatMap(
      ({ source }) => /^# ((?:\d+, )*\d+): /.exec(source)?.[1]?.split(', ').map(Number) ?? [],
    )
    const lines = Array.from({ length: 97 }, (_, index) => index + 1)
    expect(lines.filter((line) => !found.includes(line))).toEqual(elsewhere)
  })
})
