import type { EnvelopeAddress } from '../interfaces/message-facts.js'
import { parseAddresses } from './addresses.js'
import { decodeRaw } from './charset.js'
import { decodeWords } from './encoded-words.js'

/** One mailbox as text. */
export interface Mailbox {
  /** The display name, encoded words decoded; '' where there is none. */
  readonly name: string
  /** local-part "@" domain, the local part quoted where it has to be; '' for `<>`. */
  readonly address: string
}

/** A mailbox, or a group with its members (its `address` is '' and `group` is not null). */
export interface Address extends Mailbox {
  readonly group: readonly Mailbox[] | null
}

/** dot-atom of RFC 5322 section 3.2.3, with the characters of RFC 6532 section 3.2. */
const dotAtom = /^[^\x00-\x20()<>[\]:;@\\,."\x7f]+(?:\.[^\x00-\x20()<>[\]:;@\\,."\x7f]+)*$/

function addressOf(mailbox: string, host: string): string {
  const local = decodeRaw(mailbox)
  const written = local === '' || dotAtom.test(local) ? local : `"${local.replace(/["\\]/g, '\\$&')}"`
  return host === '' ? written : `${written}@${decodeRaw(host)}`
}

/** What `parseAddresses` found, as text, groups with their members inside. */
export function decodeAddresses(list: readonly EnvelopeAddress[]): Address[] {
  const addresses: Address[] = []
  let members: Mailbox[] | null = null
  for (const { name, mailbox, host } of list) {
    if (host !== null) {
      const decoded = {
        name: name === null ? '' : decodeWords(name),
        address: addressOf(mailbox ?? '', host),
      }
      if (members === null) addresses.push({ ...decoded, group: null })
      else members.push(decoded)
    } else if (mailbox === null) members = null
    else {
      members = []
      addresses.push({ name: decodeWords(mailbox), address: '', group: members })
    }
  }
  return addresses
}

/** The addresses of a field's value (one octet a character), as text. Never throws; linear time. */
export function parseMailboxes(value: string): Address[] {
  return decodeAddresses(parseAddresses(value))
}
