import { plainAddress } from '../../../core/plain-address.js'
import { reply } from '../../../interfaces/index.js'
import { decodeXtext, isDomainOrLiteral } from '../../grammar/index.js'
import type { Command } from '../command.js'
import { badArgument, OK } from '../replies.js'

const NOT_TRUSTED = reply(550, '5.7.0', 'You are not one of those who may say that')
const LONGEST_VALUE = 255
/** What stands for a value that the proxy has not, or has not yet. */
const unknown: ReadonlySet<string> = new Set(['[UNAVAILABLE]', '[TEMPUNAVAIL]'])
const IPV6_TAG = /^IPV6:/i
const LEADING_ZERO = /(?:^|\.)0\d/
const clientAttributes: ReadonlySet<string> = new Set([
  'NAME',
  'ADDR',
  'PORT',
  'PROTO',
  'HELO',
  'LOGIN',
  'DESTADDR',
  'DESTPORT',
])
const forwardAttributes: ReadonlySet<string> = new Set([
  'NAME',
  'ADDR',
  'PORT',
  'PROTO',
  'HELO',
  'IDENT',
  'SOURCE',
])

type Attributes = ReadonlyMap<string, string | null>

/**
 * Postfix's XCLIENT: the session starts anew as that of the client named, from the greeting on, which whoever decides on
 * connections is asked for. PROTO is checked and changes nothing: the HELO or EHLO that follows says how the session goes on.
 *
 *     xclient-command = XCLIENT 1*( SP attribute-name "=" attribute-value )     ; attribute-value = xtext
 */
export const xclient: Command = {
  name: 'XCLIENT',
  receive(conversation, argument) {
    if (!conversation.options.xclient) {
      conversation.say(NOT_TRUSTED)
      return
    }
    const attributes = readAttributes(argument, clientAttributes)
    if (typeof attributes === 'string') {
      conversation.say(badArgument(attributes))
      return
    }
    conversation.startAnew(attributes.get('LOGIN') != null)
    conversation.tell({ type: 'xclient', attributes })
  },
}

/** Postfix's XFORWARD: tells for whom the next message comes, and changes nothing of the session. */
export const xforward: Command = {
  name: 'XFORWARD',
  receive(conversation, argument) {
    if (!conversation.options.xforward) {
      conversation.say(NOT_TRUSTED)
      return
    }
    const attributes = readAttributes(argument, forwardAttributes)
    if (typeof attributes === 'string') conversation.say(badArgument(attributes))
    else {
      conversation.tell({ type: 'xforward', attributes })
      conversation.say(OK)
    }
  },
}

/** The attributes in capitals; a sentence says what is wrong. */
function readAttributes(argument: string, known: ReadonlySet<string>): Attributes | string {
  const found = new Map<string, string | null>()
  for (const each of argument.split(' ')) {
    const equals = each.indexOf('=')
    const name = each.slice(0, equals).toUpperCase()
    if (equals < 1 || !known.has(name)) return 'Syntax: attribute=value for each attribute'
    const written = each.slice(equals + 1)
    const value = decodeXtext(written)
    if (value === null || value.length > LONGEST_VALUE) return `The value of ${name} is not xtext`
    const none = value === '' || unknown.has(value.toUpperCase())
    if (!none && !isValid(name, value)) return `The value of ${name} is not one it can have`
    found.set(name, none ? null : name.endsWith('ADDR') ? plainAddress(value.replace(IPV6_TAG, '')) : value)
  }
  return found
}

function isValid(name: string, value: string): boolean {
  switch (name) {
    case 'ADDR':
    case 'DESTADDR':
      return isAddress(value)
    case 'PORT':
    case 'DESTPORT':
      return /^\d{1,5}$/.test(value) && Number(value) <= 65_535
    case 'PROTO':
      return /^E?SMTP$|^LMTP$/i.test(value)
    case 'SOURCE':
      return /^(?:LOCAL|REMOTE)$/i.test(value)
    default:
      return /^[\x20-\x7e]+$/.test(value)
  }
}

/** An IPv4 address, or an IPv6 address behind its tag: what an address literal holds (RFC 5321 section 4.1.3). */
function isAddress(value: string): boolean {
  return isDomainOrLiteral(`[${value}]`) && !LEADING_ZERO.test(value)
}
