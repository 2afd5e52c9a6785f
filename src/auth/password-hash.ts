import type { ScramKeys } from '../interfaces/index.js'

/** What is kept of a password: an scrypt hash for PLAIN and LOGIN, and the keys SCRAM-SHA-256 needs. */
export interface PasswordHash {
  /** Binary logarithm of scrypt's N. */
  readonly logN: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
  readonly scram: ScramKeys
}

/** RFC 5802 section 4's ladder: what a server may be told to keep; also the cap against a hostile record. */
const ITERATIONS = { min: 4096, max: 1_000_000 }

/** Octets of memory one scrypt run of these costs take. */
export function scryptMemory(logN: number, r: number): number {
  return 128 * 2 ** logN * r
}

/**
 * Writes a hash as one line of ASCII: `$scrypt$ln=15,r=8,p=1$SALT$HASH$SCRAM-SHA-256$i=65536$SALT$STORED$SERVER`,
 * octets in base64.
 */
export function formatPasswordHash(hash: PasswordHash): string {
  const { scram } = hash
  return [
    '',
    'scrypt',
    `ln=${hash.logN},r=${hash.r},p=${hash.p}`,
    base64(hash.salt),
    base64(hash.hash),
    'SCRAM-SHA-256',
    `i=${scram.iterations}`,
    base64(scram.salt),
    base64(scram.storedKey),
    base64(scram.serverKey),
  ].join('$')
}

/**
 * Reads what `formatPasswordHash` wrote, with any costs that take up to 128 MiB. Null for anything else, so that a
 * damaged or hostile record can neither crash a login nor use up the machine.
 */
export function parsePasswordHash(text: string): PasswordHash | null {
  if (text.length > 1024) return null
  const parts = text.split('$')
  if (parts.length !== 10 || parts[0] !== '' || parts[1] !== 'scrypt' || parts[5] !== 'SCRAM-SHA-256')
    return null
  const costs = /^ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})$/.exec(parts[2] as string)
  const rounds = /^i=(\d{1,7})$/.exec(parts[6] as string)
  if (costs === null || rounds === null) return null
  const [logN, r, p] = [Number(costs[1]), Number(costs[2]), Number(costs[3])]
  if (logN < 10 || logN > 20 || r < 1 || p < 1 || p > 16 || scryptMemory(logN, r) > 2 ** 27) return null
  const iterations = Number(rounds[1])
  if (iterations < ITERATIONS.min || iterations > ITERATIONS.max) return null
  const octets = [parts[3], parts[4], parts[7], parts[8], parts[9]].map((part) => octetsOf(part as string))
  const [salt, hash, scramSalt, storedKey, serverKey] = octets as (Buffer | null)[]
  if (!salt || !hash || !scramSalt || !storedKey || !serverKey) return null
  if (salt.length < 8 || scramSalt.length < 8) return null
  if (hash.length !== 32 || storedKey.length !== 32 || serverKey.length !== 32) return null
  return { logN, r, p, salt, hash, scram: { salt: scramSalt, iterations, storedKey, serverKey } }
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64')
}

function octetsOf(text: string): Buffer | null {
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? octets : null
}
