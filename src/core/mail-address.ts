import { domainToASCII } from 'node:url'
import { isAscii } from './bytes.js'

/** RFC 5321 section 4.5.3.1: a path has up to 256 octets; room is left for what SMTPUTF8 writes in fewer characters. */
const LONGEST_ADDRESS = 512

/** A domain in the one spelling it is compared in: A-labels in lower case. Null for what is not a domain name. */
export function canonicalDomain(domain: string): string | null {
  const ascii = isAscii(domain) ? domain.toLowerCase() : domainToASCII(domain)
  return ascii.length > 255 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(ascii) ? null : ascii
}

/**
 * The one spelling that stands for a local user: the domain as `canonicalDomain` has it, the local part (without
 * quoting) in lower case and NFC, since no two users here differ in case alone (RFC 5321 section 2.4 leaves the
 * meaning of a local part to the domain's own host). Null for what cannot be the address of a user.
 */
export function canonicalAddress(address: string): string | null {
  if (address.length > LONGEST_ADDRESS) return null
  const at = address.lastIndexOf('@')
  if (at < 1) return null
  const domain = canonicalDomain(address.slice(at + 1))
  const localPart = address.slice(0, at).normalize('NFC').toLowerCase().normalize('NFC')
  return domain === null || /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(localPart) ? null : `${localPart}@${domain}`
}
