import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const src = fileURLToPath(new URL('./src', import.meta.url))

export default defineConfig({
  // The examples import the package by its name, as a host does.
  resolve: {
    alias: [
      { find: /^mailwright\/smtp$/, replacement: `${src}/smtp.ts` },
      { find: /^mailwright(\/.+)?$/, replacement: `${src}$1/index.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // They need the reference data: npm run test:corpus.
    exclude: ['test/corpus/**'],
    // One process for each core: much of the tests is waiting for a disk or a clock.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
