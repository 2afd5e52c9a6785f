import { defineConfig } from 'vitest/config'

// The tests that need the reference data: MAILWRIGHT_CORPUS names its folder.
export default defineConfig({
  test: {
    include: ['test/corpus/**/*.test.ts'],
    testTimeout: 120_000,
  },
})
