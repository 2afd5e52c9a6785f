import { canonicalAddress, canonicalDomain } from '../core/index.js'
import type { Recipient } from '../interfaces/index.js'
import type { RoutingOptions } from './routing-table.js'
import { domainOf, RoutingTable } from './routing-table.js'

/** Who has mail here, as far as routing must know. Every UserDirectory is one. Addresses are canonical. */
export interface UserLookup {
  find(address: string): Promise<{ readonly address: string } | null>
  first(domain: string): Promise<string | null>
}

/** `users`: the accounts, at least one, each once. `unknown`: ours, and nobody's. `foreign`: not ours. */
export type Route =
  | { readonly type: 'users'; readonly users: readonly string[] }
  | { readonly type: 'unknown' }
  | { readonly type: 'foreign' }

const unknown: Route = { type: 'unknown' }
const foreign: Route = { type: 'foreign' }

/**
 * Finds the accounts a recipient's mail goes to. The domain alone decides whether it is ours: no `%`, `!` or `@` in a
 * local part and no source route ever leads anywhere else.
 *
 * Within a domain the first that fits is taken: an alias, a user, an alias or a user without the detail
 * (`alice+lists` is `alice`), postmaster, the catch-all. A user with an alias of the same name gets mail only where
 * the alias leads back to it.
 */
export class Router {
  readonly #table: RoutingTable
  readonly #users: UserLookup

  /** Throws UsageError `ROUTING` for options that cannot be. */
  constructor(options: RoutingOptions, users: UserLookup) {
    this.#table = new RoutingTable(options)
    this.#users = users
  }

  /** Rejects as the lookup does. */
  async route(recipient: Recipient): Promise<Route> {
    const domain = this.#localDomain(recipient)
    if (domain === null) return foreign
    const address = canonicalAddress(`${recipient.localPart}@${domain}`)
    if (address === null) return unknown
    let users = await this.#follow(address)
    if (users.length === 0) {
      const substitute = await this.#substitute(address)
      users = substitute === null ? [] : await this.#follow(substitute)
    }
    return users.length === 0 ? unknown : { type: 'users', users }
  }

  /**
   * Whether the user, a canonical address, may send as the mailbox: it is his own, with a detail too, or an alias that leads
   * to him. Where a user and an alias have one name, it is the user's, wherever the mail goes; and who gets what is
   * addressed to nobody, or to postmaster, is not therefore everybody. Rejects as the lookup does.
   */
  async owns(sender: Recipient, user: string): Promise<boolean> {
    const domain = this.#localDomain(sender)
    const address = domain === null ? null : canonicalAddress(`${sender.localPart}@${domain}`)
    for (const candidate of address === null ? [] : this.#candidates(address)) {
      const named = await this.#users.find(candidate)
      if (named !== null) return named.address === user
      if (this.#table.aliasTargets(candidate) !== undefined)
        return (await this.#follow(candidate)).includes(user)
    }
    return false
  }

  #localDomain(recipient: Recipient): string | null {
    const domain = recipient.domain === '' ? this.#table.domains[0] : canonicalDomain(recipient.domain)
    return domain !== undefined && domain !== null && this.#table.isLocal(domain) ? domain : null
  }

  /** Follows aliases, each once, so that loops end; what comes back to an alias already followed means the user. */
  async #follow(address: string): Promise<readonly string[]> {
    // Most addresses are simply a user's.
    const user = this.#table.aliasTargets(address) === undefined ? await this.#users.find(address) : null
    if (user !== null) return [user.address]
    const found = new Set<string>()
    const followed = new Set<string>()
    const pending = [address]
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const candidate of this.#candidates(next)) {
        const targets = followed.has(candidate) ? undefined : this.#table.aliasTargets(candidate)
        if (targets !== undefined) {
          followed.add(candidate)
          pending.push(...targets)
          break
        }
        const user = await this.#users.find(candidate)
        if (user !== null) {
          found.add(user.address)
          break
        }
      }
    }
    return [...found]
  }

  /** The spellings that may name someone, the exact one first. */
  #candidates(address: string): readonly string[] {
    const separator = this.#table.detailSeparator
    const domain = domainOf(address)
    const at = separator === '' ? -1 : address.indexOf(separator)
    return at > 0 && at < address.length - domain.length - 1
      ? [address, `${address.slice(0, at)}@${domain}`]
      : [address]
  }

  /** Who gets what nobody is named by: postmaster must be heard (RFC 5321 section 4.5.1), then the catch-all. */
  async #substitute(address: string): Promise<string | null> {
    const domain = domainOf(address)
    const isPostmaster = this.#candidates(address).includes(`postmaster@${domain}`)
    return (isPostmaster ? await this.#postmaster(domain) : null) ?? this.#table.catchAll(domain) ?? null
  }

  async #postmaster(domain: string): Promise<string | null> {
    if (this.#table.postmaster !== null) return this.#table.postmaster
    for (const each of [domain, ...this.#table.domains]) {
      const first = await this.#users.first(each)
      if (first !== null) return first
    }
    return null
  }
}
