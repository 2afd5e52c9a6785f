import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ScriptHost } from '../../src/testing/index.js'
import type { TestServerOptions } from './harness.js'
import { SlowDelivery, startServer, TestDelivery } from './harness.js'
import { runEverywhere, type ScriptFile, scriptFiles } from './script-file.js'

const files = scriptFiles(new URL('./scripts/', import.meta.url))
const clientFiles = scriptFiles(new URL('./client/scripts/', import.meta.url))

/** What scripts/README.md says of lines of the list that a conversation cannot show, or not in full. */
const beside = [
  ...readFileSync(new URL('./scripts/README.md', import.meta.url), 'utf8').matchAll(
    /^\| ((?:\d+, )*\d+) \|.*\| (`[^|]*) \|$/gm,
  ),
].map(([, lines = '', where = '']) => ({
  lines: lines.split(', ').map(Number),
  files: [...where.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path),
}))
/** Those that no script shows any of. */
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

/**
 * The same session where LHLO stands for HELO and EHLO; its answer has more than one line. A session of LMTP has as many
 * messages as it likes, and each recipient an answer with its name.
 */
function inLmtp(source: string): string {
  return source
    .replace(/^(C: *)EHLO\b/gim, '$1LHLO')
    .replace(/^(C: *)HELO\b(.*\n(?:(?!S).*\n)*)S[~:] 250.*$/gim, '$1LHLO$2S*\nS~ 250 .*')
    .replace(/^(C: *)HELO\b/gim, '$1LHLO')
    .replace(/^S: 250 2\.0\.0 Kept$/gm, 'S~ 250 2\\.0\\.0 Kept.*')
    .replace(/\bLIMITS MAILMAX=100 /g, 'LIMITS ')
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
      await runEverywhere(file, inLmtp(file.lmtpSource), setup(file, 'lmtp'))
    })
  }

  it('each is run in LMTP too, or says why not', () => {
    const silent = files.filter(
      ({ source }) => !/^# also in LMTP$|^# not in LMTP: .|^# options: .*"service": "lmtp"/m.test(source),
    )
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  it('there is one for every line of the list', () => {
    const found = [...files, ...clientFiles].flatMap(
      ({ source }) => /^# ((?:\d+, )*\d+): /.exec(source)?.[1]?.split(', ').map(Number) ?? [],
    )
    const lines = Array.from({ length: 97 }, (_, index) => index + 1)
    expect(lines.filter((line) => !found.includes(line))).toEqual(elsewhere)
    expect(beside.flatMap((each) => each.lines)).toEqual(expect.arrayContaining([...elsewhere]))
    const missing = beside
      .flatMap(({ files }) => files)
      .filter((path) => !existsSync(new URL(path, new URL('./scripts/', import.meta.url))))
    expect(missing).toEqual([])
  })
})
