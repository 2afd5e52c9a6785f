/** DNS as mail needs it. Each rejects with an error whose `code` is `ENOTFOUND`, `ENODATA` or another of node:dns. */
export interface Resolver {
  mx(domain: string): Promise<readonly { readonly exchange: string; readonly preference: number }[]>
  /** A and AAAA, as text. */
  addresses(host: string): Promise<readonly string[]>
  /** Names of an address. */
  ptr(address: string): Promise<readonly string[]>
  /** Each record's strings joined. */
  txt(domain: string): Promise<readonly string[]>
}
