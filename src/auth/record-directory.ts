import { canonicalAddress, MailError, UsageError } from '../core/index.js'
import type { UserDirectory, UserRecord } from './directory.js'
import type { PasswordHasher } from './password.js'

/** A durable table of strings, as a store gives one. */
export interface Records {
  get(key: string): Promise<string | null>
  /** Resolves when it is durable; replaces what was there. */
  put(key: string, value: string): Promise<void>
  /** Writes only where nothing has that key; false where something has. */
  add(key: string, value: string): Promise<boolean>
  delete(key: string): Promise<unknown>
  /** Every key. */
  list(): Promise<readonly string[]>
}

/** The users kept in a database, one record each: the key is the address, the value JSON. */
export class RecordDirectory implements UserDirectory {
  readonly #records: Records
  readonly #hasher: PasswordHasher

  constructor(records: Records, hasher: PasswordHasher) {
    this.#records = records
    this.#hasher = hasher
  }

  /** Rejects with MailError `corrupt` for a record that cannot be read. */
  async find(address: string): Promise<UserRecord | null> {
    const value = await this.#records.get(address)
    return value === null ? null : decode(address, value)
  }

  /** In alphabetical order. */
  async first(domain: string): Promise<string | null> {
    return (await this.list()).find((address) => address.endsWith(`@${domain}`)) ?? null
  }

  /** The addresses of all users, sorted. */
  async list(): Promise<readonly string[]> {
    return [...(await this.#records.list())].sort()
  }

  /** Makes a user; MailError `exists` where there is one, UsageError `USER` or `PASSWORD` for what cannot be. */
  async add(address: string, password: string): Promise<UserRecord> {
    const canonical = expectAddress(address)
    const user = { address: canonical, passwordHash: await this.#hasher.hash(password), disabled: false }
    if (!(await this.#records.add(canonical, encode(user)))) {
      throw new MailError('exists', `there is a user ${canonical} already`)
    }
    return user
  }

  /** MailError `notFound` where there is no such user. The old password stops working at once. */
  async setPassword(address: string, password: string): Promise<UserRecord> {
    const user = await this.#expectUser(address)
    return this.#put({ ...user, passwordHash: await this.#hasher.hash(password) })
  }

  /** MailError `notFound` where there is no such user. */
  async setDisabled(address: string, disabled: boolean): Promise<UserRecord> {
    return this.#put({ ...(await this.#expectUser(address)), disabled })
  }

  /** Forgets the user; the mail is the store's to remove. MailError `notFound` where there is no such user. */
  async remove(address: string): Promise<void> {
    await this.#records.delete((await this.#expectUser(address)).address)
  }

  async #expectUser(address: string): Promise<UserRecord> {
    const canonical = expectAddress(address)
    const user = await this.find(canonical)
    if (user === null) throw new MailError('notFound', `there is no user ${canonical}`)
    return user
  }

  async #put(user: UserRecord): Promise<UserRecord> {
    await this.#records.put(user.address, encode(user))
    return user
  }
}

function expectAddress(address: string): string {
  const canonical = canonicalAddress(address)
  if (canonical === null) throw new UsageError('USER', `not the address of a user: ${address}`)
  return canonical
}

function encode({ passwordHash, disabled }: UserRecord): string {
  return JSON.stringify({ version: 1, passwordHash, disabled })
}

function decode(address: string, value: string): UserRecord {
  let record: unknown
  try {
    record = JSON.parse(value)
  } catch {
    record = null
  }
  if (typeof record === 'object' && record !== null) {
    const { version, passwordHash, disabled } = record as Record<string, unknown>
    if (version === 1 && typeof passwordHash === 'string' && typeof disabled === 'boolean') {
      return { address, passwordHash, disabled }
    }
  }
  throw new MailError('corrupt', `the record of the user ${address} cannot be read`)
}
