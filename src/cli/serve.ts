import { parseArgs } from 'node:util'
import type { Logger, LogLevel } from '../interfaces/index.js'
import {
  createMailServer,
  formatListenAddress,
  type MailServer,
  type MailServerOptions,
} from '../server/index.js'
import { CommandLineError } from './command-line-error.js'
import { demoOptions, demoText, fillDemo } from './demo.js'
import { expectOptions } from './load-options.js'
import { jsonLogger, textLogger } from './loggers.js'
import type { Terminal } from './terminal.js'

/** `mailwright serve`: resolves when the server has stopped. */
export async function serve(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      data: { type: 'string' },
      demo: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      log: { type: 'string', default: 'info' },
    },
  })
  if (values.demo && values.config !== undefined) {
    throw new CommandLineError('--demo needs no configuration; leave --config out, or --demo')
  }
  const level = expectLevel(values.log)
  const options = values.demo ? demoOptions(values.data) : await expectOptions(values.config, values.data)
  const write = (line: string): void => {
    terminal.stdout.write(line)
  }
  // The first line of --json is `ready`: what is logged before it waits.
  const held: string[] = []
  let ready = false
  const make = values.json ? jsonLogger : textLogger
  const logger: Logger = make((line) => (ready ? write(line) : void held.push(line)), level)
  const stopped = stopSignal(terminal, (again) =>
    logger.log('info', again ? 'server.killed' : 'server.stopping', {}),
  )
  const server = await start(options, logger, values.demo)
  if (values.demo) await fillDemo(server)
  write(values.json ? readyLine(server) : readyText(server, options))
  if (values.demo && !values.json) write(await demoText(server))
  ready = true
  for (const line of held.splice(0)) write(line)
  await stopped
  await server.close()
  logger.log('info', 'server.stopped', {})
  return 0
}

async function start(options: MailServerOptions, logger: Logger, demo: boolean): Promise<MailServer> {
  try {
    return await createMailServer({ ...options, logger })
  } catch (error) {
    // The demo's own ports may be taken by another demo: any free ones do as well.
    if (!demo || (error as { code?: unknown }).code !== 'LISTEN') throw error
    const listen = Object.fromEntries(Object.keys(options.listen).map((name) => [name, '127.0.0.1:0']))
    return createMailServer({ ...options, listen, logger })
  }
}

function expectLevel(level: string): LogLevel {
  if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') return level
  throw new CommandLineError(`--log takes debug, info, warn or error, not "${level}"`)
}

function readyLine(server: MailServer): string {
  return `${JSON.stringify({ event: 'ready', listeners: server.listeners })}\n`
}

function readyText(server: MailServer, options: MailServerOptions): string {
  const lines = server.listeners.map((listener) => {
    const tls = { none: 'in clear', starttls: 'STARTTLS', implicit: 'TLS' }[listener.tls]
    return `  ${listener.protocol.padEnd(12)} ${formatListenAddress(listener)} ${tls}\n`
  })
  const where = options.data === undefined ? 'in memory' : options.data
  return `Mailwright is ready; mail is kept ${options.data === undefined ? where : `in ${where}`}\n${lines.join('')}`
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
function stopSignal(terminal: Terminal, tell: (again: boolean) => void): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false
    terminal.onStopSignal(() => {
      tell(stopping)
      if (stopping) process.exit(1)
      stopping = true
      resolve()
    })
  })
}
