import { defineConfig } from 'tsup'

const library = {
  index: 'src/index.ts',
  'smtp/index': 'src/smtp.ts',
  'pop3/index': 'src/pop3/index.ts',
  'imap/index': 'src/imap/index.ts',
  'mime/index': 'src/mime/index.ts',
  'tls/index': 'src/tls/index.ts',
  'net/index': 'src/net/index.ts',
  'sasl/index': 'src/sasl/index.ts',
  'auth/index': 'src/auth/index.ts',
  'storage/index': 'src/storage/index.ts',
  'storage/sql/index': 'src/storage/sql/index.ts',
  'delivery/index': 'src/delivery/index.ts',
  'testing/index': 'src/testing/index.ts',
}

const shared = {
  target: 'node20',
  platform: 'node',
  // One copy of every class, whichever subpaths a host imports.
  splitting: true,
  dts: false,
} as const

// `tsup --no-dts` leaves the declarations out, which take most of the time.
export default defineConfig(({ dts }) => [
  { ...shared, format: 'esm', entry: { ...library, 'cli/main': 'src/cli/main.ts' } },
  { ...shared, format: 'cjs', entry: library },
  ...(dts === false
    ? []
    : [
        {
          ...shared,
          format: ['esm' as const, 'cjs' as const],
          entry: library,
          dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
        },
      ]),
])
