import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Pop3ServerOptions } from '../../src/pop3/index.js'
import { MemoryStore } from '../../src/storage/memory/index.js'
import { runScriptCuts } from '../../src/testing/index.js'
import { everyMechanism } from '../support/auth.js'
import { pop3Host, TestAuthenticator } from './host.js'

const folder = fileURLToPath(new URL('./scripts/', import.meta.url))

/** What a script may ask for in a line `# host: name`. */
const hosts: Readonly<Record<string, Partial<Pop3ServerOptions>>> = {
  strict: { allowPlaintext: false },
  implicit: { secure: true, allowPlaintext: false },
  plain: { startTls: false },
  bare: { startTls: false, allowPlaintext: false },
  none: { mechanisms: [] },
  every: { secure: true, mechanisms: everyMechanism.mechanisms },
  everyInClear: { allowPlaintext: false, mechanisms: everyMechanism.mechanisms },
}

for (const file of readdirSync(folder)) {
  it(file, async () => {
    const script = readFileSync(folder + file, 'utf8')
    const name = /^# host: (\w+)$/m.exec(script)?.[1]
    if (name !== undefined) expect(Object.keys(hosts)).toContain(name)
    const options = name === undefined ? {} : hosts[name]
    const authenticator = name?.startsWith('every') ? everyMechanism : new TestAuthenticator()
    await runScriptCuts(script, () => pop3Host(options, new MemoryStore(), authenticator))
  })
}
