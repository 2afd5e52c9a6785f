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

/** True for a dot-atom of ASCII, which most local parts are. */
function isPlain(text: string): boolean {
  let dot = true
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e) {
      if (dot) return false
      dot = true
    } else {
      const letter = code | 0x20
      const plain =
        (letter >= 0x61 && letter <= 0x7a) ||
        (code >= 0x30 && code <= 0x39) ||
        code === 0x2d ||
        code === 0x5f ||
        code === 0x2b
      if (!plain) return false
      dot = false
    }
  }
  return !dot
}

function addressOf(mailbox: string, host: string): string {
  if (isPlain(mailbox) && isPlain(host)) return `${mailbox}@${host}`
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
      const text = name === null ? '' : decodeWords(name)
      const address = addressOf(mailbox ?? '', host)
      if (members === null) addresses.push({ name: text, address, group: null })
      else members.push({ name: text, address })
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
