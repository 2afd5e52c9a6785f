import type { ExchangeStep } from '../sasl/index.js'
import type { Conversation } from './conversation.js'

const failures = {
  cancelled: 'Authentication cancelled',
  base64: 'Not base64',
  malformed: 'The response is not what the mechanism wants',
} as const

/** RFC 5034 section 4: a challenge is a line of `+`, a space and base64. */
export function continueExchange(conversation: Conversation, step: ExchangeStep): void {
  switch (step.type) {
    case 'challenge':
      conversation.mode = 'exchange'
      conversation.output.text(`+ ${step.text}\r\n`)
      return
    case 'credentials': {
      const mechanism = conversation.exchange?.mechanism ?? ''
      endExchange(conversation)
      conversation.ask('login', { type: 'login', mechanism, credentials: step.credentials })
      return
    }
    case 'failure':
      endExchange(conversation)
      conversation.fail(failures[step.reason])
  }
}

export function endExchange(conversation: Conversation): void {
  conversation.mode = 'command'
  conversation.exchange = null
}
