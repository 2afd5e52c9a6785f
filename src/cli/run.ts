import { isMailError } from '../core/index.js'
import { CommandLineError } from './command-line-error.js'
import { helpFor } from './help.js'
import { serve } from './serve.js'
import type { Terminal } from './terminal.js'
import { user } from './user.js'
import { version } from './version.js'

/** Runs one command; resolves to the exit status: 0 done, 1 it failed, 2 it was called wrongly. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [command, ...rest] = args
  try {
    if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
      terminal.stdout.write(helpFor(rest[0]))
      return command === undefined ? 2 : 0
    }
    if (command === 'version' || command === '--version') {
      terminal.stdout.write(`${version}\n`)
      return 0
    }
    if (rest.includes('--help') || rest.includes('-h')) {
      terminal.stdout.write(helpFor(command))
      return 0
    }
    if (command === 'serve') return await serve(rest, terminal)
    if (command === 'user') return await user(rest, terminal)
    throw new CommandLineError(`there is no command "${command}"; see: mailwright help`)
  } catch (error) {
    return report(error, terminal)
  }
}

/** Expected failures in one line; anything else with its stack, since it is for us to mend. */
function report(error: unknown, { stderr }: Terminal): number {
  const { code } = error as { code?: unknown }
  const expected = isMailError(error) || (typeof code === 'string' && code !== 'ERR_ASSERTION')
  if (expected) stderr.write(`mailwright: ${(error as Error).message}\n`)
  else stderr.write(`mailwright: unexpected error\n${(error as Error).stack ?? String(error)}\n`)
  const misused = code === 'COMMAND_LINE' || (typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS'))
  return misused ? 2 : 1
}
