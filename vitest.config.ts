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
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
