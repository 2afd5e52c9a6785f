/** One who has mail here. */
export interface UserRecord {
  /** Canonical (`canonicalAddress`); it names the account in the store. */
  readonly address: string
  /** As PasswordHasher wrote it. */
  readonly passwordHash: string
  /** Mail is taken for it, and nobody can log in. */
  readonly disabled: boolean
}

/** Who has mail here. Addresses given to it are canonical. */
export interface UserDirectory {
  /** The user of exactly that address, or null. Rejects when it cannot be told now. */
  find(address: string): Promise<UserRecord | null>
  /** The address of the domain's first user, by this directory's own order, or null: where mail for postmaster goes. */
  first(domain: string): Promise<string | null>
}

/** Several directories as one; where two know a user the earlier one is right. */
export class DirectoryChain implements UserDirectory {
  readonly #directories: readonly UserDirectory[]

  constructor(directories: readonly UserDirectory[]) {
    this.#directories = directories
  }

  async find(address: string): Promise<UserRecord | null> {
    for (const directory of this.#directories) {
      const found = await directory.find(address)
      if (found !== null) return found
    }
    return null
  }

  async first(domain: string): Promise<string | null> {
    for (const directory of this.#directories) {
      const found = await directory.first(domain)
      if (found !== null) return found
    }
    return null
  }
}
