import { reply } from '../../../interfaces/index.js'
import type { Ask, Command } from '../command.js'
import type { Conversation } from '../conversation.js'
import { ehloLines } from '../extensions/index.js'
import { OK, UNKNOWN_COMMAND } from '../replies.js'

const NO_NAME = reply(501, '5.5.4', 'Send the name of your host')
const BAD_NAME = reply(501, '5.5.4', 'That is no name of a host')
/** Clients send all sorts of names; anything goes that cannot break a log line or a header field. */
const NAME = /^[\x21-\x7e]{1,255}$/

/** RFC 5321 section 4.1.1.1: `ehlo = "EHLO" SP ( Domain / address-literal ) CRLF` */
export const ehlo: Command = {
  name: 'EHLO',
  receive: (conversation, argument) => greet(conversation, argument, true, 'smtp'),
}

/** RFC 2033 section 4.1: `LHLO` has the syntax and the meaning of EHLO. EHLO and HELO are no commands of LMTP, nor LHLO of SMTP. */
export const lhlo: Command = {
  name: 'LHLO',
  receive: (conversation, argument) => greet(conversation, argument, true, 'lmtp'),
}

/** RFC 5321 section 4.1.1.1: `helo = "HELO" SP Domain CRLF` */
export const helo: Command = {
  name: 'HELO',
  receive: (conversation, argument) => greet(conversation, argument, false, 'smtp'),
}

function greet(conversation: Conversation, name: string, extended: boolean, protocol: 'smtp' | 'lmtp'): void {
  if (conversation.lmtp !== (protocol === 'lmtp')) conversation.say(UNKNOWN_COMMAND)
  else if (name === '') conversation.say(NO_NAME)
  else if (!NAME.test(name)) conversation.say(BAD_NAME)
  else conversation.ask(extended ? ehloAsk : heloAsk, { type: 'helo', name, extended })
}

const ehloAsk: Ask = {
  acceptance: OK,
  answered: (conversation, answer) => {
    if (answer.code >= 300) {
      conversation.say(answer)
      return
    }
    begin(conversation, true)
    conversation.say({
      code: 250,
      enhanced: '',
      lines: [conversation.options.hostname, ...ehloLines(conversation)],
    })
  },
}

const heloAsk: Ask = {
  acceptance: OK,
  answered: (conversation, answer) => {
    if (answer.code >= 300) {
      conversation.say(answer)
      return
    }
    begin(conversation, false)
    conversation.say(reply(250, '', conversation.options.hostname))
  },
}

/** RFC 5321 section 4.1.4: a later EHLO clears all state as RSET does. */
function begin(conversation: Conversation, extended: boolean): void {
  conversation.endTransaction('reset')
  conversation.extended = extended
  conversation.leaveTransaction()
}
