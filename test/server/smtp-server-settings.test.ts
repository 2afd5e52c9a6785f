import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMailServer, SmtpServer, type SmtpServerSettings, simpleDelivery } from '../../src/index.js'
import { say } from '../support/say.js'

const make = (settings: object) => () => new SmtpServer(settings)
const config = (message: string | RegExp) =>
  expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) })

describe('settings that there are not', () => {
  it.each([
    [
      { onRcptto: () => undefined },
      /^onRcptto: there is no such setting; did you mean "onRcptTo"\? known here: /,
    ],
    [{ maxMessagesize: 1 }, /did you mean "maxMessageSize"/],
    [{ connections: { totl: 1 } }, /^connections\.totl: there is no such setting; did you mean "total"\?/],
    [{ features: { dns: true } }, /^features\.dns: .*did you mean "dsn"\?/],
    [{ banana: 1 }, /^banana: there is no such setting; known here: onConnect, /],
    [{ limits: { maxRecipients: 5 } }, /unknown limit "maxRecipients"/],
    [{ size: 10 }, /^size: there is no such setting; use maxMessageSize$/],
    [{ useProxy: true }, /^useProxy: .*; use proxy: \['192/],
    [{ authOptional: true }, /^authOptional: .*; use requireAuth/],
    [{ disabledCommands: ['AUTH'] }, /^disabledCommands: .*; for AUTH leave onAuth and onToken out/],
    [{ checkSender: true }, /^checkSender: .*; use onMailFrom/],
    [JSON.parse('{"__proto__": 1}'), /^__proto__: there is no such setting/],
  ])('%j', (settings, message) => {
    const names = /unknown limit/.test(String(message)) ? { code: 'LIMIT' } : { code: 'CONFIG' }
    expect(make(settings)).toThrow(
      expect.objectContaining({ ...names, message: expect.stringMatching(message) }),
    )
  })

  it('every option of npm smtp-server is one, or its error says what to do', () => {
    const main = createRequire(import.meta.url).resolve('smtp-server')
    const types = readFileSync(join(dirname(main), '../esm/types.d.ts'), 'utf8')
    const [, body = ''] = /interface SMTPServerOptions\b[^{]*\{\n([\s\S]*?)\n\}/.exec(types) ?? []
    const names = [...body.matchAll(/^ {4}(\w+)\??[:(]/gm)].map(([, name]) => name as string)
    expect(names.length).toBeGreaterThan(40)
    for (const name of [...names, 'key', 'cert', 'pfx', 'ca', 'requestCert', 'SNICallback']) {
      try {
        new SmtpServer({ [name]: undefined })
      } catch (error) {
        expect((error as Error).message, name).toMatch(/: there is no such setting; (?:use|give|leave|for) /)
      }
    }
  })
})

describe('values that a setting cannot have', () => {
  it.each([
    [{ proxy: true }, /^proxy: must be a list of the addresses and networks to trust, as in \["192/],
    [{ xclient: true }, /^xclient: must be a list/],
    [{ bareLineEnds: 'keep' }, /^bareLineEnds: must be one of "refuse", "normalize"/],
    [{ service: 'lmpt' }, /^service: must be one of/],
    [{ secure: 'true' }, /^secure: must be true or false, not "true"/],
    [{ logger: true }, /^logger: must be a Logger with log/],
    [{ onData: {} }, /^onData: must be a function/],
    [
      { onRcptTo: (_address: unknown, _session: unknown, callback: () => void) => callback() },
      /^onRcptTo: takes 2 parameters and no callback: return the answer/,
    ],
    [{ connections: { total: 0 } }, /^connections\.total: must be a whole number from 1/],
    [{ connections: { byPrefix: [1, 2] } }, /^connections\.byPrefix: must be three numbers/],
    [{ connections: true }, /^connections: must be an object/],
    ['a string', /^must be an object/],
  ])('%j', (settings, message) => {
    expect(make(settings as object)).toThrow(config(message))
  })

  it('no limit is a value for connections', () => {
    const none = Number.POSITIVE_INFINITY
    expect(make({ connections: { total: none, byPrefix: [none, none, none] } })).not.toThrow()
  })

  it('LMTP is not on port 25 (RFC 2033 section 5)', async () => {
    const server = new SmtpServer({ service: 'lmtp', tls: false })
    await expect(server.listen(25)).rejects.toMatchObject({
      code: 'LISTEN',
      message: expect.stringContaining('port 25'),
    })
    expect(server.address).toBeNull()
    await server.close()
  })
})

const envelope = ['HELO c.test', 'MAIL FROM:<>', 'RCPT TO:<a@b.test>', 'DATA'] as const

describe('settings of the engine', () => {
  const bodies: string[] = []
  const onData: SmtpServerSettings['onData'] = async ({ body }) => {
    let text = ''
    for await (const chunk of body) text += Buffer.from(chunk).toString('latin1')
    bodies.push(text)
  }

  it('normalizes bare line ends, takes NUL and crooked addresses, and waits with refusals, if told to', async () => {
    await using server = new SmtpServer({
      tls: false,
      bareLineEnds: 'normalize',
      allowNul: true,
      lenient: true,
      tarpitMs: 50,
      limits: { softErrors: 0 },
      onData,
    })
    const { port } = await server.listen()
    expect(await say(port, ...envelope, 'a\nb\0c\r\n.')).toMatch(/250 2\.0\.0 Message accepted\r\n$/)
    expect(bodies).toEqual(['a\r\nb\0c\r\n'])
    expect(await say(port, 'HELO c.test', 'MAIL FROM: a@b_c.test')).toContain('250 2.1.0')
    const before = performance.now()
    expect(await say(port, 'WHAT')).toContain('500 5.5.1')
    expect(performance.now() - before).toBeGreaterThan(45)
  })

  it('are those of a mail server, too', async () => {
    await using server = await createMailServer({
      listen: { smtp: '127.0.0.1:0' },
      tls: false,
      smtp: { bareLineEnds: 'normalize', allowNul: true, lenient: true },
      delivery: simpleDelivery((message) => onData(message, null as never)),
    })
    bodies.length = 0
    const port = server.listeners[0]?.port as number
    const lenient = ['HELO c.test', 'MAIL FROM: a@b_c.test', ...envelope.slice(2)]
    expect(await say(port, ...lenient, 'a\nb\0c\r\n.')).toMatch(/250 2\.0\.0 Message accepted\r\n$/)
    expect(bodies).toEqual(['a\r\nb\0c\r\n'])
    await using strict = await createMailServer({
      listen: { smtp: '127.0.0.1:0' },
      tls: false,
      delivery: simpleDelivery(async () => undefined),
    })
    const other = strict.listeners[0]?.port as number
    expect(await say(other, ...envelope, 'a\nb\r\n.')).toMatch(/550 5\.6\.0 .*\r\n$/)
    expect(await say(other, ...envelope, 'a\0b\r\n.')).toMatch(/550 5\.6\.0 .*\r\n$/)
    expect(await say(other, 'HELO c.test', 'MAIL FROM: a@b.test')).toMatch(/501 .*\r\n$/)
  })
})
