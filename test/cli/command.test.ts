import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningCommand, runCommand, serveCommand } from '../support/command.js'

let folder: string
const running: RunningCommand[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailwright-cli-'))
})

afterEach(async () => {
  for (const { process, exited } of running.splice(0)) {
    process.kill('SIGKILL')
    await exited
  }
  await rm(folder, { recursive: true, force: true })
})

async function writeConfig(change: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const file = join(folder, 'mailwright.json')
  const config = {
    hostname: 'mail.example.test',
    data: './data',
    listen: { smtp: '127.0.0.1:0', submission: '127.0.0.1:0', imaps: '127.0.0.1:0' },
    domains: {
      'example.test': { users: { alice: { password: 'secret' } }, aliases: { info: ['alice@example.test'] } },
    },
    ...change,
  }
  await writeFile(file, `\uFEFF${JSON.stringify(config)}`)
  return file
}

async function serve(...args: readonly string[]): Promise<RunningCommand> {
  const command = await serveCommand(...args)
  running.push(command)
  return command
}

const portOf = ({ ready }: RunningCommand, protocol: string): number =>
  ready.listeners.find((listener) => listener.protocol === protocol)?.port ?? 0

const user = (args: readonly string[], input = '') => runCommand(['user', ...args], { input, cwd: folder })

async function logsIn(server: RunningCommand, address: string, pass: string): Promise<boolean> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: portOf(server, 'submission'),
    auth: { user: address, pass },
    tls: { rejectUnauthorized: false, servername: 'mail.example.test' },
  })
  return transport.verify().catch((error: Error & { responseCode?: number }) => {
    expect(error.responseCode).toBe(535)
    return false
  })
}

