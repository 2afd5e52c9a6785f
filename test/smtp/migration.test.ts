import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const page = readFileSync(new URL('../../docs/migrating-from-smtp-server.md', import.meta.url), 'utf8')
const main = createRequire(import.meta.url).resolve('smtp-server')
const types = readFileSync(join(dirname(main), '../esm/types.d.ts'), 'utf8')

/** The first cells of the page's tables: what somebody who comes from smtp-server looks for. */
const firstCells = [...page.matchAll(/^\| (.*?) \|/gm)].map(([, cell]) => cell).join('\n')

/** The members of an interface of smtp-server. */
function membersOf(name: string): string[] {
  const [, body = ''] = new RegExp(`interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)\\n\\}`).exec(types) ?? []
  return [...body.matchAll(/^ {4}(\w+)\??[:(]/gm)].map(([, member]) => member as string)
}

it.each([
  ['SMTPServerOptions', 40],
  ['SMTPServerSession', 18],
  ['SMTPServerEnvelope', 6],
  ['SMTPServerAuthentication', 8],
  ['SMTPServerAuthenticationResponse', 4],
  ['SMTPServerAddress', 3],
  ['SMTPServerDataStream', 2],
  ['SMTPServerEvents', 3],
])('smtp-server’s %s are all found in the page that tells how to move', (name, atLeast) => {
  const members = membersOf(name)
  expect(members.length).toBeGreaterThanOrEqual(atLeast)
  const missing = members.filter((member) => !new RegExp(`\\b${member}\\b`).test(firstCells))
  expect(missing).toEqual([])
})
