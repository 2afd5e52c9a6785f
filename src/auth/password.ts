import { createHash, createHmac, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Limits } from '../core/index.js'
import { MailError, resolveLimits, UsageError } from '../core/index.js'
import type { ScramKeys } from '../interfaces/index.js'
import { Gate } from './gate.js'
import type { PasswordHash } from './password-hash.js'
import { formatPasswordHash, parsePasswordHash, scryptMemory } from './password-hash.js'
import { preparePassword } from './password-text.js'

const derive = promisify(pbkdf2)

/** Costs and bounds of password hashing. */
export const passwordLimits = {
  /** Binary logarithm of scrypt's N, for new hashes: 15 takes 32 MiB and some 80 ms. */
  logN: { default: 15, min: 10, max: 17 },
  /**
   * PBKDF2 rounds of the SCRAM keys of new hashes. RFC 7677 section 4 asks for 4,096 at least; clients that use Cyrus
   * SASL refuse more than 65,536.
   */
  scramIterations: { default: 65_536, min: 4096, max: 1_000_000 },
  /** scrypt runs at once; each takes a thread of the pool that DNS and files use too. */
  concurrency: { default: 2, min: 1, max: 64 },
  /** Checks that wait for their turn; one more is answered `unavailable`. */
  queue: { default: 200, min: 0, max: 100_000 },
} as const

export type PasswordLimits = Limits<typeof passwordLimits>

/**
 * - `ok`, `wrong`: what the hash says.
 * - `unavailable`: too many checks are waiting, or the hash is damaged.
 * - `refused`: `mayProceed` said no when its turn came.
 */
export type Verdict = 'ok' | 'wrong' | 'unavailable' | 'refused'

/** Hashes and verifies passwords, a bounded number at once, whoever asks. */
export class PasswordHasher {
  readonly limits: PasswordLimits
  readonly #gate: Gate
  readonly #nobody: PasswordHash

  constructor(limits: Partial<PasswordLimits> = {}) {
    this.limits = resolveLimits(passwordLimits, limits)
    this.#gate = new Gate(this.limits.concurrency, this.limits.queue)
    this.#nobody = {
      logN: this.limits.logN,
      r: 8,
      p: 1,
      salt: randomBytes(16),
      hash: randomBytes(32),
      scram: {
        salt: randomBytes(16),
        iterations: 4096,
        storedKey: randomBytes(32),
        serverKey: randomBytes(32),
      },
    }
  }

  /**
   * The string to keep for a password. Throws UsageError `PASSWORD` for one that `preparePassword` refuses and
   * MailError `unavailable` when too many are waiting. Salts are random; `scramSalt` is for hashes that are made anew
   * each time, and whose salt is to stay.
   */
  async hash(password: string, scramSalt: Uint8Array = randomBytes(16)): Promise<string> {
    const prepared = preparePassword(password)
    if (prepared === null) {
      throw new UsageError('PASSWORD', 'a password has 1 to 1024 characters and no control characters')
    }
    const { logN, scramIterations } = this.limits
    const costs = { logN, r: 8, p: 1, salt: randomBytes(16) }
    const encoded = await this.#gate.run(async () => {
      const hash = await run(prepared, costs)
      const scram = await scramKeys(prepared, scramSalt, scramIterations)
      return formatPasswordHash({ ...costs, hash, scram })
    })
    if (encoded === undefined) throw new MailError('unavailable', 'too many passwords are being hashed')
    return encoded
  }

  /**
   * Whether the password is the one of `encoded`; null, for a user who does not exist, takes the same time and is
   * `wrong`. `mayProceed` is asked once more when its turn has come.
   */
  async verify(
    password: string,
    encoded: string | null,
    mayProceed: () => boolean = () => true,
  ): Promise<Verdict> {
    const parsed = encoded === null ? this.#nobody : parsePasswordHash(encoded)
    if (parsed === null) return 'unavailable'
    const prepared = preparePassword(password)
    const verdict = await this.#gate.run(async (): Promise<Verdict> => {
      if (!mayProceed()) return 'refused'
      const same = timingSafeEqual(await run(prepared ?? '', parsed), parsed.hash)
      return same && prepared !== null && encoded !== null ? 'ok' : 'wrong'
    })
    return verdict ?? 'unavailable'
  }
}

/** RFC 5802 section 3, with SHA-256 (RFC 7677). The password must be prepared. */
export async function scramKeys(password: string, salt: Uint8Array, iterations: number): Promise<ScramKeys> {
  const salted = await derive(password, salt, iterations, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  return {
    salt,
    iterations,
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: createHmac('sha256', salted).update('Server Key').digest(),
  }
}

function run(password: string, costs: Pick<PasswordHash, 'logN' | 'r' | 'p' | 'salt'>): Promise<Buffer> {
  const { logN, r, p, salt } = costs
  const options = { N: 2 ** logN, r, p, maxmem: 2 * scryptMemory(logN, r) + 2 ** 20 }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
