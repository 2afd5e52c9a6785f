import { execFileSync, spawn } from 'node:child_process'
import { chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { environment, freePort, nextLine, run, startRole, stop, untilListening } from './child.js'

/** A server under load. */
export interface Target {
  readonly name: string
  readonly port: number
  /** The one process that does the work. */
  readonly pid: number
  stop(): Promise<void>
}

export async function startTarget(
  role: 'ours' | 'npm' | 'bare',
): Promise<Target & { memory(): Promise<number> }> {
  const { process: child, said } = await startRole(role, {})
  return {
    name: role,
    port: (said as { port: number }).port,
    pid: child.pid as number,
    stop: () => stop(child),
    memory: async () => {
      child.stdin?.write('\n')
      return (JSON.parse(await nextLine(child)) as { rss: number }).rss
    },
  }
}

export function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Postfix's smtp-sink: C, one process, discards. */
export async function startSink(): Promise<Target> {
  const port = await freePort()
  const child = spawn('smtp-sink', ['-u', 'nobody', `127.0.0.1:${port}`, '1000'], { stdio: 'ignore' })
  await untilListening(port)
  return { name: 'smtp-sink', port, pid: child.pid as number, stop: () => stop(child) }
}

/** Where Haraka is: beside us, or in the folder that MAILWRIGHT_HARAKA names; null where it is not. */
function harakaFolder(): string | null {
  const given = process.env.MAILWRIGHT_HARAKA
  if (given !== undefined) return existsSync(join(given, 'haraka.js')) ? given : null
  try {
    return dirname(createRequire(import.meta.url).resolve('Haraka/package.json'))
  } catch {
    return null
  }
}

/** Haraka with one plugin, which takes everyone and everything. */
export async function startHaraka(): Promise<Target | null> {
  const haraka = harakaFolder()
  if (haraka === null) return null
  const folder = mkdtempSync(join(tmpdir(), 'haraka-'))
  const port = await freePort()
  mkdirSync(join(folder, 'config'))
  mkdirSync(join(folder, 'plugins'))
  const files: Readonly<Record<string, string>> = {
    'config/smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n`,
    'config/plugins': 'everything\n',
    'config/loglevel': 'LOGCRIT\n',
    'config/me': 'localhost\n',
    'config/host_list': 'example.test\n',
    'plugins/everything.js':
      'exports.hook_rcpt = (next) => next(OK)\nexports.hook_queue = (next) => next(OK, "Message accepted")\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  copyFileSync(join(haraka, 'config/connection.ini'), join(folder, 'config/connection.ini'))
  const child = spawn(process.execPath, [join(haraka, 'bin/haraka'), '-c', folder], {
    stdio: 'ignore',
    env: environment,
  })
  await untilListening(port)
  return {
    name: 'Haraka',
    port,
    pid: child.pid as number,
    stop: async () => {
      await stop(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Debian's Postfix, which holds every message in its queue, durably. */
export async function startPostfix(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'postfix-'))
  const port = await freePort()
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postfix']).toString()))
  execFileSync('chmod', ['755', folder])
  mkdirSync(join(folder, 'spool'))
  mkdirSync(join(folder, 'data'))
  chownSync(join(folder, 'data'), uid as number, gid as number)
  const settings = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'spool'),
    data_directory: join(folder, 'data'),
    maillog_file: join(folder, 'log'),
    maillog_file_prefixes: folder,
    myhostname: 'localhost.test',
    mydestination: 'example.test',
    local_recipient_maps: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination',
    smtpd_client_restrictions: 'check_client_access static:HOLD',
    smtpd_peername_lookup: 'no',
    smtpd_client_connection_count_limit: '0',
    default_process_limit: '100',
  }
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'proxymap unix - - n - - proxymap',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'anvil unix - - n - 1 anvil',
    'postlog unix-dgram n - n - 1 postlogd',
  ]
  writeFileSync(
    join(folder, 'main.cf'),
    Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(''),
  )
  writeFileSync(join(folder, 'master.cf'), `${services.join('\n')}\n`)
  await run('postfix', ['-c', folder, 'start'])
  await untilListening(port)
  return {
    name: 'Postfix',
    port,
    pid: 0,
    stop: async () => {
      await run('postfix', ['-c', folder, 'stop']).catch(() => undefined)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
