import type { Reply } from '../../../interfaces/index.js'
import { reply } from '../../../interfaces/index.js'
import type { Ask, Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import { MessageReader } from '../message-reader.js'
import { badSequence, MESSAGE_OK, NO_ARGUMENT, START_INPUT } from '../replies.js'

const RCPT_FIRST = badSequence('Send RCPT first')
const BINARY_NEEDS_BDAT = badSequence('A binary message needs BDAT')
const NO_VALID_RECIPIENTS = reply(554, '5.5.1', 'No valid recipients')

/** Why there is nobody to send the message to; LMTP has its own code for it (RFC 2033 section 4.2). */
export function noRecipients(conversation: Conversation): Reply {
  return conversation.refused > 0 && !conversation.lmtp ? NO_VALID_RECIPIENTS : RCPT_FIRST
}

/** RFC 5321 section 4.1.1.4: `data = "DATA" CRLF` */
export const data: Command = {
  name: 'DATA',
  receive(conversation, argument) {
    if (argument !== '') conversation.sayNoMessage(NO_ARGUMENT)
    else if (conversation.state === 'mail') conversation.sayNoMessage(noRecipients(conversation))
    else if (conversation.envelope?.body === 'BINARYMIME') conversation.sayNoMessage(BINARY_NEEDS_BDAT)
    else conversation.ask(dataAsk, { type: 'data' })
  },
}

const dataAsk: Ask = {
  acceptance: START_INPUT,
  answered(conversation, answer) {
    if (answer.code >= 400) {
      conversation.endTransaction('refused')
      conversation.sayNoMessage(answer)
      return
    }
    const { limits } = conversation.options
    conversation.say(START_INPUT)
    conversation.mode = 'message'
    conversation.message = new MessageReader(conversation.options, 'dots')
    conversation.wait = { kind: 'data', ms: limits.dataMs, minRate: limits.dataRate }
  },
}

/** The end of a message, however it came. */
export const dataEndAsk: Ask = {
  acceptance: MESSAGE_OK,
  answered(conversation, answer) {
    if (answer.code < 300) conversation.junk = 0
    conversation.sayOutcome(answer)
  },
  answeredEach(conversation, answers) {
    if (answers.some(({ code }) => code < 300)) conversation.junk = 0
    conversation.sayOutcomes(answers)
  },
}

/**
 * Reads on in the message. From the octet on that breaks a rule nothing more goes to the host, the transaction is
 * over, and the reply waits for the end of the data, since the client reads none before (RFC 5321 section 4.1.1.4).
 */
export function receiveMessage(conversation: Conversation, message: MessageReader): void {
  const { input } = conversation
  const wasRefused = message.violation !== null
  const chunk = input.peek()
  const { body, used } = message.read(chunk)
  input.skip(used)
  conversation.options.wireLog?.octets('client', chunk.subarray(0, used))
  const violation = message.violation
  if (violation !== null && !wasRefused) conversation.failTransaction(violation)
  if (violation === null && body.length > 0) conversation.tell({ type: 'body', chunk: body })
  if (!message.ended) return
  conversation.message = null
  conversation.expectCommand()
  if (violation !== null) conversation.sayOutcome(violation)
  else conversation.ask(dataEndAsk, { type: 'dataEnd', size: message.size })
}
