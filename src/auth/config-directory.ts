import { canonicalAddress, UsageError } from '../core/index.js'
import type { UserDirectory, UserRecord } from './directory.js'
import type { PasswordHasher } from './password.js'
import { parsePasswordHash } from './password-hash.js'
import { ScramSecret } from './scram-secret.js'

/** A user as configuration names one: with a password, or better with the hash of one. */
export type ConfigUser =
  | { readonly address: string; readonly password: string }
  | { readonly address: string; readonly passwordHash: string }

/** The users that stand in the configuration; they cannot be changed while the server runs. */
export class ConfigDirectory implements UserDirectory {
  readonly #users: ReadonlyMap<string, UserRecord>

  private constructor(users: ReadonlyMap<string, UserRecord>) {
    this.#users = users
  }

  /**
   * Hashes the passwords, some 120 ms each; many users should come with hashes. `secret` is that of the
   * DirectoryAuthenticator. Throws UsageError `USER` for an address that cannot be a user's, that is there twice, or
   * whose hash is malformed, and `PASSWORD` as PasswordHasher does.
   */
  static async create(
    users: readonly ConfigUser[],
    hasher: PasswordHasher,
    secret: ScramSecret = new ScramSecret(),
  ): Promise<ConfigDirectory> {
    const records = new Map<string, UserRecord>()
    for (const user of users) {
      const address = canonicalAddress(user.address)
      if (address === null) throw new UsageError('USER', `not the address of a user: ${user.address}`)
      if (records.has(address)) throw new UsageError('USER', `the user ${address} is configured twice`)
      if ('passwordHash' in user && parsePasswordHash(user.passwordHash) === null) {
        throw new UsageError('USER', `the password hash of ${address} is malformed`)
      }
      const passwordHash =
        'passwordHash' in user ? user.passwordHash : await hasher.hash(user.password, secret.saltOf(address))
      records.set(address, { address, passwordHash, disabled: false })
    }
    return new ConfigDirectory(records)
  }

  find(address: string): Promise<UserRecord | null> {
    return Promise.resolve(this.#users.get(address) ?? null)
  }

  first(domain: string): Promise<string | null> {
    for (const address of this.#users.keys()) {
      if (address.endsWith(`@${domain}`)) return Promise.resolve(address)
    }
    return Promise.resolve(null)
  }
}
