import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Pop3ServerOptions } from '../../src/pop3/index.js'
import { runScriptCuts } from '../../src/testing/index.js'
import { pop3Host } from './host.js'

const folder = fileURLToPath(new URL('./scripts/', import.meta.url))

/** What a script may ask for in a line `# host: name`. */
const hosts: Readonly<Record<string, Partial<Pop3ServerOptions>>> = {
  strict: { allowPlaintext: false },
  implicit: { secure: true, allowPlaintext: false },
  plain: { startTls: false },
  bare: { startTls: false, allowPlaintext: false },
  none: { mechanisms: [] },
}

for (const file of readdirSync(folder)) {
  it(file, async () => {
    const script = readFileSync(folder + file, 'utf8')
    const name = /^# host: (\w+)$/m.exec(script)?.[1]
    if (name !== undefined) expect(Object.keys(hosts)).toContain(name)
    await runScriptCuts(script, () => pop3Host(name === undefined ? {} : hosts[name]))
  })
}
