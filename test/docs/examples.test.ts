import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { helpFor } from '../../src/cli/help.js'
import { checkOptions } from '../../src/server/index.js'
import { runScript } from '../../src/testing/index.js'
import { imapHost } from '../imap/session/host.js'
import { type Block, blocks, links, pages, readPage, root } from './pages.js'
import { bundlePrograms, runScriptFile, typeErrors } from './programs.js'

const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
}

const place = ({ page, line }: Block): string => `${page}:${line}`

/** What follows a program of a page that would run on: a client that uses it and an end; and what it prints. */
const afterwards: Readonly<Record<string, { readonly more: string; readonly prints: RegExp }>> = {
  receive: {
    more: `
      const { createTransport } = await import('nodemailer')
      const transport = createTransport({ port: server.listeners[0]?.port, tls: { rejectUnauthorized: false } })
      await transport.sendMail({ from: 'bob@client.test', to: 'alice@example.test', text: 'Hello' })
      transport.close()
      await server.close()`,
    prints: /^from bob@client\.test to alice@example\.test: \d{3,} octets$/m,
  },
  submission: {
    more: `
      const { createTransport } = await import('nodemailer')
      const auth = { user: 'alice@example.test', pass: 'secret' }
      const transport = createTransport({ port, auth, tls: { rejectUnauthorized: false } })
      const mail = { from: auth.user, to: 'bob@client.test', text: 'Hello' }
      console.log((await transport.sendMail(mail)).response)
      console.log(await transport.sendMail({ ...mail, from: 'bob@client.test' }).catch(({ response }) => response))
      transport.close()
      const stranger = createTransport({ port, tls: { rejectUnauthorized: false } })
      console.log(await stranger.sendMail(mail).catch(({ response }) => response))
      stranger.close()
      await server.close()`,
    prints:
      /^alice@example\.test to bob@client\.test: \d{3,} octets\n250 2\.0\.0 Queued\n550 5\.7\.1 Not your address\n530 /m,
  },
  connect: {
    more: `
      const { connect } = await import('node:net')
      await new Promise((resolve) => local.once('listening', resolve))
      const clients = [connect('smtp.sock'), connect(behindProxy.address().port, '127.0.0.1')]
      for (const client of clients) {
        client.write('')
        client.once('data', () => client.end('EHLO client.test\\r\\nQUIT\\r\\n'))
        for await (const chunk of client) console.log(String(chunk))
      }
      behindProxy.close()
      local.close()
      await smtp.close()`,
    prints: /250 STARTTLS[\s\S]*221 2\.0\.0[\s\S]*250-PIPELINING(?![\s\S]*STARTTLS)[\s\S]*221 2\.0\.0/,
  },
  login: {
    more: `
      const { default: Pop3Command } = await import('node-pop3')
      const [listener] = server.listeners
      const pop3 = new Pop3Command({ host: '127.0.0.1', port: listener?.port, user: 'Alice', password: 'secret' })
      console.log('messages', await pop3.STAT())
      await pop3.QUIT()
      await server.close()`,
    prints: /^messages 0 0$/m,
  },
  bearer: {
    more: `
      const { createTransport } = await import('nodemailer')
      const transport = (accessToken: string) =>
        createTransport({
          port: server.listeners[0]?.port,
          secure: true,
          auth: { type: 'OAuth2', user: 'Alice@example.test', accessToken },
          tls: { rejectUnauthorized: false },
        })
      console.log('right', await transport('ya29.example').verify())
      console.log('wrong', await transport('ya29.other').verify().catch(({ responseCode }) => responseCode))
      await server.close()`,
    prints: /^right true\nwrong 535$/m,
  },
  policy: {
    more: `
      const { createTransport } = await import('nodemailer')
      const transport = createTransport({ port: server.listeners[0]?.port, tls: { rejectUnauthorized: false } })
      const mail = { from: 'bob@spam.test', to: 'alice@example.test', text: 'Hello' }
      console.log(await transport.sendMail(mail).catch(({ response }) => response))
      transport.close()
      await server.close()`,
    prints: /smtp\.refused[\s\S]*^550 5\.7\.1 Not from there$/m,
  },
}

const programs = blocks('ts')
const nameOf = ({ page, line }: Block): string => `${page.replaceAll('/', '-')}-${line}`

