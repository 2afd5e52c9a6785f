import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { MailServerOptions } from '../server/index.js'
import { CommandLineError } from './command-line-error.js'
import { readConfigFile } from './config-file.js'

const DEFAULT_FILE = 'mailwright.json'

/**
 * The options of the file named, or of mailwright.json in this folder; `data` overrides the file's. Null where there
 * is no file and none was named.
 */
export async function loadOptions(
  file: string | undefined,
  data: string | undefined,
): Promise<MailServerOptions | null> {
  if (file === undefined && !(await exists(DEFAULT_FILE))) return null
  const options = await readConfigFile(file ?? DEFAULT_FILE)
  return data === undefined ? options : { ...options, data: resolve(data) }
}

/** The same, where a configuration is needed. */
export async function expectOptions(
  file: string | undefined,
  data: string | undefined,
): Promise<MailServerOptions> {
  const options = await loadOptions(file, data)
  if (options !== null) return options
  throw new CommandLineError(
    `there is no ${DEFAULT_FILE} in this folder; name one with --config FILE, or try: mailwright serve --demo`,
  )
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
