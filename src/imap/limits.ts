import type { Limits } from '../core/limits.js'

const KB = 1024
const MB = 1024 * KB
const GB = 1024 * MB
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/**
 * What a client may ask of the server engine. Octets, milliseconds or counts; past a limit the outcome is the one
 * named.
 */
export const imapLimitRules = {
  /** Octets of a command, literals not counted, before login: BAD. */
  lineBeforeLogin: { default: 8 * KB, min: 1 * KB, max: 1 * MB },
  /** The same after login. */
  line: { default: 64 * KB, min: 8 * KB, max: 16 * MB },
  /** Octets of a literal that is no message, before login: NO, or BYE where the client does not wait. */
  literalBeforeLogin: { default: 4 * KB, min: 256, max: 1 * MB },
  /** The same after login: NO, the octets skipped where the client does not wait. */
  literal: { default: 100 * KB, min: 4 * KB, max: 16 * MB },
  /** Octets of all literals of one command: as for one. */
  literalTotal: { default: 1 * MB, min: 4 * KB, max: 64 * MB },
  /** Literals of one command: as for one that is too large. */
  literalCount: { default: 1000, min: 10, max: 100_000 },
  /** Octets that are skipped in a command that was refused: BYE. */
  skipped: { default: 1 * MB, min: 4 * KB, max: 1 * GB },
  /** The same where they are a message that was refused. */
  skippedMessage: { default: 100 * MB, min: 4 * KB, max: 4 * GB },
  /** Commands answered BAD in a row, before login: BYE. */
  errorsBeforeLogin: { default: 3, min: 1, max: 1000 },
  /** The same after login. */
  errors: { default: 20, min: 1, max: 1000 },
  /** From the greeting (or the handshake) to the end of login, while the client is waited for: BYE. */
  loginTimeout: { default: MINUTE, min: 1000, max: DAY },
  /** For a command: BYE (at least 30 minutes: RFC 3501 section 5.4). */
  commandTimeout: { default: 30 * MINUTE, min: 1000, max: DAY },
  /** For the end of IDLE: BYE. */
  idleTimeout: { default: 30 * MINUTE, min: 1000, max: DAY },
  /** For the next octets of a literal: BYE. */
  literalTimeout: { default: 5 * MINUTE, min: 1000, max: DAY },
  /** Octets a second of a literal, over its whole length: BYE. */
  literalRate: { default: 500, min: 1, max: 1 * MB },
} as const

export type ImapLimits = Limits<typeof imapLimitRules>
