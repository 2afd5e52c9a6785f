import type { Reply } from '../../interfaces/index.js'
import { reply } from '../../interfaces/index.js'
import { fixedReply } from '../grammar/index.js'

/** What the engine says on its own account, beside what each command says of itself. */
export const OK = fixedReply(reply(250, '2.0.0', 'OK'))
export const SENDER_OK = fixedReply(reply(250, '2.1.0', 'Sender OK'))
export const RECIPIENT_OK = fixedReply(reply(250, '2.1.5', 'Recipient OK'))
export const MESSAGE_OK = fixedReply(reply(250, '2.0.0', 'Message accepted'))
export const START_INPUT = fixedReply(reply(354, '', 'End data with <CR><LF>.<CR><LF>'))
export const AUTH_OK = reply(235, '2.7.0', 'Authentication successful')

export const NEEDS_TLS = reply(530, '5.7.0', 'Must issue a STARTTLS command first')
export const NEEDS_AUTH = reply(530, '5.7.0', 'Authentication required')
export const NOT_IMPLEMENTED = reply(502, '5.5.1', 'Command not implemented')
export const NO_ARGUMENT = reply(501, '5.5.4', 'This command takes no argument')
export const UNKNOWN_COMMAND = reply(500, '5.5.1', 'Command not recognized')
export const EMPTY_COMMAND = reply(500, '5.5.2', 'An empty line is no command')
export const LINE_TOO_LONG = reply(500, '5.5.6', 'Line too long')
export const BARE_LINE_FEED = reply(500, '5.5.2', 'A command line ends with CR LF')
export const CONTROL_CHARACTER = reply(500, '5.5.2', 'A command line holds no control character')

export const EARLY_TALKER = reply(554, '5.5.0', 'Client spoke before the greeting')
export const WRONG_PROTOCOL = reply(421, '4.7.0', 'This is a mail server')
export const TOO_MANY_ERRORS = reply(421, '4.7.0', 'Too many errors')
export const TOO_MUCH_JUNK = reply(421, '4.7.0', 'Too many commands without a message')
export const TOO_MANY_REFUSED = reply(421, '4.7.0', 'Too many refused recipients')
export const TOO_MANY_MESSAGES = reply(421, '4.7.0', 'Too many messages in one session')
export const TOO_MANY_LOGINS = reply(421, '4.7.0', 'Too many failed logins')
export const INPUT_BEFORE_354 = reply(421, '4.5.0', 'Message sent before it was asked for')
export const TIMED_OUT = reply(421, '4.4.2', 'Timeout')

export const shutdownReplies = {
  shutdown: reply(421, '4.3.2', 'Service is shutting down'),
  tooManyConnections: reply(421, '4.7.0', 'Too many connections'),
  forbidden: reply(421, '4.7.1', 'Access denied'),
  internalError: reply(421, '4.3.0', 'Internal error'),
} as const

/** No other codes than 554 and 421 stand in place of the greeting (RFC 5321 sections 3.1 and 3.8). */
export function refusalOfConnection(answer: Reply): Reply {
  return { ...answer, code: answer.code < 500 ? 421 : 554 }
}

/** 503, RFC 5321 section 4.1.4. */
export function badSequence(text: string): Reply {
  return reply(503, '5.5.1', text)
}

/** 501 with 5.5.4: an argument or a parameter is wrong. */
export function badArgument(text: string): Reply {
  return reply(501, '5.5.4', text)
}
