import { parseArgs } from 'node:util'
import { PasswordHasher } from '../auth/index.js'
import { openUsers, type UserAdministration } from '../server/index.js'
import { CommandLineError } from './command-line-error.js'
import { expectOptions } from './load-options.js'
import { readPassword } from './read-password.js'
import type { Terminal } from './terminal.js'

/** `mailwright user`. */
export async function user(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { config: { type: 'string' }, data: { type: 'string' } },
  })
  const [command, ...addresses] = positionals
  if (command === 'hash') return hash(terminal)
  const act = command !== undefined && Object.hasOwn(commands, command) ? commands[command] : undefined
  if (act === undefined) {
    throw new CommandLineError(
      'say what to do: mailwright user list|add|passwd|remove|hash; see: mailwright help user',
    )
  }
  const wanted = command === 'list' ? 0 : 1
  if (addresses.length !== wanted) {
    const usage = wanted === 0 ? '' : ' ADDRESS, as in alice@example.test'
    throw new CommandLineError(`write: mailwright user ${command}${usage}`)
  }
  const users = await openUsers(await expectOptions(values.config, values.data))
  try {
    await act(users, addresses[0] ?? '', terminal)
  } finally {
    await users.close()
  }
  return 0
}

type UserCommand = (users: UserAdministration, address: string, terminal: Terminal) => Promise<void>

const commands: Readonly<Record<string, UserCommand>> = {
  async list(users, _, { stdout }) {
    for (const { address, source } of await users.list()) stdout.write(`${address}\t${source}\n`)
  },
  async add(users, address, terminal) {
    await users.add(address, await password(terminal, `Password for ${address}`))
    terminal.stdout.write(`${address} can log in\n`)
  },
  async passwd(users, address, terminal) {
    await users.setPassword(address, await password(terminal, `New password for ${address}`))
    terminal.stdout.write(`${address} has a new password\n`)
  },
  async remove(users, address, { stdout }) {
    await users.remove(address)
    stdout.write(`${address} is removed; its mail stays in the database\n`)
  },
}

function password({ stdin, stderr }: Terminal, prompt: string): Promise<string> {
  return readPassword({ input: stdin, output: stderr }, prompt)
}

async function hash(terminal: Terminal): Promise<number> {
  const hasher = new PasswordHasher()
  terminal.stdout.write(`${await hasher.hash(await password(terminal, 'Password'))}\n`)
  return 0
}
