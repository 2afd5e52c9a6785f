// Runs a benchmark: node bench/run.mjs storage-stall [arguments]
// Bundles bench/<name>.ts into one file that plain Node can run, where packages are found.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const [name, ...rest] = process.argv.slice(2)
if (name === undefined) {
  console.error('usage: node bench/run.mjs <name> [arguments]')
  process.exit(2)
}
const root = fileURLToPath(new URL('..', import.meta.url))
const outfile = `${root}node_modules/.cache/mailwright/bench/${name}.mjs`
await build({
  entryPoints: [`${root}bench/${name}.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
})
const { status } = spawnSync(process.execPath, ['--expose-gc', outfile, ...rest], { stdio: 'inherit' })
process.exit(status ?? 1)
