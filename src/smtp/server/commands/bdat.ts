import type { Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import type { Ask, Command } from '../command.js'
import type { Chunk, Conversation } from '../conversation.js'
import { MessageReader } from '../message-reader.js'
import { badArgument, START_INPUT, TOO_MUCH_JUNK } from '../replies.js'
import { dataEndAsk, noRecipients } from './data.js'

const NO_SIZE = badArgument('Syntax: BDAT octets [LAST]')
const BAD_MARKER = badArgument('Nothing may follow the number of octets but LAST')
const NOT_OFFERED = reply(502, '5.5.1', 'BDAT is not offered')
const NEEDS_EHLO = reply(503, '5.5.1', 'BDAT is for sessions that began with EHLO')
const TOO_LARGE = reply(552, '5.3.4', 'Message is larger than the limit')
/** More digits than a number of octets can have here: such a chunk is not passed over. */
const MOST_DIGITS = 15

/**
 * RFC 3030 section 2. The octets follow at once and are read whatever the answer is, or they would be taken for commands;
 * where nobody knows how many they are the session ends.
 *
 *     bdat-cmd   = "BDAT" SP chunk-size [SP end-marker] CR LF
 *     chunk-size = 1*DIGIT
 *     end-marker = "LAST"
 */
export const bdat: Command = {
  name: 'BDAT',
  receive: (conversation, argument) => receiveBdat(conversation, argument, null),
}

/** A BDAT that may not come now, for the reason given. */
export function refuseBdat(conversation: Conversation, argument: string, refusal: Reply): void {
  receiveBdat(conversation, argument, refusal)
}

function receiveBdat(conversation: Conversation, argument: string, refusal: Reply | null): void {
  const { options } = conversation
  const [, digits = '', marker] = /^(\d+)(?: +(\S.*))?$/.exec(argument) ?? []
  if (digits === '') {
    conversation.closeWith(refusal ?? NO_SIZE, 'protocol')
    return
  }
  if (digits.replace(/^0+/, '').length > MOST_DIGITS) {
    conversation.closeWith(refusal ?? TOO_LARGE, 'protocol')
    return
  }
  const size = Number(digits)
  const last = marker?.toUpperCase() === 'LAST'
  const taken = conversation.message?.size ?? 0
  const chunk: Chunk = { size, last, left: size, verdict: refusal }
  if (refusal !== null) chunk.verdict = refusal
  else if (!options.chunking) chunk.verdict = NOT_OFFERED
  else if (!conversation.extended) chunk.verdict = NEEDS_EHLO
  else if (conversation.state === 'mail') chunk.verdict = noRecipients(conversation)
  else {
    if (marker !== undefined && !last) chunk.verdict = BAD_MARKER
    else if (taken + size > options.maxMessageSize) chunk.verdict = TOO_LARGE
    if (chunk.verdict !== null) conversation.failTransaction(chunk.verdict)
    else if (size === 0 && !last && ++conversation.junk > options.limits.junkCommands) {
      conversation.closeWith(TOO_MUCH_JUNK, 'limit')
      return
    }
  }
  conversation.chunk = chunk
  if (chunk.verdict === null && conversation.state === 'rcpt') conversation.ask(bdatAsk, { type: 'data' })
  else expectOctets(conversation)
}

/** Before the first octet of a message: the host has its last chance to refuse it, as before 354. */
const bdatAsk: Ask = {
  acceptance: START_INPUT,
  answered(conversation, answer) {
    if (answer.code >= 400) {
      if (conversation.chunk !== null) conversation.chunk.verdict = answer
      conversation.failTransaction(null)
    } else {
      const binary = conversation.envelope?.body === 'BINARYMIME'
      conversation.message = new MessageReader(conversation.options, binary ? 'binary' : 'chunks')
    }
    expectOctets(conversation)
  },
}

function expectOctets(conversation: Conversation): void {
  const { limits } = conversation.options
  conversation.mode = 'chunk'
  conversation.wait = { kind: 'data', ms: limits.dataMs, minRate: limits.dataRate }
}

/** Reads on in a chunk; false when nothing of it is there yet. */
export function receiveChunk(conversation: Conversation, chunk: Chunk): boolean {
  const { input, message } = conversation
  if (chunk.left > 0) {
    const octets = input.take(chunk.left)
    if (octets.length === 0) return false
    chunk.left -= octets.length
    conversation.options.wireLog?.octets('client', octets)
    if (chunk.verdict === null && message !== null) {
      passOn(conversation, message, message.read(octets).body)
    }
  }
  if (chunk.left === 0) endChunk(conversation, chunk)
  return true
}

/** From the octet on that breaks a rule nothing goes to the host. */
function passOn(conversation: Conversation, message: MessageReader, body: Uint8Array): void {
  const { violation } = message
  if (violation !== null) conversation.failTransaction(violation)
  else if (body.length > 0) conversation.tell({ type: 'body', chunk: body })
}

function endChunk(conversation: Conversation, chunk: Chunk): void {
  const { message } = conversation
  conversation.chunk = null
  conversation.expectCommand()
  if (message !== null && chunk.verdict === null) {
    if (chunk.last) message.end()
    chunk.verdict = message.violation
    if (chunk.verdict !== null) conversation.failTransaction(chunk.verdict)
  }
  if (chunk.verdict !== null) sayRefused(conversation, chunk.verdict, chunk.last)
  else if (chunk.last) {
    conversation.ask(dataEndAsk, { type: 'dataEnd', size: message?.size ?? 0 })
  } else {
    conversation.state = 'chunks'
    conversation.ask(chunkEndAsk, { type: 'chunkEnd', size: chunk.size })
  }
}

/**
 * In the end of the last chunk the transaction is over, whatever failed. In LMTP that chunk has a reply for each recipient,
 * and none where there is none (RFC 2033 section 4.3).
 */
function sayRefused(conversation: Conversation, verdict: Reply, last: boolean): void {
  const { envelope, lmtp, recipients, state } = conversation
  if (last && state === 'failed') conversation.sayOutcome(verdict)
  else if (!(last && lmtp && envelope !== null && recipients === 0)) conversation.say(verdict)
}

const chunkEndAsk: Ask = {
  acceptance: reply(250, '2.0.0', 'Octets received'),
  answered(conversation, answer) {
    if (answer.code >= 400) conversation.failTransaction(null)
    conversation.say(answer)
  },
}
