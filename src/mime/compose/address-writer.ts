/// <reference path="./punycode.d.ts" />
import { domainToASCII } from 'node:url'
import punycode from 'punycode/punycode.js'
import { isAscii, toLatin1 } from '../../core/bytes.js'
import { UsageError } from '../../core/errors.js'
import { type Address, type Mailbox, parseMailboxes } from '../mailboxes.js'
import { checkText, foldField } from './fold.js'
import { phraseWords } from './words.js'

/** One mailbox; `address` is local-part "@" domain, in Unicode or with A-labels. */
export interface MailboxInput {
  readonly name?: string | undefined
  readonly address: string
}

/** A group (RFC 5322 section 3.4) with its members, of which there may be none. */
export interface GroupInput {
  readonly name: string
  readonly group: AddressInput
}

/** Addresses as text (`"Name" <a@b.example>, c@d.example`), as objects, or as lists of both. */
export type AddressInput = string | MailboxInput | GroupInput | readonly AddressInput[]

const atext = "A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u00a0-\\u{10ffff}-"
const dotAtom = new RegExp(`^[${atext}]+(?:\\.[${atext}]+)*$`, 'u')
/** What some hosts give out although it is no dot-atom; it is written as a quoted string. */
const dotted = new RegExp(`^[${atext}.]+$`, 'u')
const quotedString = /^"((?:[^"\\\x00-\x1f\x7f-\x9f\u2028\u2029]|\\[^\x00-\x1f\x7f-\x9f\u2028\u2029])*)"$/
const domainLiteral = /^\[[\x21-\x5a\x5e-\x7e]+\]$/

/** The addresses, members of groups inside, in the spelling they are written in. Errors as `writeAddress`. */
export function readAddresses(input: AddressInput | undefined, what: string, smtpUtf8: boolean): Address[] {
  if (input === undefined || input === '') return []
  if (typeof input === 'string') {
    const text = checkText(input, what)
    return parseMailboxes(toLatin1(Buffer.from(text, 'utf8'))).map((address) =>
      address.group === null
        ? { ...writeMailbox(address, what, smtpUtf8), group: null }
        : { ...address, group: address.group.map((member) => writeMailbox(member, what, smtpUtf8)) },
    )
  }
  if (isList(input)) return input.flatMap((each) => readAddresses(each, what, smtpUtf8))
  if (typeof input !== 'object' || input === null) throw notAnAddress(String(input), what)
  if (!('group' in input)) return [{ ...writeMailbox(input, what, smtpUtf8), group: null }]
  const name = checkText(input.name, `the name of a group in ${what}`)
  if (name === '') throw new UsageError('ADDRESS', `a group in ${what} must have a name`)
  const members = readAddresses(input.group, what, smtpUtf8)
  if (members.some((member) => member.group !== null)) {
    throw new UsageError('ADDRESS', `the group ${JSON.stringify(name)} in ${what} holds another`)
  }
  return [{ name, address: '', group: members }]
}

function isList(input: AddressInput): input is readonly AddressInput[] {
  return Array.isArray(input)
}

function notAnAddress(address: string, what: string): UsageError {
  return new UsageError('ADDRESS', `${JSON.stringify(address)} in ${what} is not an address`)
}

function writeMailbox(mailbox: MailboxInput, what: string, smtpUtf8: boolean): Mailbox {
  return {
    name: checkText(mailbox.name ?? '', `a name in ${what}`),
    address: writeAddress(mailbox.address, what, smtpUtf8),
  }
}

/**
 * local-part "@" domain as it goes into a header, the domain in A-labels unless `smtpUtf8`. UsageError `ADDRESS` for
 * what is none, `SMTPUTF8` for a local part that only a message with `smtpUtf8` can hold.
 */
function writeAddress(given: string, what: string, smtpUtf8: boolean): string {
  const address = checkText(given, `an address in ${what}`)
  const at = address.lastIndexOf('@')
  const local = address.slice(0, Math.max(at, 0))
  const domain = writeDomain(address.slice(at + 1), smtpUtf8)
  if (at < 1 || domain === null || /[\x80-\x9f\u2028\u2029]/.test(local)) throw notAnAddress(given, what)
  if (!smtpUtf8 && !isAscii(local)) {
    throw new UsageError('SMTPUTF8', `${JSON.stringify(given)} in ${what} needs the option smtpUtf8`)
  }
  if (dotAtom.test(local)) return `${local}@${domain}`
  const quoted = dotted.test(local) ? local : quotedString.exec(local)?.[1]?.replace(/\\(.)/gu, '$1')
  if (quoted === undefined) throw notAnAddress(given, what)
  return dotAtom.test(quoted) ? `${quoted}@${domain}` : `"${quoted.replace(/["\\]/g, '\\$&')}"@${domain}`
}

/** The domain, in A-labels (RFC 5890) unless `smtpUtf8`, or null where it is none. */
function writeDomain(domain: string, smtpUtf8: boolean): string | null {
  if (domainLiteral.test(domain)) return domain
  const ascii = asciiDomain(domain)
  if (ascii === null) return null
  return smtpUtf8 && !isAscii(domain) ? domain.normalize('NFC') : ascii
}

/** The A-labels of a domain name, or null where it is none. Names that are ASCII keep their case. */
export function asciiDomain(domain: string): string | null {
  // versions of the platform's table differ in what they make of these
  if (/[\p{C}\p{Z}]/u.test(domain)) return null
  const ascii = isAscii(domain) ? domain : punycode.toASCII(domain.normalize('NFKC').toLowerCase())
  if (ascii.length > 253 || !/^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i.test(ascii)) return null
  // the platform's own table knows which characters a label must not hold
  return isAscii(domain) || domainToASCII(ascii) !== '' ? ascii : null
}

/** A field of addresses (RFC 5322 section 3.4) with its CRLF; '' where there are none. */
export function addressField(name: string, addresses: readonly Address[], smtpUtf8: boolean): string {
  if (addresses.length === 0) return ''
  const words: string[] = []
  for (const [index, address] of addresses.entries()) {
    if (index > 0) words[words.length - 1] += ','
    if (address.group === null) mailboxWords(address, words, smtpUtf8)
    else groupWords(address.name, address.group, words, smtpUtf8)
  }
  return foldField(name, words)
}

function mailboxWords({ name, address }: Mailbox, words: string[], smtpUtf8: boolean): void {
  const gap = words.length === 0 ? '' : ' '
  if (name === '') {
    words.push(gap + address)
    return
  }
  const phrase = phraseWords(name, smtpUtf8)
  words.push(gap + (phrase[0] ?? ''), ...phrase.slice(1), ` <${address}>`)
}

function groupWords(name: string, members: readonly Mailbox[], words: string[], smtpUtf8: boolean): void {
  const gap = words.length === 0 ? '' : ' '
  const phrase = phraseWords(name, smtpUtf8)
  words.push(gap + (phrase[0] ?? ''), ...phrase.slice(1))
  words[words.length - 1] += ':'
  for (const [index, member] of members.entries()) {
    if (index > 0) words[words.length - 1] += ','
    mailboxWords(member, words, smtpUtf8)
  }
  words[words.length - 1] += ';'
}

/** Every address once, in order, members of groups included: what an envelope holds. */
export function flatAddresses(lists: readonly (readonly Address[])[]): string[] {
  const found = new Set<string>()
  for (const list of lists) {
    for (const { address, group } of list) {
      if (group === null) found.add(address)
      else for (const member of group) found.add(member.address)
    }
  }
  return [...found]
}
