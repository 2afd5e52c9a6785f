import type { RecordDirectory } from '../auth/index.js'
import { canonicalAddress, MailError } from '../core/index.js'

/** One user as `list` tells of it. */
export interface UserListing {
  readonly address: string
  /** Where the user stands: in the configuration, which wins and is read-only here, or in the database. */
  readonly source: 'configuration' | 'database'
}

/** The users of a running server, as its owner manages them. */
export class Users {
  readonly #configured: ReadonlySet<string>
  readonly #database: RecordDirectory
  readonly #domains: readonly string[]

  /** `configured` are the canonical addresses of the configuration's users, `domains` the local ones. */
  constructor(configured: readonly string[], database: RecordDirectory, domains: readonly string[]) {
    this.#configured = new Set(configured)
    this.#database = database
    this.#domains = domains
  }

  async list(): Promise<readonly UserListing[]> {
    const configured = this.#configured
    const stored = await this.#database.list()
    const all: UserListing[] = [
      ...[...configured].map((address) => ({ address, source: 'configuration' as const })),
      ...stored
        .filter((address) => !configured.has(address))
        .map((address) => ({ address, source: 'database' as const })),
    ]
    return all.sort((a, b) => (a.address < b.address ? -1 : 1))
  }

  /** MailError `exists`, or `invalidName` for an address of a domain that is not local. */
  async add(address: string, password: string): Promise<void> {
    const user = this.#expectChangeable(address)
    const domain = user.slice(user.lastIndexOf('@') + 1)
    if (!this.#domains.includes(domain)) {
      const local = this.#domains.length === 0 ? 'none is configured' : this.#domains.join(', ')
      throw new MailError(
        'invalidName',
        `${domain} is not a local domain (${local}); add it under "domains" first`,
      )
    }
    await this.#database.add(user, password)
  }

  /** MailError `notFound`. The old password stops working at once. */
  async setPassword(address: string, password: string): Promise<void> {
    await this.#database.setPassword(this.#expectChangeable(address), password)
  }

  /** Forgets the user; the mail stays in the database. MailError `notFound`. */
  async remove(address: string): Promise<void> {
    await this.#database.remove(this.#expectChangeable(address))
  }

  /** MailError `invalidName` or, for a user of the configuration, `forbidden`. */
  #expectChangeable(address: string): string {
    const user = canonicalAddress(address)
    if (user === null) {
      throw new MailError('invalidName', `not a full address: ${address}; write it as in alice@example.test`)
    }
    if (this.#configured.has(user)) {
      throw new MailError(
        'forbidden',
        `${user} stands in the configuration file; change it there and restart`,
      )
    }
    return user
  }
}
