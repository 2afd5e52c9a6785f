import type { Conversation } from './conversation.js'
import { parseNumber } from './grammar.js'
import type { Pop3CommandName } from './state.js'

/** One keyword of the protocol. The engine has checked the sequence before it is received. */
export interface Command {
  readonly name: Pop3CommandName
  /** `argument` is the rest of the line after the keyword's space as it stands, or null where there is no space. */
  receive(conversation: Conversation, argument: string | null): void
}

/** A command without arguments. Blanks at the end are let pass. */
export function plainCommand(name: Pop3CommandName, receive: (conversation: Conversation) => void): Command {
  return {
    name,
    receive: (conversation, argument) => {
      if (argument === null || argument.trim() === '') receive(conversation)
      else conversation.fail(`${name} takes no argument`)
    },
  }
}

/** A message number that stands for a message not marked as deleted; null after the -ERR for anything else. */
export function messageNumber(conversation: Conversation, text: string): number | null {
  const { maildrop } = conversation
  const number = parseNumber(text)
  if (number === null) conversation.fail('Not a message number')
  else if (!maildrop.knows(number)) {
    conversation.fail(`No such message, the last one is ${maildrop.last}`)
  } else if (maildrop.isDeleted(number)) conversation.fail(`Message ${number} is deleted`)
  else return number
  return null
}