describe('programs', () => {
  let folder = ''

  beforeAll(async () => {
    const runnable = programs.map((block) => {
      // Any free port does, and none is taken twice.
      const text = block.text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:0')
      return [nameOf(block), text + (afterwards[block.name]?.more ?? '')] as const
    })
    folder = await bundlePrograms(new Map(runnable))
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('are there', () => {
    expect(programs.length).toBeGreaterThan(5)
    const names = programs.map(({ name }) => name)
    expect(Object.keys(afterwards).filter((name) => !names.includes(name))).toEqual([])
  })

  it('have no type errors', () => {
    expect(typeErrors(new Map(programs.map((block) => [`${nameOf(block)}.ts`, block.text])))).toEqual([])
  })

  for (const block of programs) {
    it.concurrent(`run: ${place(block)}`, async () => {
      const ran = await runScriptFile(join(folder, `${nameOf(block)}.mjs`))
      const prints = afterwards[block.name]?.prints ?? /^/
      expect(ran).toEqual({ status: 0, output: expect.stringMatching(prints) })
    })
  }
})

describe('scripts', () => {
  for (const block of blocks('text').filter(({ name }) => name === 'imap')) {
    it(place(block), async () => {
      // To the host of the tests a user's name is the password.
      await runScript(block.text.replaceAll(/LOGIN (\w+) secret/g, 'LOGIN $1 $1'), () => imapHost())
    })
  }
})

describe('configurations', () => {
  for (const block of blocks('json')) {
    it(place(block), () => {
      const settings = JSON.parse(block.text) as object
      // A page may show one setting alone.
      checkOptions({ listen: { smtp: '127.0.0.1:0' }, domains: { 'example.test': {} }, ...settings })
    })
  }
})

describe('commands', () => {
  const lines = blocks('sh').flatMap((block) =>
    block.text
      .replaceAll('\\\n', ' ')
      .split('\n')
      .map((line) => ({ line, where: place(block) })),
  )

  it('of npm are scripts of the package', () => {
    const wanted = lines.flatMap(({ line }) => [
      ...line.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[\w-]+)/g),
    ])
    expect(wanted.length).toBeGreaterThan(3)
    for (const [, name = ''] of wanted) expect(Object.keys(packageJson.scripts)).toContain(name)
  })

  it('of mailwright have the options and words that its help names', () => {
    const wanted = lines.flatMap(({ line, where }) => {
      const found = /\bmailwright ((?:serve|user|help|version)\b.*)/.exec(line)
      return found === null ? [] : [{ words: (found[1] as string).split(/\s+/), where }]
    })
    expect(wanted.length).toBeGreaterThan(3)
    for (const { words, where } of wanted) {
      const [command, sub = ''] = words
      const help = helpFor(command)
      for (const option of words.filter((word) => word.startsWith('--')))
        expect(help, where).toContain(` ${option}`)
      if (command === 'user') expect(help, where).toMatch(new RegExp(`^  ${sub} `, 'm'))
    }
  })
})

describe('links', () => {
  for (const page of pages) {
    it(`of ${page}`, () => {
      expect(links(page).filter((path) => !existsSync(join(root, path)))).toEqual([])
    })
  }

  it('the README names every subpath of the package', () => {
    const readme = readPage('README.md')
    for (const subpath of Object.keys(packageJson.exports)) {
      if (subpath === './package.json') continue
      expect(readme).toContain(`| \`mailwright${subpath.slice(1)}\` |`)
    }
  })
})

describe('pages', () => {
  for (const page of pages) {
    it(`${page} names files that are there`, () => {
      const named = [...readPage(page).matchAll(/`((?:src|test|bench|examples|docs)\/[\w./-]*)`/g)]
      const missing = named.map((match) => match[1] as string).filter((path) => !existsSync(join(root, path)))
      expect(missing).toEqual([])
    })

    it(`${page} keeps its lines short`, () => {
      const long = readPage(page)
        .split('\n')
        .filter((line) => line.length > 120 && !line.startsWith('|') && !line.startsWith('{"'))
      expect(long).toEqual([])
    })
  }

  it('docs/architecture.md says why each dependency of the source is there', () => {
    const page = readPage('docs/architecture.md')
    const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(root, 'src', file), 'utf8'))
      .join('\n')
    const used = Object.keys(packageJson.dependencies).filter((name) =>
      new RegExp(`\\b(?:from|import) ?\\(?'${name}[/']`).test(source),
    )
    expect(used.length).toBeGreaterThan(2)
    expect(used.filter((name) => !page.includes(name))).toEqual([])
  })
})
