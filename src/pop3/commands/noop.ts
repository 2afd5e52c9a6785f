import { plainCommand } from '../command.js'

/** RFC 1939 section 5. */
export const noop = plainCommand('NOOP', (conversation) => conversation.ok())
