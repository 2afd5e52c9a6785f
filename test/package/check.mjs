// Packs the package as npm would publish it, installs the tarball in an empty folder, and uses it from there:
// every subpath by import and by require, types from a .mts and a .cts consumer, the command, publint and attw.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = (name) => join(root, 'node_modules', name)
const folder = mkdtempSync(join(tmpdir(), 'mailwright-package-'))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })
const node = (...args) => run(process.execPath, args)

try {
  const { name, version, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const tarball = join(folder, `${name}-${version}.tgz`)
  run(npm, ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  console.log('publint')
  node(bin('publint/src/cli.js'), tarball, '--strict')
  console.log('attw')
  node(bin('@arethetypeswrong/cli/dist/index.js'), tarball, '--profile', 'node16')

  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'commonjs' }))
  run(npm, ['install', '--silent', '--no-audit', '--no-fund', tarball])
  const subpaths = Object.keys(exports)
    .filter((path) => !path.endsWith('.json'))
    .map((path) => path.replace(/^\./, name))

  console.log('import and require')
  const names = JSON.stringify(subpaths)
  writeFileSync(
    join(folder, 'check.mjs'),
    `for (const path of ${names}) {
      const module = await import(path)
      if (Object.keys(module).length === 0) throw new Error(path + ' exports nothing')
    }
    const root = await import('${name}')
    const testing = await import('${name}/testing')
    const storage = await import('${name}/storage')
    if (storage.MemoryStore === undefined || testing.runScript === undefined) throw new Error('names are missing')
    const { SmtpServer, SmtpClient } = await import('${name}/smtp')
    const { SmtpClient: sameClient } = await import('${name}/delivery')
    if (SmtpServer !== root.SmtpServer || SmtpClient !== root.SmtpClient || SmtpClient !== sameClient)
      throw new Error('the SMTP classes are not one')
    const receiver = new SmtpServer({})
    const { port } = await receiver.listen(0, '127.0.0.1')
    const sender = new SmtpClient({ port, host: '127.0.0.1' })
    const sent = await sender.send({ from: 'a@c.test', to: ['b@c.test'] }, 'Subject: x\\r\\n\\r\\nhello\\r\\n')
    if (!sent.recipients[0].accepted) throw new Error('mail does not go from SmtpClient to SmtpServer')
    await sender.close()
    await receiver.close()
    const store = new storage.MemoryStore()
    const account = await store.open('a@example.test')
    const error = await account.status('nowhere').catch((error) => error)
    if (!(error instanceof root.MailError)) throw new Error('MailError is not one class')
    const server = await root.createMailServer({
      listen: { imap: '127.0.0.1:0' }, domains: { 'example.test': {} },
    })
    if (server.listeners[0].port === 0) throw new Error('no port')
    await server.close()
    console.log('esm ok')`,
  )
  process.stdout.write(node('check.mjs'))
  writeFileSync(
    join(folder, 'check.cjs'),
    `for (const path of ${names}) {
      if (Object.keys(require(path)).length === 0) throw new Error(path + ' exports nothing')
    }
    const { createMailServer, MailError } = require('${name}')
    const { MemoryStore } = require('${name}/storage')
    if (require('${name}/smtp').SmtpServer !== require('${name}').SmtpServer) throw new Error('SmtpServer is not one')
    new MemoryStore().open('a@example.test')
      .then((account) => account.status('nowhere'))
      .catch((error) => { if (!(error instanceof MailError)) throw new Error('MailError is not one class') })
      .then(() => createMailServer({ listen: { pop3: '127.0.0.1:0' }, domains: { 'example.test': {} } }))
      .then((server) => server.close())
      .then(() => console.log('cjs ok'))`,
  )
  process.stdout.write(node('check.cjs'))

  console.log('types')
  const consumer = `import { createMailServer, type MailServer, type MailStore } from '${name}'
${subpaths.map((path, index) => `import * as part${index} from '${path}'`).join('\n')}
export const parts = [${subpaths.map((_, index) => `part${index}`).join(', ')}]
export async function start(store: MailStore): Promise<MailServer> {
  return createMailServer({ listen: { imap: '127.0.0.1:0' }, domains: {}, store })
}
// @ts-expect-error a listener that does not exist
export const wrong = createMailServer({ listen: { gopher: '127.0.0.1:70' } })
`
  writeFileSync(join(folder, 'consumer.mts'), consumer)
  writeFileSync(join(folder, 'consumer.cts'), consumer)
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
        exactOptionalPropertyTypes: true,
      },
      files: ['consumer.mts', 'consumer.cts'],
    }),
  )
  node(bin('typescript/bin/tsc'), '-p', 'tsconfig.json')

  console.log('command')
  const shown = node(join(folder, 'node_modules', name, 'dist/cli/main.js'), 'version').trim()
  if (shown !== version) throw new Error(`the command says it is version ${shown}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log('the package is sound')
