import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Makes one script of a TypeScript file of this folder, that plain Node can run; its path. */
export async function bundle(file: string): Promise<string> {
  // Within node_modules, so that packages are found from there.
  const outfile = join(root, 'node_modules/.cache/mailwright', file.replace(/\.ts$/, '.mjs'))
  await build({
    entryPoints: [join(root, 'test/storage', file)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
  })
  return outfile
}
