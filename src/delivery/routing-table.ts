import { canonicalAddress, canonicalDomain, UsageError } from '../core/index.js'

/** Which addresses are ours and where their mail goes. Addresses are full ones, in any case. */
export interface RoutingOptions {
  /** The domains this server takes mail for, at least one. Nothing else is ever taken. */
  readonly domains: readonly string[]
  /** From an address to one or several others of these domains; an alias may lead to aliases. */
  readonly aliases?: Readonly<Record<string, string | readonly string[]>>
  /** By domain: who gets what is addressed to nobody there. */
  readonly catchAll?: Readonly<Record<string, string>>
  /** Who gets mail for `postmaster`; by default the first user of the domain. */
  readonly postmaster?: string
  /** What divides a user from a detail that is ignored, one character, or '' for none; `+` by default. */
  readonly detailSeparator?: string
}

/** Targets of one alias, nested ones included; and of all recipients of a message together. */
export const MOST_TARGETS = 10_000

/** RoutingOptions checked once, in canonical addresses. */
export class RoutingTable {
  /** In the order of the configuration. */
  readonly domains: readonly string[]
  readonly postmaster: string | null
  readonly detailSeparator: string
  readonly #local: ReadonlySet<string>
  readonly #aliases: ReadonlyMap<string, readonly string[]>
  readonly #catchAll: ReadonlyMap<string, string>

  /**
   * Throws UsageError `ROUTING` for a domain or address that cannot be, and for a target outside the local domains:
   * this version sends no mail out.
   */
  constructor(options: RoutingOptions) {
    this.domains = options.domains.map(expectDomain)
    this.#local = new Set(this.domains)
    if (this.domains.length === 0) throw new UsageError('ROUTING', 'at least one local domain is needed')
    this.#aliases = new Map(
      Object.entries(options.aliases ?? {}).map(([from, to]) => {
        const targets = typeof to === 'string' ? [to] : to
        if (targets.length === 0) throw new UsageError('ROUTING', `the alias ${from} leads nowhere`)
        const address = this.#expectLocal(from, 'an alias')
        return [
          address,
          targets.map((target) => this.#expectLocal(target, `the target of the alias ${from}`)),
        ]
      }),
    )
    this.#catchAll = new Map(
      Object.entries(options.catchAll ?? {}).map(([domain, to]) => {
        if (!this.isLocal(expectDomain(domain))) {
          throw new UsageError('ROUTING', `the catch-all domain ${domain} is not a local one`)
        }
        return [expectDomain(domain), this.#expectLocal(to, `the catch-all of ${domain}`)]
      }),
    )
    this.postmaster =
      options.postmaster === undefined ? null : this.#expectLocal(options.postmaster, 'the postmaster')
    this.detailSeparator = options.detailSeparator ?? '+'
    if (this.detailSeparator.length > 1 || this.detailSeparator === '@') {
      throw new UsageError('ROUTING', 'the detail separator is one character other than @, or empty')
    }
    for (const alias of this.#aliases.keys()) this.#checkSize(alias)
  }

  isLocal(domain: string): boolean {
    return this.#local.has(domain)
  }

  aliasTargets(address: string): readonly string[] | undefined {
    return this.#aliases.get(address)
  }

  catchAll(domain: string): string | undefined {
    return this.#catchAll.get(domain)
  }

  #expectLocal(address: string, what: string): string {
    const canonical = canonicalAddress(address)
    if (canonical === null)
      throw new UsageError('ROUTING', `${what} must be a full address, not "${address}"`)
    if (!this.isLocal(domainOf(canonical))) {
      throw new UsageError(
        'ROUTING',
        `${what} is ${address}, which is not in a local domain (${this.domains.join(', ')}); mail is not sent out`,
      )
    }
    return canonical
  }

  /** What an alias leads to is bounded; loops are no matter, since each alias is followed once. */
  #checkSize(alias: string): void {
    const seen = new Set([alias])
    for (const address of seen) {
      for (const target of this.#aliases.get(address) ?? []) seen.add(target)
      if (seen.size > MOST_TARGETS) throw new UsageError('ROUTING', `the alias ${alias} has too many targets`)
    }
  }
}

/** The domain of a canonical address. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

function expectDomain(domain: string): string {
  const canonical = canonicalDomain(domain)
  if (canonical === null) throw new UsageError('ROUTING', `not a domain name: "${domain}"`)
  return canonical
}
