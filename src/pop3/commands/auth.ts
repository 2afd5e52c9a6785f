import { describeMechanism, ServerExchange } from '../../sasl/index.js'
import type { Command } from '../command.js'
import { continueExchange } from '../exchange.js'

/**
 * RFC 5034 section 4:
 *
 *     auth-command = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) [CRLF cancel-response] CRLF
 */
export const auth: Command = {
  name: 'AUTH',
  receive(conversation, argument) {
    const words = (argument ?? '').trimEnd().split(' ')
    const name = (words[0] as string).toUpperCase()
    const description = conversation.options.mechanisms.includes(name) ? describeMechanism(name) : undefined
    if (name === '' || words.length > 2) {
      conversation.fail('AUTH takes a mechanism and an initial response')
    } else if (description === undefined) {
      conversation.fail('Unknown authentication mechanism')
    } else if (conversation.needsTls(name)) {
      conversation.failPlaintext()
    } else {
      const exchange = new ServerExchange(name, description)
      conversation.exchange = exchange
      continueExchange(conversation, exchange.begin(words[1] ?? null))
    }
  },
}