describe('mailwright serve', () => {
  it('says where it listens in one line of JSON, logs in JSON, and drains on SIGTERM', async () => {
    const server = await serve('--config', await writeConfig(), '--log', 'debug')
    expect(server.ready).toEqual({
      event: 'ready',
      listeners: [
        { protocol: 'smtp', host: '127.0.0.1', port: portOf(server, 'smtp'), tls: 'starttls' },
        { protocol: 'submission', host: '127.0.0.1', port: portOf(server, 'submission'), tls: 'starttls' },
        { protocol: 'imaps', host: '127.0.0.1', port: portOf(server, 'imaps'), tls: 'implicit' },
      ],
    })
    expect(portOf(server, 'smtp')).toBeGreaterThan(0)
    const socket = connect({ port: portOf(server, 'smtp'), host: '127.0.0.1' })
    let said = ''
    for await (const chunk of socket) {
      said += String(chunk)
      if (said === `220 mail.example.test ESMTP\r\n`) server.process.kill('SIGTERM')
    }
    expect(said).toMatch(/^220 .*\r\n421 4\.3\.2 /)
    expect(await server.exited).toEqual({ status: 0, signal: null })
    const events = server.lines.map((line) => (JSON.parse(line) as { event: string }).event)
    expect(events).toContain('smtp.connect')
    expect(events.at(-1)).toBe('server.stopped')
  })

  it('stops on SIGINT too', async () => {
    const server = await serve('--config', await writeConfig())
    server.process.kill('SIGINT')
    expect(await server.exited).toEqual({ status: 0, signal: null })
  })

  it('keeps the certificate it made, in the data folder', async () => {
    const config = await writeConfig()
    const file = join(folder, 'data', 'tls', 'development-cert.pem')
    const first = await serve('--config', config)
    const certificate = await readFile(file, 'utf8')
    first.process.kill('SIGTERM')
    await first.exited
    await serve('--config', config)
    expect(await readFile(file, 'utf8')).toBe(certificate)
  })

  it('runs the demo without any configuration, with mail in it', async () => {
    const server = await serve('--demo', '--data', join(folder, 'demo'))
    expect(server.ready.listeners.map(({ protocol }) => protocol)).toEqual([
      'smtp',
      'submission',
      'submissions',
      'pop3',
      'pop3s',
      'imap',
      'imaps',
    ])
    expect(server.ready.listeners.every(({ host }) => host === '127.0.0.1')).toBe(true)
    const socket = connect({ port: portOf(server, 'pop3'), host: '127.0.0.1' })
    socket.write('USER alice@example.test\r\nPASS secret\r\nSTAT\r\nQUIT\r\n')
    let said = ''
    for await (const chunk of socket) said += String(chunk)
    expect(said).toMatch(/\r\n\+OK 3 \d+\r\n/)
  })

  it.each([
    [
      'a setting that is not one',
      { prot: 1 },
      /mailwright\.json: prot: there is no such setting; known here/,
    ],
    [
      'a value that cannot be',
      { listen: { imap: 143 } },
      /mailwright\.json: listen\.imap: must be host:port, for example/,
    ],
    ['a plug-in', { store: {} }, /mailwright\.json: store: is for programs that use the library/],
    [
      'a certificate that is not there',
      { tls: { cert: 'no.pem', key: 'no.pem' } },
      /tls.*\.cert: cannot be read: ENOENT.*no\.pem/,
    ],
    [
      'an alias out of the house',
      { domains: { 'a.test': { aliases: { x: 'y@b.test' } } } },
      /the alias x@a\.test is y@b\.test, which is not in a local domain/,
    ],
  ])('refuses %s and says what to do', async (_, change, message) => {
    const { status, stderr } = await runCommand(['serve', '--config', await writeConfig(change)])
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(status).toBe(1)
  })

  it('refuses JSON that is none, and a file that is not there', async () => {
    const file = join(folder, 'broken.json')
    await writeFile(file, '{ "listen": ')
    expect(await runCommand(['serve', '--config', file])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/broken\.json: .*JSON/),
    })
    const none = await runCommand(['serve', '--config', join(folder, 'none.json')])
    expect(none).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/none\.json: there is no such file/),
    })
    const nothing = await runCommand(['serve'], { cwd: folder })
    expect(nothing).toMatchObject({ status: 2, stderr: expect.stringMatching(/mailwright serve --demo/) })
  })

  it('names the listener whose port is taken, and leaves nothing running', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const config = await writeConfig({ listen: { smtp: '127.0.0.1:0', imap: `127.0.0.1:${port}` } })
    const { status, stderr } = await runCommand(['serve', '--config', config])
    other.close()
    expect(stderr).toBe(
      `mailwright: listen.imap: 127.0.0.1:${port} is taken by another program; stop that one or choose another port\n`,
    )
    expect(status).toBe(1)
  })

  it('refuses a data folder that another server has, and one it cannot read', async () => {
    const config = await writeConfig()
    await serve('--config', config)
    const second = await runCommand(['serve', '--config', config])
    expect(second).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/another process has the data folder .*data; stop it first/),
    })
    const broken = join(folder, 'broken')
    await mkdir(broken)
    await writeFile(
      join(broken, 'mail.db'),
      'this is no database, and long enough to be looked at'.repeat(100),
    )
    const third = await runCommand(['serve', '--config', config, '--data', broken])
    expect(third).toMatchObject({ status: 1, stderr: expect.stringMatching(/mail\.db/) })
    expect(third.stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('mailwright user', () => {
  it('manages users in the database while no server runs', async () => {
    await writeConfig()
    expect(await user(['add', 'Bob@Example.test'], 'first secret\n')).toMatchObject({
      status: 0,
      stdout: 'Bob@Example.test can log in\n',
    })
    expect(await user(['add', 'bob@example.test'], 'again\n')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/there is a user bob@example\.test already/),
    })
    expect(await user(['list'])).toMatchObject({
      status: 0,
      stdout: 'alice@example.test\tconfiguration\nbob@example.test\tdatabase\n',
    })
    expect((await user(['passwd', 'bob@example.test'], 'second secret\n')).status).toBe(0)
    const server = await serve('--config', join(folder, 'mailwright.json'))
    expect(await logsIn(server, 'bob@example.test', 'second secret')).toBe(true)
    expect(await logsIn(server, 'bob@example.test', 'first secret')).toBe(false)
  })

  it('goes through a running server and takes effect at once', async () => {
    const server = await serve('--config', await writeConfig())
    expect(await logsIn(server, 'bob@example.test', 'one')).toBe(false)
    expect(await user(['add', 'bob@example.test'], 'one\n')).toMatchObject({ status: 0 })
    expect(await logsIn(server, 'bob@example.test', 'one')).toBe(true)
    expect(await user(['passwd', 'bob@example.test'], 'two\n')).toMatchObject({ status: 0 })
    expect(await logsIn(server, 'bob@example.test', 'one')).toBe(false)
    expect(await logsIn(server, 'bob@example.test', 'two')).toBe(true)
    expect((await user(['list'])).stdout).toContain('bob@example.test\tdatabase')
    expect(await user(['remove', 'bob@example.test'])).toMatchObject({ status: 0 })
    expect(await logsIn(server, 'bob@example.test', 'two')).toBe(false)
    expect(await user(['remove', 'bob@example.test'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/there is no user bob/),
    })
  })

  it('leaves the users of the configuration alone, and strangers out', async () => {
    await writeConfig()
    expect(await user(['passwd', 'alice@example.test'], 'x\n')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/stands in the configuration file/),
    })
    expect(await user(['add', 'bob@elsewhere.test'], 'x\n')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/elsewhere\.test is not a local domain \(example\.test\)/),
    })
    expect(await user(['add', 'bob'], 'x\n')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/not a full address: bob/),
    })
    expect(await user(['add', 'bob@example.test'], '')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/no password came/),
    })
    expect((await user(['list'])).stdout).toBe('alice@example.test\tconfiguration\n')
  })

  it('makes hashes that the configuration takes', async () => {
    const { stdout } = await user(['hash'], 'a long secret\n')
    const passwordHash = stdout.trim()
    expect(passwordHash).not.toContain('secret')
    const config = await writeConfig({ domains: { 'example.test': { users: { carol: { passwordHash } } } } })
    const server = await serve('--config', config)
    expect(await logsIn(server, 'carol@example.test', 'a long secret')).toBe(true)
  })
})

describe('mailwright', () => {
  it('helps, with examples', async () => {
    const all = await runCommand(['help'])
    expect(all).toMatchObject({ status: 0, stdout: expect.stringMatching(/mailwright serve --demo/) })
    for (const command of ['serve', 'user']) {
      expect((await runCommand([command, '--help'])).stdout).toMatch(
        new RegExp(`Examples\\n {2}.*mailwright ${command} `),
      )
    }
    const packageJson = JSON.parse(await readFile('package.json', 'utf8')) as { version: string }
    expect((await runCommand(['--version'])).stdout).toBe(`${packageJson.version}\n`)
  })

  it.each([
    [['sevre'], /there is no command "sevre"; see: mailwright help/],
    [['serve', '--prot', '1'], /'--prot'/],
    [['serve', '--log', 'loud'], /--log takes debug, info, warn or error/],
    [['serve', '--demo', '--config', 'x'], /--demo needs no configuration/],
    [['user', 'add'], /write: mailwright user add ADDRESS/],
    [['user', 'rename'], /mailwright user list\|add\|passwd\|remove\|hash/],
  ])('refuses %j with status 2', async (args, message) => {
    expect(await runCommand(args)).toMatchObject({ status: 2, stderr: expect.stringMatching(message) })
  })
})
