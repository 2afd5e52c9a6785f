import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import ts from 'typescript'
import { root } from './pages.js'

/** The messages of the type checker about programs, each by the name of its file. */
export function typeErrors(programs: ReadonlyMap<string, string>): readonly string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  const textOf = (file: string): string | undefined => programs.get(file.slice(root.length))
  host.fileExists = (file) => textOf(file) !== undefined || fileExists(file)
  host.readFile = (file) => textOf(file) ?? readFile(file)
  host.getSourceFile = (file, version, ...rest) => {
    const text = textOf(file)
    return text === undefined
      ? getSourceFile(file, version, ...rest)
      : ts.createSourceFile(file, text, version)
  }
  const names = [...programs.keys()].map((name) => join(root, name))
  const program = ts.createProgram(names, options, host)
  return names.flatMap((name) => {
    const file = program.getSourceFile(name)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ file, start = 0, messageText }) => {
        const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
        return `${name.slice(root.length)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
      },
    )
  })
}

/**
 * Makes scripts of TypeScript programs, that plain Node can run: `<folder>/<name>.mjs` for each name. The package's name
 * and its subpaths lead to the source.
 */
export async function bundlePrograms(programs: ReadonlyMap<string, string>): Promise<string> {
  // Within node_modules, so that packages are found from there.
  const outdir = join(root, `node_modules/.cache/mailwright/docs-${process.pid}`)
  const fromPages: Plugin = {
    name: 'from pages',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^page:/ }, ({ path }) => ({ path: path.slice(5), namespace: 'page' }))
      onResolve({ filter: /^mailwright(\/|$)/ }, ({ path }) => ({
        path:
          path === 'mailwright/smtp'
            ? join(root, 'src/smtp.ts')
            : join(root, 'src', path.slice('mailwright'.length), 'index.ts'),
      }))
      onLoad({ filter: /^/, namespace: 'page' }, ({ path }) => ({
        contents: programs.get(path) ?? '',
        resolveDir: root,
        loader: 'ts',
      }))
    },
  }
  await build({
    entryPoints: [...programs.keys()].map((name) => ({ in: `page:${name}`, out: name })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    plugins: [fromPages],
    logLevel: 'silent',
  })
  return outdir
}

/** Runs a script in an empty folder; what it wrote and how it ended. */
export async function runScriptFile(
  file: string,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mailwright-docs-'))
  try {
    const child = spawn(process.execPath, [file], { cwd: folder, timeout: 20_000 })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += String(chunk)
      })
    }
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { status, output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
