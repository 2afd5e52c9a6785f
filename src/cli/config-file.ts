import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from '../core/index.js'
import { checkOptions, type MailServerOptions } from '../server/index.js'

/** The settings that a host plugs in as objects, so that a file cannot hold them. */
const objectsOnly = ['store', 'authenticator', 'delivery', 'policy', 'logger', 'clock', 'wireLog'] as const

/**
 * The options in a configuration file, checked; file names in it are relative to the file. Throws UsageError
 * `CONFIG` that names the file, the setting and the mend.
 */
export async function readConfigFile(file: string): Promise<MailServerOptions> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : String(error)
    throw new UsageError('CONFIG', `${file}: ${reason}`)
  }
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    refuseObjects(value)
    checkOptions(value)
    return resolvePaths(value, dirname(resolve(file)))
  } catch (error) {
    throw new UsageError('CONFIG', `${file}: ${(error as Error).message}`)
  }
}

function refuseObjects(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const name of objectsOnly) {
    if (Object.hasOwn(value, name)) {
      throw new UsageError(
        'CONFIG',
        `${name}: is for programs that use the library; it cannot stand in a file`,
      )
    }
  }
}

function resolvePaths(options: MailServerOptions, folder: string): MailServerOptions {
  const path = (name: string): string => (name.includes('-----BEGIN') ? name : resolve(folder, name))
  const { data, tls } = options
  const pairs = tls === undefined || tls === false ? null : [tls].flat()
  return {
    ...options,
    ...(data === undefined ? {} : { data: path(data) }),
    ...(pairs === null ? {} : { tls: pairs.map(({ cert, key }) => ({ cert: path(cert), key: path(key) })) }),
  }
}
