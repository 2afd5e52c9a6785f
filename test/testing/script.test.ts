import { describe, expect, it } from 'vitest'
import { MemoryDuplex, parseScript, runScript, runScriptCuts, VirtualClock } from '../../src/testing/index.js'
import { serveEcho } from '../support/echo.js'

const setup = () => {
  const clock = new VirtualClock()
  return {
    clock,
    connect() {
      const [client, server] = MemoryDuplex.pair()
      serveEcho(server, clock)
      return client
    },
  }
}

describe('runScript', () => {
  it('takes every kind of line', async () => {
    const script = `
# an example
C: one
S: one
C: two 42
S: two $number
C: again $number
S~ again \\d+
C: b
C: a
S? a
S? b
S! nothing of this
C: x
C: y
S*
S: y
@2
C: second
S: second
@1
C: a {<<EOT+}
line 1
EOT tail
S: a {8+}
S: line 1
S:  tail
C: TLS
S: TLS
TLS
C| in pie
C: ces\\x21
S: in pieces!
+60s
S: TIMEOUT
CLOSED
@2
S: TIMEOUT
`
    await runScriptCuts(script, setup)
  })

  it('says which line failed and what came instead', async () => {
    await expect(runScript('C: one\nS: two', setup)).rejects.toThrow(/line 2: expected two\n {5}got one/)
  })

  it('fails for output that no line expects', async () => {
    await expect(runScript('C: one', setup)).rejects.toThrow(/has more from the server:\none/)
    await expect(runScript('C: one\nS! o.e\nS: one', setup)).rejects.toThrow(/must not appear: one/)
  })

  it('fails for a captured value that changes', async () => {
    await expect(runScript('C: a 1\nS: a $x\nC: a 2\nS: a $x', setup)).rejects.toThrow(/line 4/)
  })

  it('names a line that is not one', () => {
    expect(() => parseScript('C: ok\nX: what')).toThrow(/line 2/)
    expect(() => parseScript('C: {<<EOT}\nabc')).toThrow(/no EOT/)
  })
})
