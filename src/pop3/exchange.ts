import { UsageError } from '../core/index.js'
import type { AuthResult } from '../interfaces/index.js'
import type { AuthAnswer, ExchangeStep } from '../sasl/index.js'
import type { Conversation } from './conversation.js'

const failures = {
  cancelled: 'Authentication cancelled',
  base64: 'Not base64',
  malformed: 'The response is not what the mechanism wants',
} as const

/** RFC 5034 section 4: a challenge is a line of `+`, a space and base64. */
export function continueExchange(conversation: Conversation, step: ExchangeStep): void {
  const { exchange, output } = conversation
  if (exchange === null) return
  const { mechanism, user } = exchange
  switch (step.type) {
    case 'challenge':
      conversation.mode = 'exchange'
      output.secretLine(`+ ${step.text}\r\n`, step.text === '' ? '+ ' : '+ ***')
      return
    case 'question':
      conversation.mode = 'command'
      conversation.ask('authenticate', { type: 'authenticate', mechanism, question: step.question })
      return
    case 'outcome':
      endExchange(conversation)
      askLogin(conversation, mechanism, user, step.result)
      return
    case 'failure':
      endExchange(conversation)
      conversation.fail(failures[step.reason])
      return
    default:
      step satisfies never
  }
}

/** The host's answer to what AUTH or PASS has asked. UsageError `ANSWER` for one to another question. */
export function answerExchange(conversation: Conversation, answer: AuthAnswer): void {
  const { exchange, userName } = conversation
  if (exchange !== null) continueExchange(conversation, exchange.answer(answer))
  else if ('ok' in answer) askLogin(conversation, 'USER', userName ?? '', answer)
  else throw new UsageError('ANSWER', 'PASS is answered by whose mail it is, or why not')
}

export function endExchange(conversation: Conversation): void {
  conversation.mode = 'command'
  conversation.exchange = null
}

function askLogin(conversation: Conversation, mechanism: string, user: string, result: AuthResult): void {
  conversation.userName = null
  conversation.ask('login', { type: 'login', mechanism, user, result })
}
